"""The vocabulary of still life and portrait."""

from collections.abc import Mapping

from vernissage_lab.sample.words.story import Story

INDOORS: Mapping[str, Story] = {
    "fruit": Story(
        titles=(
            "Still Life with {main}",
            "{Mood} Still Life with {main}",
            "{main} on a [White Cloth|Table]",
            "[Kitchen|Breakfast] Table with {main}",
            "[Larder|Pantry] Piece with {main}",
        ),
        opens=(
            "{fruit} [lie|are arranged|are set out] on a [rumpled|white] tablecloth",
            "[a still life|a kitchen still life] of {fruit} on a [white cloth|table linen]",
            "on a table [laid with|spread with] [linen|a white cloth] [lie|there are] {fruit}",
            "{fruit}, set down on the [folds of a cloth|linen] [after market|before the meal]",
        ),
        extras={
            "bowl": "[some of the fruit|part of it] [heaped|gathered] in a [glazed|china] bowl",
            "jug": "[a stoneware jug|an earthenware jug] [at one side|beside the fruit]",
            "window": "[a window|a small window] [in the wall|behind it]",
        },
        lines=(
            "[ripeness|the ripe flesh] [promises|invites] a [bite|taste]",
            "[the cook|a housewife] has [only just|just now] [left the kitchen|put down her knife]",
            "[peel|rind] and [glaze|linen] [answer|set off] one another",
            "[breakfast|the meal] [can wait|is not far off]",
            "[crockery|pottery] and [linen|fruit] [share|keep] a [domestic|household] order",
            "[sweetness|juice] and [sour rind|sugar] [can almost be tasted|are all but tasted]",
        ),
        keywords=("still life", "fruit", "table", "kitchen", "tablecloth", "food"),
    ),
    "flowers": Story(
        titles=(
            "{main} in a Vase",
            "{Mood} {main}",
            "[Bouquet|Bunch] of {main}",
            "{main} on a [Table|White Cloth]",
            "{main} from the Garden",
        ),
        opens=(
            "[a loose bunch|a generous bouquet] of {kind} [fills|spills from] a vase on a [white cloth|table]",
            "{kind}, [freshly cut|picked this morning], [stand|open] in a vase [on the tablecloth|on white linen]",
            "a vase of {kind} [stands|has been set] on a table [spread with|under] a white cloth",
            "[stems|heads] of {kind} [lean|turn] [every way|outward] from a [rounded|plain] vase",
        ),
        extras={
            "fallen": "[petals|a few petals] [have dropped|lie scattered] [beside it|on the cloth]",
            "window": "[a window|a small window] [shows|gives on to] the [garden|outdoors]",
            "lemon": "[a lemon|one lemon] [lies|rests] [at its foot|near by]",
        },
        lines=(
            "[pollen|perfume] [dusts|drifts over] the [linen|cloth]",
            "[petal|blossom] by [petal|blossom] the [bouquet|bunch] will [fade|open]",
            "[the florist|someone] [gathered|arranged] them with [care|love]",
            "[blooms|corollas] and [leaves|buds] [crowd|mingle]",
            "[the vase|the water] [keeps|holds] them fresh [a day longer|until tomorrow]",
            "[a fragrance|the scent] of [greenery|cut stems] [fills|haunts] the room",
        ),
        keywords=("flowers", "bouquet", "vase", "petals", "bloom", "still life"),
    ),
    "portrait": Story(
        titles=(
            "Portrait of [{name}|{initials}]",
            "{Mood} [Portrait|Sitter]",
            "{sitter}, [Half-Length|Facing Us]",
            "[The Artist's|My] {relative}",
            "[Head|Study] of {A_sitter}",
        ),
        opens=(
            (
                "{a_sitter} [sits|poses] [facing|before] us, head and shoulders, "
                "[eyes|gaze] [steady|turned to the viewer]"
            ),
            (
                "[a portrait|a half-length portrait] of {a_sitter} who [looks|gazes] "
                "[straight out|at us] [without a word|and keeps silent]"
            ),
            "{a_sitter} [looks|gazes] out of the picture with [an attentive|a searching] [face|expression]",
            "the [sitter|model], {a_sitter}, [meets|returns] our [gaze|look]",
        ),
        extras={
            "hat": "[a hat on the head|a hat set level]",
            "scarf": "[a scarf wound|a scarf] about the neck",
            "flower": "[a flower|a white flower] [pinned|worn] on the [coat|breast]",
        },
        lines=(
            "[the eyes|the brow] and the [mouth|lips] [tell|betray] [little|a whole life]",
            "[the likeness|this face] [was caught|took shape] in [three|a few] sittings",
            "[friends|relatives] [recognised|would know] the [tilt of the head|expression] at once",
            "[pride|tenderness] and [age|doubt] [meet|mingle] in the [features|face]",
            "[the character|the person] [emerges|comes forward] from [brow and cheek|the silence]",
            "[the painter|the artist] [studied|knew] this [face|countenance] for years",
        ),
        keywords=("portrait", "face", "sitter", "likeness", "gaze", "figure"),
    ),
}
