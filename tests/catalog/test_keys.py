"""Keys of ids: reversible, one for each id, and names that every file system takes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vernissage.catalog.keys import PART_LENGTH, id_of, key_of

IDS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("item_id", "key"),
    [
        ("v041", "v041"),
        ("1934.12", "1934.12"),
        ("AIC/1934.12 é", "_41_49_43_2f1934.12_20_c3_a9"),
        ("..", "_2e_2e"),
        ("a.", "a_2e"),
        ("a_b", "a_5fb"),
        ("con", "_63on"),
        ("nul.jpg", "_6eul.jpg"),
        ("https://example.org/canvas/1", "https_3a_2f_2fexample.org_2fcanvas_2f1"),
        ("x" * 450, "/".join(["x" * 200, "x" * 200, "x" * 50])),
    ],
)
def test_an_id_has_the_documented_key(item_id: str, key: str) -> None:
    assert key_of(item_id) == key
    assert id_of(key) == item_id


@given(IDS)
@example("a" * 199 + ".b")
@example("a" * 200 + "con")
@example("a" * 200 + ".b")
@example(":::" + "\U00010000" * 16)
def test_every_id_comes_back_from_its_key(item_id: str) -> None:
    key = key_of(item_id)
    assert id_of(key) == item_id
    for part in key.split("/"):
        assert 0 < len(part) <= PART_LENGTH + 2
        assert part == part.lower()
        assert not part.startswith(".")
        assert not part.endswith(".")
        assert part.split(".")[0] not in {"con", "nul", "aux", "prn", "com1", "lpt9"}


@pytest.mark.parametrize("key", ["", "V041", "_", "_zz", "_76041", "a/b", "..", "a_ff", "%2e"])
def test_what_is_no_key_has_no_id(key: str) -> None:
    assert id_of(key) is None
