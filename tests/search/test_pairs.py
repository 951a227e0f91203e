import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.encoders.tiny_blip import save_folder

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.loading import load_collection
from vernissage.encoders.contract import unit_rows
from vernissage.encoders.towers.blip import load_blip
from vernissage.errors import ProvenanceError, RequestError, UnknownItemError
from vernissage.search.pair_matrix import PairMatrix
from vernissage.search.pairs import LEAST, PairScorer, below, build_pair_matrix, pair_rows
from vernissage.search.vectors import card_file, make_vector_table
from vernissage.values import Vectors

COLOURS = {
    "red": (250, 10, 10), "rose": (230, 60, 90), "green": (10, 240, 20), "olive": (90, 130, 20),
    "blue": (20, 10, 245), "navy": (10, 10, 110), "white": (250, 250, 250),
}  # fmt: skip


class ColourScorer:
    """Knows the colours: a picture's state is its mean colour, and a text says the name of one."""

    name = "colours"
    fingerprint = "as above"

    def __init__(self, most_blocks: int | None = None) -> None:
        self.read: list[tuple[int, int]] = []
        self.encoded = 0
        self.most_blocks = most_blocks

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        return unit_rows(np.array([COLOURS[text.split()[-1]] for text in texts]))

    def image_states(self, images: Sequence[Image.Image]) -> np.ndarray:
        return np.array([np.asarray(image).mean(axis=(0, 1)) for image in images], dtype=np.float32)

    def image_vectors(self, states: np.ndarray) -> Vectors:
        return unit_rows(states)

    def itm_block(self, states: np.ndarray, texts: Sequence[str]) -> Vectors:
        if self.most_blocks is not None and len(self.read) >= self.most_blocks:
            raise KeyboardInterrupt
        self.read.append((len(states), len(texts)))
        named = np.array([COLOURS[text.split()[-1]] for text in texts], dtype=np.float32)
        return np.exp(-np.abs(states[:, None] - named).mean(axis=2) / 8).astype(np.float32)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """A picture and a text in each colour; beside them one work without a picture and one without a text."""
    folder = tmp_path_factory.mktemp("colours")
    (folder / "images").mkdir()
    rows = ["id,title,picture", "grey,all grey,"]
    for colour, value in COLOURS.items():
        Image.new("RGB", (9, 7), value).save(folder / "images" / f"{colour}.png")
        rows.append(f"{colour},it is {colour},images/{colour}.png")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    loaded = load_collection(folder)
    mute = Item("mute", picture="images/red.png", picture_digest="r")
    return Collection([*loaded, mute], loaded.folder)


def exact(row: str, column: str) -> float:
    return float(np.exp(-np.abs(np.subtract(COLOURS[row], COLOURS[column])).mean() / 8))


def test_a_scorer_is_one(tmp_path: Path) -> None:
    assert isinstance(ColourScorer(), PairScorer)
    assert isinstance(load_blip(save_folder(tmp_path)), PairScorer)


@pytest.mark.parametrize("block", [1, 3, 64])
def test_all_pairs_are_read_and_found_by_id(works: Collection, tmp_path: Path, block: int) -> None:
    scorer = ColourScorer()
    pairs = build_pair_matrix(scorer, works, folder=tmp_path, block=block)
    assert pairs.item_ids == pairs.card.row_ids == tuple(COLOURS)
    assert sum(rows * columns for rows, columns in scorer.read) == 49
    for row in COLOURS:
        for column in COLOURS:
            value = pairs.rows([row])[0, pairs.item_ids.row(column)]
            assert value == pytest.approx(exact(row, column), rel=1e-5)
    assert (pairs.card.scorer, pairs.card.pairs, pairs.card.collection) == ("colours", None, works.fingerprint)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_nearest_texts_are_read_and_the_others_stay_in_order_below(
    works: Collection, tmp_path: Path, count: int
) -> None:
    scorer = ColourScorer()
    pairs = build_pair_matrix(scorer, works, folder=tmp_path, pairs=count, block=2)
    assert sum(rows * columns for rows, columns in scorer.read) == 7 * count
    cosines = unit_rows(np.array(list(COLOURS.values()))) @ unit_rows(np.array(list(COLOURS.values()))).T
    for row, colour in enumerate(COLOURS):
        near = np.argsort(-cosines[row], kind="stable")[:count]
        rest = np.argsort(-cosines[row], kind="stable")[count:]
        values = pairs.rows([colour])[0]
        assert values[near] == pytest.approx([exact(colour, list(COLOURS)[other]) for other in near], rel=1e-5)
        assert values[rest].max() < values[near].min()
        assert (np.diff(values[rest]) < 0).all()
        assert values.min() >= 0


