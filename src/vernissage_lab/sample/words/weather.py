"""What is said of the sky, of the light indoors, and of the mood."""

SKIES = {
    "low sun": (
        "a low sun [lays|spreads|pours] [its light|a warm path] [over|across] everything",
        "the sun [stands|hangs] low [near the horizon|in the sky]",
        "[the last rays|slanting rays] [come|reach] from a sun [close to|just above] the horizon",
        "a low sun [burns|glows] through [thin|drifting] cloud",
    ),
    "clear": (
        "the [sky|air] is [clear|bright] and [wide|open]",
        "[clean|even|bright] daylight [falls on|fills] [everything|the whole scene]",
        "[hardly a cloud|scarcely a cloud] [troubles|crosses] the sky",
        "the day is [fine|fair] and [cloudless but for a few streaks|almost without cloud]",
    ),
    "fair clouds": (
        "[white|heaped] clouds [drift|sail|travel] [by|over]",
        "[a breeze moves|the wind herds] [tall|bright] clouds [along|across the sky]",
        "[sunlight and cloud|cloud and blue] [take turns|share the sky]",
        "[great|billowing] clouds [pile up|stand] [over|above] the scene",
    ),
    "overcast": (
        "[a grey|an overcast] sky [presses|rests] on [everything|the scene]",
        "[cloud|a lid of cloud] [covers|closes] the sky from end to end",
        "the light is [dull|flat|grey] under [unbroken|heavy] cloud",
        "the sun [has not shown itself|stays hidden] [all day|behind the cloud]",
    ),
    "mist": (
        "[mist|a thin mist] [softens|veils|dissolves] whatever lies [far off|in the distance]",
        "[haze|fog] [hangs|lingers] [between near and far|over the distance]",
        "distance [melts|fades] into [mist|vapour]",
        "the [air|morning air] is [milky|damp] with [mist|fog]",
    ),
    "storm": (
        "[storm clouds|black clouds] [roll|tower|gather] [overhead|above]",
        "the sky [darkens|lowers] and [the wind rises|a storm is close]",
        "[a gale|a tempest] is [building|about to break]",
        "[heavy|ragged] clouds [race|drive] [past|over] before the [gale|storm]",
    ),
    "rain": (
        "rain [falls|drives|slants] [across the scene|without pause|steadily]",
        "[a downpour|a cold shower] [streaks|blurs] the air",
        "[threads|sheets] of rain [cross|sweep] the view",
        "it [rains|is raining] [hard|in slanting lines]",
    ),
    "moon": (
        "[a pale|a cold|a full] moon [watches|shines|hangs] [from above|overhead|in the dark sky]",
        "[moonlight|the light of the moon] [silvers|touches] [every edge|what it can reach]",
        "the moon [has risen|stands high] [among|over] [faint stars|the dark]",
        "only the moon [keeps watch|is awake]",
    ),
    "dusk": (
        "[dusk|twilight] [gathers|deepens] and the first stars [appear|come out]",
        "the [afterglow|last light] [fades|burns low] [at the horizon|in the west]",
        "day [is ending|gives way to night] and [stars|a few stars] [prick|dot] the sky",
        "[evening|nightfall] [comes on|settles] in bands of [fading|afterglow] light",
    ),
}

LIGHT = {
    "calm": (
        "[soft|even|mild] light [falls|comes] from [one side|the side]",
        "[daylight|a gentle light] [rests|lingers] on [every form|every surface]",
        "the light is [steady|gentle] and the shadows are [short|soft]",
    ),
    "joyful": (
        "[bright|generous] light [floods in|fills the room]",
        "[sunlight|morning sunlight] [brightens|warms] [everything it touches|the whole room]",
        "the room is [full of|alive with] light",
    ),
    "wistful": (
        "[pale|dim|faded] light [barely|only just] [reaches|touches] them",
        "[the light of a grey day|muted afternoon light] [falls|settles] on everything",
        "the light is [thin|weak] as if [remembered|seen from long ago]",
    ),
    "stormy": (
        (
            "[harsh|sudden] light [strikes|cuts in] from the side and [leaves "
            "the rest in shadow|the dark closes round it]"
        ),
        "[deep shadow|darkness] [crowds|presses] round a [hard|fierce] light",
        "[one side is lit|light strikes one side] and the other [sinks|falls] into [gloom|darkness]",
    ),
    "mysterious": (
        "[lamplight|a hidden lamp] [picks|draws] forms [out of|from] the dark",
        "[most of the room|the background] [is lost|lies] in [shadow|darkness]",
        "[shadows|the shadows] [keep|hide] more than they [tell|show]",
    ),
}

FEELING = {
    "calm": (
        "[nothing hurries|no one hurries]",
        "[peace|stillness] [has settled|reigns]",
        "[the hour|all] is [quiet|tranquil]",
        "[time|the hour] [passes slowly|seems to rest]",
        "[a serene|a restful] [mood|silence] holds",
    ),
    "joyful": (
        "[everything|the moment] [feels|seems] [glad|festive]",
        "[a holiday|a cheerful] [mood|spirit] [prevails|is everywhere]",
        "[delight|gladness] [runs through it all|is in the air]",
        "[it is|here is] a day for [laughter|singing|celebration]",
    ),
    "wistful": (
        "[a gentle|a lingering] [sadness|melancholy] [remains|hangs about it]",
        "[memory|longing] [colours|haunts] the [moment|hour]",
        "[something|someone] [seems missing|has been lost]",
        "[regret|nostalgia] [is never far|lies over it]",
        "one [feels|senses] [absence|solitude]",
    ),
    "stormy": (
        "[tension|unrest] [is everywhere|fills the scene]",
        "[drama|danger] is [close|near]",
        "[everything|all] [strains|is braced] [for what comes|against what is coming]",
        "[a restless|a violent] [energy|force] drives it",
    ),
    "mysterious": (
        "[a secret|some secret] [is kept|seems to wait] here",
        "[it could be|this may be] a [dream|riddle]",
        "[silence|something strange] [waits|lingers]",
        "[an enchanted|an uncanny|a dreamlike] [stillness|hush] [holds|reigns]",
    ),
}

MOOD_WORDS = {
    "calm": ("calm", "peace", "stillness"),
    "joyful": ("joy", "cheer", "delight"),
    "wistful": ("melancholy", "solitude", "longing"),
    "stormy": ("drama", "unrest", "storm"),
    "mysterious": ("mystery", "dream", "night"),
}

MOOD_TITLES = {
    "calm": ("[Quiet|Still|Gentle|Peaceful]",),
    "joyful": ("[Bright|Glad|Merry|Radiant]",),
    "wistful": ("[Fading|Lonely|Pale|Grey]",),
    "stormy": ("[Wild|Troubled|Dark|Restless]",),
    "mysterious": ("[Silent|Secret|Dreaming|Hidden]",),
}
