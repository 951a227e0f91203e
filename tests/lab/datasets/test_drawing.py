"""One caption for each picture: what is drawn hangs on picture and seed alone."""

from collections import Counter

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, ImageEntry, one_caption_each

IDS = [f"p{number}" for number in range(300)]
FIVE = CaptionedSet(
    "five",
    "made here",
    tuple(ImageEntry(each) for each in IDS),
    tuple(Caption(f"{each}#{n}", each, f"text {n}") for each in IDS for n in range(5)),
    text_tags={f"{each}#{n}": (str(n),) for each in IDS for n in range(5)},
)


def test_each_picture_keeps_one_of_its_captions_and_its_tags() -> None:
    drawn = one_caption_each(FIVE, seed=1)
    assert [caption.image_id for caption in drawn.captions] == IDS
    assert drawn.text_tags == {caption.id: (caption.id[-1],) for caption in drawn.captions}
    counts = Counter(caption.text for caption in drawn.captions)
    assert all(30 <= counts[f"text {n}"] <= 90 for n in range(5))  # 60 expected, five standard deviations are 35


def test_equal_seeds_draw_equally_also_from_a_part() -> None:
    drawn = one_caption_each(FIVE, seed=1)
    assert one_caption_each(FIVE, seed=1).captions == drawn.captions
    assert one_caption_each(FIVE, seed=2).captions != drawn.captions
    part = IDS[50:60]
    assert one_caption_each(FIVE.keeping(part), seed=1).captions == drawn.keeping(part).captions