def test_as_many_pairs_as_texts_is_all_of_them(works: Collection, tmp_path: Path) -> None:
    whole = build_pair_matrix(ColourScorer(), works, folder=tmp_path / "all")
    more = build_pair_matrix(ColourScorer(), works, folder=tmp_path / "more", pairs=7)
    assert more.card == whole.card
    assert np.array_equal(more.values, whole.values)


@given(
    st.floats(LEAST, 1),
    st.lists(st.floats(-1.001, 1.001), min_size=2, max_size=20),
)
def test_what_was_not_read_stands_below_in_the_order_of_cosines(floor: float, cosines: list[float]) -> None:
    values = below(np.sort(cosines), floor)
    assert (values.astype(np.float32) < np.float32(floor)).all()
    assert (np.diff(values) >= 0).all()
    assert (values >= 0).all()


@pytest.mark.parametrize("count", [None, 3])
def test_a_killed_build_goes_on_and_ends_in_the_same_bytes(
    works: Collection, tmp_path: Path, count: int | None
) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    whole = ColourScorer()
    build_pair_matrix(whole, works, folder=straight, pairs=count, block=2)
    with pytest.raises(KeyboardInterrupt):
        build_pair_matrix(ColourScorer(most_blocks=5 if count else 2), works, folder=broken, pairs=count, block=2)
    assert [file.suffix for file in broken.iterdir()] == [".blocks"]
    rest = ColourScorer()
    build_pair_matrix(rest, works, folder=broken, pairs=count, block=2)
    # Two of four blocks were whole; of the third, one picture of two was done when it was killed, and is done again.
    assert len(rest.read) == (3 if count else 2)
    assert rest.encoded == 0
    assert whole.encoded == (7 if count else 0)
    made = {file.name: file.read_bytes() for file in straight.iterdir()}
    assert {file.name: file.read_bytes() for file in broken.iterdir()} == made
    assert len(made) == 3


def test_a_finished_matrix_is_not_computed_again_and_a_damaged_one_is(works: Collection, tmp_path: Path) -> None:
    first = np.array(build_pair_matrix(ColourScorer(), works, folder=tmp_path).values)
    again = ColourScorer()
    build_pair_matrix(again, works, folder=tmp_path)
    assert again.read == []
    file = next(tmp_path.glob("*.npy"))
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    mended = build_pair_matrix(again, works, folder=tmp_path)
    assert len(again.read) == 2
    assert np.array_equal(mended.values, first)


