import numpy as np
import pytest

from vernissage.pages.groups import LIGHT, LIGHT_OTHER, MOST_COLOURS, SHAPES, grouping, label_places

# Linear RGB as seen with full colour vision, protanopia, deuteranopia, tritanopia: Machado, Oliveira & Fernandes 2009.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    axes = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip
    return axes @ np.cbrt(np.clip(cones @ light, 0, None))


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((float(linear(each) @ (0.2126, 0.7152, 0.0722)) for each in (one, other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_colours_stand_out_from_the_page() -> None:
    assert len({*LIGHT, LIGHT_OTHER}) == MOST_COLOURS + 1
    assert min(contrast(colour, "#fdfdfb") for colour in (*LIGHT, LIGHT_OTHER)) >= 3


@pytest.mark.parametrize("vision", VISION)
def test_colours_differ_for_every_kind_of_colour_vision(vision: str) -> None:
    seen = [oklab(np.clip(VISION[vision] @ linear(colour), 0, 1)) for colour in LIGHT]
    for one in range(MOST_COLOURS):
        for other in range(one):
            same_shape = one % len(SHAPES) == other % len(SHAPES)
            assert np.linalg.norm(seen[one] - seen[other]) > (0.1 if same_shape else 0.055)


def test_the_eleven_largest_groups_have_colours_and_the_rest_is_one() -> None:
    names = [f"g{n:02}" for n in range(15) for _ in range(20 - n)] + ["", "  "]
    found = grouping(names)
    assert [group.name for group in found.groups] == [f"g{n:02}" for n in range(11)] + ["4 other groups and no group"]
    assert [group.style for group in found.groups] == [*range(11), -1]
    assert found.groups[-1].size == 9 + 8 + 7 + 6 + 2
    assert found.place[0] == 0
    assert found.place[-1] == 11


def test_equal_sizes_go_by_name_and_blanks_do_not_count() -> None:
    found = grouping(["b", " a", "b\n", "a", "c"])
    assert [(group.name, group.size) for group in found.groups] == [("a", 2), ("b", 2), ("c", 1)]
    assert found.place.tolist() == [1, 0, 1, 0, 2]


def test_works_without_any_group_are_one() -> None:
    (group,) = grouping(["", ""]).groups
    assert (group.name, group.size, group.style) == ("all works", 2, 0)


def test_groups_of_less_than_a_hundredth_have_no_name_on_the_map() -> None:
    points = np.zeros((201, 2))
    assert list(label_places(points, grouping(["a"] * 198 + ["b"] * 3), line=20)) == [0, 1]
    assert list(label_places(points, grouping(["a"] * 199 + ["b"] * 2), line=20)) == [0]


def test_names_stand_at_medians_and_make_way_for_each_other() -> None:
    points = np.array([[0.0, 0], [0, 0], [900, 0], [0, 0], [500, 300]])
    places = label_places(points, grouping(["a", "a", "a", "b", "c"]), line=20)
    assert places[0] == (0, 0)
    assert abs(places[1][1]) >= 20
    assert places[2] == (500, 300)


def test_with_an_order_a_group_keeps_its_colour_whether_it_is_large_or_absent() -> None:
    order = ["sea", "garden", "town"]
    groups = grouping(["town", "town", "garden", "storm", ""], order)
    assert [(group.name, group.size, group.style) for group in groups.groups] == [
        ("garden", 1, 1), ("town", 2, 2), ("another group and no group", 2, -1),
    ]  # fmt: skip
    assert groups.place.tolist() == [1, 1, 0, 2, 2]
