"""The vocabulary of subjects under the sky."""

from collections.abc import Mapping

from vernissage_lab.sample.words.story import Story

OUTDOORS: Mapping[str, Story] = {
    "harbour": Story(
        titles=(
            "[Harbour|Quay|Anchorage] at {place}",
            "{Mood} Harbour, {place}",
            "The [Fishing Fleet|Moorings] at {place}",
            "[Boats|Fishing Boats] [at Rest|in Port], {place}",
            "Waiting for the Tide",
            "Home from the Fishing Grounds",
        ),
        opens=(
            (
                "{boats} [ride{s_boats} at anchor|lie{s_boats} moored|rest{s_boats} at the moorings] "
                "[before|below] the gabled houses of a [fishing village|small port]"
            ),
            (
                "in [a sheltered harbour|the inner harbour], {boats} "
                "[float{s_boats}|lie{s_boats}] on [still reflections|the mirrored water]"
            ),
            "the houses along the [quay|waterfront] look [down on|out over] {boats} [in the basin|in port]",
            (
                "{boats} with furled sails [wait{s_boats}|idle{s_boats}] in the [harbour|port] "
                "while the village [stands|crowds] along the [quay|shore]"
            ),
            (
                "[a fishing port|a harbour town] seen across the water, with {boats} "
                "[moored|at anchor] in [front of it|the roadstead]"
            ),
        ),
        extras={
            "lighthouse": "[a banded lighthouse|the striped lighthouse] [marks|guards] the [harbour mouth|channel]",
            "gulls": "[gulls|sea birds] [wheel|cry|circle] [overhead|above the masts]",
        },
        lines=(
            "the [smell|air] of tar, [salt|rope] and [herring|fish] [hangs over|clings to] the [quay|nets]",
            "[the fishermen|the crews] have [gone ashore|carried home the catch]",
            "[hulls|keels] [knock|creak] against the [pier|moorings] with the [tide|ebb]",
            "the [tide|flood] [turns|comes in] among [masts|anchor chains] and [mooring ropes|pilings]",
            "[nets|sails] are [mended|dried] and the [skippers|sailors] talk of [tides|the catch]",
            "each [mast|hull] has its double in the [basin|dock]",
        ),
        keywords=("harbour", "boats", "quay", "fishing village", "reflections", "moorings", "port"),
    ),
    "open sea": Story(
        titles=(
            "{Mood} Sea off {place}",
            "[Under Sail|Sailing] off {place}",
            "[The Crossing|The Long Crossing]",
            "[Swell|Breakers|Open Water], {place}",
            "Wind on the [Beam|Water]",
            "[Outward|Homeward] Bound",
        ),
        opens=(
            "{sails} make{s_sails} [way|headway] [over|across] the [open sea|swell]",
            (
                "on [the open sea|deep water], {sails} run{s_sails} before the "
                "wind [between sky and waves|across the waves]"
            ),
            "[waves|breakers] [roll|come] towards us, and {sails} cross{es_sails} the [deep|channel] beyond",
            "{sails} heel{s_sails} under white canvas among [the waves|long rollers]",
            "the [ocean|sea] fills the view, and {sails} hold{s_sails} a course [over the swell|through the waves]",
        ),
        extras={
            "lighthouse": "[a lighthouse|a lonely lighthouse] [stands|rises] on the [cape|headland]",
            "gulls": "[gulls|sea birds] [hang|hover] on the wind",
        },
        lines=(
            "[spray|foam] [flies|breaks] from the [crests|bow] and [salt|brine] stings the [lips|eyes]",
            "the helmsman [reads|watches] the [swell|wind] and the compass",
            "[the current|the ocean current] [runs|pulls] beneath the [keel|rudder]",
            "[sailors|seamen] [know|fear] this [strait|passage] and its [shoals|reefs]",
            "[canvas|rigging] [hums|strains] as the [voyage|crossing] goes on",
            "there is [only|nothing but] [wave|surf] and wind as far as the [eye|horizon]",
        ),
        keywords=("sea", "sailing", "waves", "ocean", "voyage", "wind", "surf"),
    ),
    "night street": Story(
        titles=(
            "{Mood} Street, {place}",
            "[Lamplight|Gaslight] in {place}",
            "The [Boulevard|Avenue] after [Dark|Closing Time]",
            "[Late|Walking] Home, {place}",
            "[Evening|Night] on the [Rue des Tanneurs|Corso|Lindengasse]",
            "The Last [Tram|Café]",
        ),
        opens=(
            "{people} [on|along] a city street [between|under] tall house fronts, [lit|watched over] by {lamps}",
            "{lamps} light{s_lamps} the [pavement|boulevard] for {people} [late in the evening|after dark]",
            (
                "a [street|boulevard] runs [straight|away] between [apartment houses|tall façades] "
                "with lit windows, and {people} pass{es_people} below {lamps}"
            ),
            (
                "[shop fronts|windows] glow along the [avenue|street] where {people} "
                "walk{s_people} [home|by night], past {lamps}"
            ),
        ),
        extras={"umbrellas": "[umbrellas|open umbrellas] [are up|bob] over the [wet|streaming] pavement"},
        lines=(
            "[footsteps|heels] [echo|sound] [on the cobbles|from wall to wall]",
            "[cafés|theatres] are [emptying|closing] and [cabs|trams] [have stopped|are few]",
            "[behind each window|upstairs] [somebody|a tenant] is still [awake|talking]",
            "the [metropolis|city] [murmurs|breathes] [behind its shutters|in the dark]",
            "[gaslight|lamplight] [pools|glimmers] on the [kerb|pavement]",
            "[passers-by|strangers] [exchange|avoid] a [glance|look] and [are gone|walk on]",
        ),
        keywords=("city", "street", "night", "lamplight", "windows", "passers-by", "pavement"),
    ),
    "rooftops": Story(
        titles=(
            "[Roofs|Rooftops] of {place}",
            "{Mood} Roofs",
            "From the [Attic|Garret] Window",
            "[Chimneys|Gables] of {place}",
            "The City [Asleep|from Above]",
            "A Thousand Windows",
        ),
        opens=(
            (
                "roof [behind|beyond] roof, the old town [climbs|spreads] towards "
                "[the horizon|a far skyline], its windows alight"
            ),
            "seen from [a garret|an attic], the city is [all|a sea of] gables, chimneys and lit windows",
            "[above|over] the crowded [roofs|rooftops] of the town, windows [shine|glow] in the dark",
            (
                "tiles, chimneys and [dormers|gables] [crowd|jostle] together [in the night|under "
                "the night sky], and lamps burn in the rooms [below|beneath]"
            ),
        ),
        extras={
            "steeple": "[a church spire|a steeple] [rises|stands] over [the skyline|them all]",
            "smoke": "[chimney smoke|smoke] [drifts|curls] [upward|from the chimneys]",
            "cat": "[a black cat|a cat] [sits|keeps watch] on the [ridge|tiles]",
        },
        lines=(
            "[somewhere|in some attic] [a lamp|a student] [burns|sits up] [until dawn|past midnight]",
            "[neighbours|lodgers] [dream|sleep] [under slate and tile|beneath the rafters]",
            "the [bells strike|clock strikes] the hour for [chimney sweeps|bakers] and [night watchmen|cats]",
            "[every window|each lit pane] is a [household|story]",
            "[tiles|slates] still [hold|keep] the [day's warmth|rain]",
            "the [alleys|courtyards] below are [out of sight|only guessed at]",
        ),
        keywords=("rooftops", "city", "chimneys", "night", "gables", "skyline", "windows"),
    ),
    "orchard": Story(
        titles=(
            "The Orchard at {place}",
            "{Mood} Orchard",
            "[Apple Trees|Fruit Trees], {place}",
            "[Rows of|Between the] Apple Trees",
            "The [Orchard Path|Old Orchard]",
            "{season}",
        ),
        opens=(
            (
                "rows of [apple|fruit] trees {dress} [lead|run] [across a "
                "meadow|through the grass] towards [low|distant] hills"
            ),
            (
                "[an orchard|a hillside orchard] {dress} [opens|stretches] "
                "before us, its trees [in lines|planted in rows]"
            ),
            "the trees of an old orchard stand {dress} in the [long grass|meadow]",
            "[grass and wild flowers|a flowering meadow] [grow|spreads] between orchard trees {dress}",
        ),
        extras={
            "people": (
                "{people} [rest{s_people}|stand{s_people}] [among the trunks|in "
                "the shade of the trees|between the rows]"
            ),
            "ladder": "[a picker's ladder|a ladder] [leans|stands] [among the branches|ready]",
        },
        lines=(
            "[bees|wasps] [hum|drone] [in the branches|from tree to tree]",
            "the [gardener|grower] knows [each|every] [graft|trunk] by name",
            "[cider|jam] and [baskets|cellars] are [in everyone's mind|the talk of the farm]",
            "[birdsong|a blackbird] [sounds|sings] from the [boughs|hedge]",
            "[the scent|a sweetness] of [apples|sap] and [cut grass|clover] [lies|hangs] about",
            "[pruning|grafting] has [shaped|bent] the [boughs|branches] for generations",
        ),
        keywords=("orchard", "apple trees", "meadow", "fruit growing", "branches", "countryside"),
    ),
    "harvest": Story(
        titles=(
            "[Harvest|Reaping] near {place}",
            "{Mood} Fields, {place}",
            "[Haystacks|Corn Stacks] at {place}",
            "The [Stubble|Wheat] Field",
            "After the [Reapers|Harvest]",
            "[Gleaning|Bringing in the Corn]",
        ),
        opens=(
            (
                "{stacks} [stand{s_stacks}|cast{s_stacks} long shadows] on a mown "
                "[wheat|corn] field whose furrows [run|lead] to the horizon"
            ),
            "the [harvest|corn] is in, and {stacks} [rise{s_stacks} from|remain{s_stacks} on] the stubble",
            (
                "[across|over] the stubble of a [wide|great] field, {stacks} "
                "[mark{s_stacks}|show{s_stacks}] where the wheat was [cut|reaped]"
            ),
            (
                "{stacks} [dot{s_stacks}|punctuate{s_stacks}] the reaped "
                "[farmland|plain] between hedge and [lane|furrow]"
            ),
        ),
        extras={
            "people": "{people} [work{s_people}|stand{s_people}] [in the field|among the stubble|on the cut field]",
            "farm": "[a farmhouse|a farm] [shelters|stands] among trees",
            "birds": "[rooks|birds] [rise|scatter] [over the furrows|into the air]",
        },
        lines=(
            "[chaff|straw] and [dust|thistledown] [drift|settle] [over the stubble|along the furrows]",
            "[scythes|sickles] have been [hung up|whetted] since [daybreak|first light]",
            "[the barns|the granaries] will [fill|hold] [grain|barley] [before winter|for the year]",
            "[bread|flour] [begins|has its beginning] in [this soil|this earth]",
            "[ploughmen|farmhands] and [reapers|gleaners] [have worked|toil] here for centuries",
            "[larks|crickets] [fall silent|sing on] in the [oats|stubble]",
        ),
        keywords=("harvest", "haystacks", "field", "wheat", "farming", "furrows", "stubble"),
    ),
    "mountains": Story(
        titles=(
            "[Mount|Peak of|Pass below] {peak}",
            "{Mood} Heights",
            "[Snow|Summit] of {peak}",
            "In the [High Valley|Upper Valley]",
            "The [Pass|Glacier] near {peak}",
            "[View|Morning View] of {peak}",
        ),
        opens=(
            "a [snow-capped|snowy] peak [rises|towers] above [ridges|its lower ridges] and {foot}",
            "range behind range, the [mountains|Alps] [climb|rise] from {foot} to the [snow line|summit]",
            "[steep|jagged] [crags|cliffs] and snowfields [stand|rise] over {foot}",
            "the [massif|mountain] [lifts|raises] its [white|snowy] summit over {foot}",
        ),
        extras={
            "hut": "[a shepherd's hut|a mountain hut] [clings|stands] [on the slope|at its foot]",
            "pines": "[dark firs|fir trees] [frame the view|stand guard at one side]",
        },
        lines=(
            "[climbers|guides] [rope up|set out] [for the glacier|before the ascent]",
            "[scree|granite] and [ice|glacier] [are older than|outlast] [memory|all names]",
            "an [eagle|avalanche] [may be heard|breaks the silence] [among the crags|beyond the ridge]",
            "the air is [thin|sharp] at this [height|altitude]",
            "[cowbells|goat bells] [carry|ring] [from the alp|across the valley]",
            "[the pilgrim|the mountaineer] [looks up|measures himself] against the [summit|precipice]",
        ),
        keywords=("mountains", "summit", "alpine", "snow peak", "valley", "rock", "ridge"),
    ),
    "winter village": Story(
        titles=(
            "{place} in Snow",
            "{Mood} Winter, {place}",
            "[Snow|First Snow] at {place}",
            "The Road to {place}, [January|February]",
            "[Deep|Midwinter] Snow",
            "[Candlemas|Advent] in {place}",
        ),
        opens=(
            ("{houses} with white roofs [huddle{s_houses}|stand{s_houses}] [in the snow|under the snow-covered hills]"),
            "snow [lies|has fallen] deep [on|over] {houses} [in a fold of|below] the hills",
            "a [trodden|winding] path leads [through the snow|over snowy fields] to {houses}",
            (
                "[winter|deep winter] has [closed round|buried] a hamlet of {houses}, and a "
                "bare tree [stands|spreads its branches] in the foreground"
            ),
        ),
        extras={
            "church": "[a small church|a church tower] [rises|stands] among them",
            "people": "{people} follow{s_people} the [snowy path|path]",
            "snowfall": "[snowflakes|flakes] [are falling|drift down]",
            "crows": "[crows|black crows] [cross|circle in] the [cold air|sky]",
        },
        lines=(
            "[frost|ice] [cracks|glitters] [on the pump|along the eaves] and [stoves|hearths] are [lit|stoked]",
            "[boots|sledges] [creak|leave their tracks] on the [frozen|snowy] [lane|road]",
            "[woodsmoke|the cold] [stings|pinches] the [nose|cheeks]",
            "[icicles|drifts] [hang|grow] and [mittens|shawls] are [drawn tight|dried by the stove]",
            "[the thaw|spring] is [months|a long way] off",
            "[villagers|the villagers] [stay in|keep indoors] by the [hearth|oven] until the [frost|cold] breaks",
        ),
        keywords=("winter", "snow", "village", "frost", "bare trees", "cold"),
    ),
    "forest": Story(
        titles=(
            "In the Woods near {place}",
            "{Mood} [Forest|Woods]",
            "{Trunks}",
            "The [Clearing|Forest Floor]",
            "[Deep in|Under] the [Trees|Leaves]",
            "Where the Wood Opens",
        ),
        opens=(
            "{trunks} [rise|stand] on either side, and {way} [leads|winds] [towards the light|into the forest]",
            "{way} [winds|runs] between {trunks} into the [heart|depth] of the [forest|wood]",
            (
                "[deep in the woods|inside the forest], {trunks} [close|crowd] [in|together] "
                "and {way} [finds|picks] its way [through|between them]"
            ),
            (
                "rank [behind|after] rank of {trunks} [fade|recede] into [the glow of a "
                "clearing|pale light], with {way} [between|among] them"
            ),
        ),
        extras={
            "people": "[a lone walker|a solitary figure] [pauses|is on the way]",
            "deer": "[a deer|a stag] [listens|stands alert]",
        },
        lines=(
            "[moss|fern] and [mushrooms|bark] [scent|sweeten] the [shade|undergrowth]",
            "[a woodpecker|a cuckoo] [taps|calls] [far off|in the thicket]",
            "[leaves|twigs] [rustle|crackle] [underfoot|in the undergrowth]",
            "[the canopy|the foliage] [sifts|filters] what light there is",
            "[roots|brambles] [tangle|creep] across the [forest floor|leaf mould]",
            "[foresters|charcoal burners] [knew|named] [these thickets|every oak]",
        ),
        keywords=("forest", "trees", "woodland", "trunks", "foliage", "clearing"),
    ),
}