def test_a_damaged_block_is_computed_again(works: Collection, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build_pair_matrix(ColourScorer(most_blocks=2), works, folder=tmp_path, block=2)
    kept = sorted(tmp_path.glob("*.blocks/*.npy"))
    assert len(kept) == 2
    kept[0].write_bytes(b"cut")
    scorer = ColourScorer()
    pairs = build_pair_matrix(scorer, works, folder=tmp_path, block=2)
    assert len(scorer.read) == 3
    assert pairs.rows(["red"])[0, 0] == pytest.approx(1, rel=1e-5)


def test_other_settings_and_works_have_other_files(works: Collection, tmp_path: Path) -> None:
    build_pair_matrix(ColourScorer(), works, folder=tmp_path)
    build_pair_matrix(ColourScorer(), works, folder=tmp_path, pairs=2)
    fewer = Collection(works.items[:5], works.folder)
    assert build_pair_matrix(ColourScorer(), fewer, folder=tmp_path).values.shape == (4, 4)
    assert len(list(tmp_path.glob("*.npy"))) == 3


def test_rows_on_demand_are_those_of_the_matrix(works: Collection, tmp_path: Path) -> None:
    whole = build_pair_matrix(ColourScorer(), works, folder=tmp_path)
    scorer = ColourScorer()
    rows = pair_rows(scorer, ["blue", "grey", "red", "nobody", "mute"], works)
    assert rows.item_ids == whole.item_ids
    assert set(rows.card.row_ids) == {"blue", "red"}
    assert np.array_equal(rows.rows(["blue", "red"]), whole.rows(["blue", "red"]))
    assert len(scorer.read) == 2
    with pytest.raises(RequestError, match="pictures of green were not compared"):
        rows.rows(["green"])
    assert pair_rows(scorer, ["grey"], works).values.shape == (0, 7)


def test_vectors_that_are_there_are_used(works: Collection, tmp_path: Path) -> None:
    def table(fingerprint: str, **colours: Any) -> Any:
        named = COLOURS | colours
        vectors = unit_rows(np.array([named[colour] for colour in reversed(COLOURS)]))
        return make_vector_table(
            vectors, list(reversed(COLOURS)), [""] * 7, encoder="colours", fingerprint=fingerprint, modality="text",
            collection=works.fingerprint,
        )  # fmt: skip

    scorer = ColourScorer()
    own = build_pair_matrix(scorer, works, folder=tmp_path / "own", pairs=2)
    folder, other = tmp_path / "given", ColourScorer()
    given_ = build_pair_matrix(other, works, folder=folder, pairs=2, text_vectors=table("as above"))
    assert (scorer.encoded, other.encoded) == (7, 0)
    assert np.array_equal(given_.values, own.values)
    with pytest.raises(ProvenanceError, match="fingerprint"):
        build_pair_matrix(ColourScorer(), works, folder=folder, pairs=2, text_vectors=table("another's"))


def test_progress_tells_pairs_done_and_their_total(works: Collection, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    build_pair_matrix(ColourScorer(), works, folder=tmp_path, block=3, progress=lambda *each: told.append(each))
    step = "Reading pictures and texts together with colours"
    assert told == [(step, 0, 49), (step, 21, 49), (step, 42, 49), (step, 49, 49)]
    told.clear()
    build_pair_matrix(
        ColourScorer(), works, folder=tmp_path, pairs=2, block=4, progress=lambda *each: told.append(each)
    )
    assert told[-3:] == [(step, 0, 14), (step, 8, 14), (step, 14, 14)]


def test_saved_pairs_come_back_and_damage_is_told(works: Collection, tmp_path: Path) -> None:
    rows = pair_rows(ColourScorer(), ["red", "navy"], works)
    rows.save(tmp_path / "rows")
    again = PairMatrix.load(tmp_path / "rows")
    assert again.card == rows.card
    assert np.array_equal(again.values, rows.values)
    assert again.require(fingerprint="as above", collection=works.fingerprint) is again
    with pytest.raises(ProvenanceError, match="made with fingerprint as above, but the workspace has another"):
        again.require(fingerprint="another", collection=works.fingerprint)
    content = json.loads(card_file(tmp_path / "rows").read_text())
    card_file(tmp_path / "rows").write_text(json.dumps({**content, "more": 1}))
    with pytest.raises(ProvenanceError, match="no card of pairs"):
        PairMatrix.load(tmp_path / "rows")
    with pytest.raises(ProvenanceError, match="float32"):
        PairMatrix(rows.values[:1], rows.card)
    with pytest.raises(UnknownItemError, match="grey"):
        rows.rows(["grey"])


def test_what_cannot_be_done_is_refused(works: Collection, tmp_path: Path) -> None:
    for wrong in ({"pairs": 0}, {"block": 0}):
        with pytest.raises(RequestError, match="ask for 1 or more"):
            build_pair_matrix(ColourScorer(), works, folder=tmp_path, **wrong)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="no work has both"):
        build_pair_matrix(ColourScorer(), Collection([works["grey"]], works.folder), folder=tmp_path)


def test_blip_reads_pairs_as_by_itself(works: Collection, tmp_path: Path) -> None:
    blip = load_blip(save_folder(tmp_path / "blip"))
    pairs = build_pair_matrix(blip, works, folder=tmp_path, block=3)
    images = [Image.new("RGB", (9, 7), value) for value in COLOURS.values()]
    texts = [works[colour].text for colour in COLOURS]
    assert pairs.values == pytest.approx(blip.itm_block(blip.image_states(images), texts), abs=1e-6)
    near = build_pair_matrix(blip, works, folder=tmp_path, pairs=3)
    cosines = blip.encode_images(images) @ blip.encode_texts(texts).T
    names = np.argsort(
        np.argsort(list(COLOURS))
    )  # texts of unknown words alone are equal, and ties go to the smaller id
    for row in range(7):
        best = np.lexsort((names, -cosines[row].round(5)))[:3]
        assert near.values[row, best] == pytest.approx(pairs.values[row, best], abs=1e-6)
        assert (np.sort(near.values[row])[:4] < near.values[row, best].min()).all()


class SizeScorer(ColourScorer):
    """Remembers the sizes of the pictures that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def image_states(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.sizes += [image.size for image in images]
        return super().image_states(images)


def test_large_pictures_are_read_from_drafts_unless_told_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "large"
    folder.mkdir()
    Image.new("RGB", (3200, 1600), COLOURS["red"]).save(folder / "red.jpg")
    (folder / "metadata.csv").write_text("id,title,picture\nlarge,it is red,red.jpg\n")
    works, scorer = load_collection(folder), SizeScorer()
    build_pair_matrix(scorer, works, folder=tmp_path / "pairs")
    build_pair_matrix(scorer, works, folder=tmp_path / "pairs", draft=False)
    pair_rows(scorer, ["large"], works, draft=False)
    assert scorer.sizes == [(1600, 800), (3200, 1600), (3200, 1600)]
