from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.loading import load_collection
from vernissage.errors import CollectionError, RequestError
from vernissage_lab.lists import label_index
from vernissage_lab.tastes import labels_from_collection, labels_from_factors, make_labels

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def works(count: int = 4) -> Collection:
    return Collection([Item(f"w{number}") for number in range(count)], Path())


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "factors.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_factors_become_labels(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufeffsubject, id ,mood\nsea,w2,calm\nwood,w0,\nsea,w3,calm\nsea,w1,wild\nsea,w4,wild\n")
    labels = labels_from_factors(path, works(5))
    assert labels.facets == ("subject", "mood")
    assert labels.categories["subject"] == ("sea", "wood")
    assert labels.codes.tolist() == [[1, -1], [0, 1], [0, 0], [0, 0], [0, 1]]


def test_columns_without_categories_are_left_out_and_named(tmp_path: Path) -> None:
    path = table(tmp_path, "id,subject,title,licence\nw0,sea,A,CC0\nw1,sea,B,CC0\nw2,wood,C,CC0\nw3,wood,D,CC0\n")
    labels = labels_from_factors(path, works())
    assert labels.facets == ("subject",)
    assert labels.left_out == {"title": "has 4 categories for 4 works", "licence": "has 1 categories"}


def test_works_without_a_row_have_no_label(tmp_path: Path) -> None:
    labels = labels_from_factors(table(tmp_path, "id,a\nw0,x\nw1,y\nw2,x\nw3,y\n"), works(5))
    assert labels.codes[4].tolist() == [-1]
    assert labels.labelled == {"w0", "w1", "w2", "w3"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("work,subject\nw0,sea\n", "no column id; its columns are work, subject"),
        ("", "no column id; its columns are none"),
        ("id,subject\nw0,sea\nw9,sea\nw8,sea\n", "names 2 works that the collection lacks \\(w9, w8\\)"),
        ("id,subject\nw0,sea\nw0,wood\n", "more than once: w0"),
        ("id\nw0\n", "there is none beside id"),
        ("id,subject\nw0,sea\nw1,sea\n", "subject has 1 categories"),
        ("id,a,a\nw0,sea,x\n", "column twice"),
    ],
)
def test_tables_that_are_no_factors_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CollectionError, match=message):
        labels_from_factors(table(tmp_path, text), works())


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="cannot read the factors"):
        labels_from_factors(tmp_path / "absent.csv", works())
    (tmp_path / "latin.csv").write_bytes("id,subject\nw0,Mühle\n".encode("latin-1"))
    with pytest.raises(CollectionError, match="UTF-8"):
        labels_from_factors(tmp_path / "latin.csv", works())


def museum(**columns: Sequence[str]) -> Collection:
    count = len(next(iter(columns.values())))
    fields = {"group", "artist", "medium", "owner"}
    return Collection(
        [
            Item(
                f"w{number}",
                attributes={name: values[number] for name, values in columns.items() if name not in fields},
                **{name: values[number] for name, values in columns.items() if name in fields},
            )
            for number in range(count)
        ],
        Path(),
    )


def test_facets_are_chosen_by_rule() -> None:
    collection = museum(
        group=["a", "a", "b", "b"] * 2,
        artist=["Monet", "Monet", "Degas", "Degas", "Manet", "unknown", "Unknown  artist", "Unknown artist"],
        department=["A.", "A.", "B.", "B."] * 2,
        style=["x", "y", "y", "x"] * 2,
        rare=["x", "x"] + [""] * 6,
        two_rare=["x", "y", "x", "y"] + [""] * 4,
        height=["10", "12.5", "10", "12.5"] * 2,
        wall_text=["A long story of many words, told at leisure and at length, twice."] * 5 + ["Short."] * 3,
        source=[f"url{number}" for number in range(8)],
        owner=["u1", "u2"] * 4,
    )
    labels = labels_from_collection(collection)
    assert labels.facets == ("group", "artist", "style", "two_rare")
    assert labels.categories["artist"] == ("Degas", "Monet")
    assert labels.left_out == {
        "owner": "says who brought the work, not what it is",
        "department": "says the same as group",
        "height": "holds numbers",
        "rare": "has 1 categories that works share",
        "source": "has 0 categories that works share",
        "wall_text": "is free text",
    }


@pytest.mark.skipif(not DATA.is_dir(), reason="the real collections are not beside the checkout")
@pytest.mark.parametrize(
    ("name", "facets"),
    [
        ("paintings_aic", ("group", "artist")),
        ("cma_text_open", ("group", "artist", "medium", "culture")),
        ("tate_text", ("group", "artist", "genre", "style")),
    ],
)
def test_facets_of_real_exports(name: str, facets: tuple[str, ...]) -> None:
    assert labels_from_collection(load_collection(DATA / name)).facets == facets


def test_a_facet_may_be_named() -> None:
    collection = museum(group=["a", "a", "b", "b"], height=["10", "12", "10", "12"], source=list("abcd"))
    assert labels_from_collection(collection, ["Height"]).categories == {"height": ("10", "12")}
    with pytest.raises(RequestError, match="no facet 'mood'; choose from group, height"):
        labels_from_collection(collection, ["mood"])
    with pytest.raises(RequestError, match="no facet was named; choose from group, height"):
        labels_from_collection(collection, [])
    with pytest.raises(RequestError, match="fewer than 2 categories that works share in the facet 'group'"):
        labels_from_collection(museum(group=["a", "a", "b"], medium=["a", "b", "c"]), ["group"])


def test_a_collection_without_categories_is_refused() -> None:
    with pytest.raises(RequestError, match="its works have no columns"):
        labels_from_collection(works())
    with pytest.raises(RequestError, match="group has 1 categories"):
        labels_from_collection(museum(group=["a", "a"]))


def test_distances_count_the_facets_that_differ() -> None:
    labels = make_labels(["a", "b", "c"], {"one": ["x", "x", "y"], "two": ["p", "q", ""]})
    rows = np.arange(3)
    assert labels.distances(rows, rows).tolist() == [[0, 0.5, 1], [0.5, 0, 1], [1, 1, 0]]


def test_labels_in_another_order_stay_with_their_works() -> None:
    labels = make_labels(["a", "b", "c"], {"one": ["x", "x", "y"]})
    assert labels.of(["c", "a"]).codes.tolist() == [[1], [0]]


def test_the_label_index_measures_shared_categories() -> None:
    labels = make_labels(["a", "b", "c"], {"one": ["x", "x", "y"], "two": ["p", "q", ""]})
    vectors = label_index(labels).vectors_of(["a", "b", "c"]).astype(float)
    assert vectors @ vectors.T == pytest.approx(np.array([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]))


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RequestError, match="2 values for 3 works"):
        make_labels(["a", "b", "c"], {"one": ["x", "y"]})
    with pytest.raises(RequestError, match="1 categories"):
        make_labels(["a", "b"], {"one": ["x", "x"]})
    with pytest.raises(RequestError, match="no facet"):
        make_labels(["a", "b"], {})
