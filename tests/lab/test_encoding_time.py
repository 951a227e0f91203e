"""Encoders that count what they are asked, so that it is known who must have encoded what, and how often."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.galleries import toy_gallery

from vernissage.catalog.loading import load_collection
from vernissage.cli.main import main
from vernissage.encoders.contract import EncoderState, unit_rows
from vernissage.errors import RequestError
from vernissage.values import Modality, Vectors
from vernissage.workspace.build import build_workspace
from vernissage_lab.cells import Cells
from vernissage_lab.datasets.kinds import open_dataset
from vernissage_lab.recipes.encoding_time import (
    EncodingTimeOptions,
    TimedWorks,
    drawn_works,
    fitted_method,
    pictures_of,
    run_encoding_time,
    tables_of,
    views_of,
    works_of_collection,
    works_of_set,
)
from vernissage_lab.tables import Row, read_table, where
from vernissage_lab.timing import on_threads, timed

OPTIONS = EncodingTimeOptions(Path(), rounds=2, batch=4)


@dataclass
class Colours:
    """Mean colours of pictures; of texts three counts. What it was called with, in order, is in ``calls``."""

    name: str = "colours"
    log: list[tuple[str, int]] = field(default_factory=list)

    dim = 3
    modalities: frozenset[Modality] = frozenset({"image", "text"})
    fingerprint = "f"

    @property
    def state(self) -> EncoderState:
        return EncoderState(self.name, {}, {"fitted": np.zeros((5, 3))})

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        self.log.append((self.name, len(images)))
        return self._rows(np.array([np.asarray(image).reshape(-1, 3).mean(axis=0) for image in images]))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        self.log.append((self.name, len(texts)))
        return self._rows(np.array([[len(text), text.count("a"), 1] for text in texts], dtype=np.float64))

    def _rows(self, rows: Any) -> Vectors:
        return unit_rows(rows)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_gallery(tmp_path_factory.mktemp("encoding") / "gallery", count=60)


@pytest.fixture
def works(gallery: Path) -> TimedWorks:
    return works_of_collection(load_collection(gallery), "toy", 10, seed=1)


def times(works: TimedWorks, *encoders: Colours, options: EncodingTimeOptions = OPTIONS, **how: Any) -> list[Row]:
    methods = [fitted_method(each.name, each) for each in encoders]
    cells = how.get("cells") or Cells()
    return list(run_encoding_time(works, methods, options, cells).tables["times"])


def test_works_are_drawn_by_seed_and_id_and_are_the_same_for_both_modalities(gallery: Path) -> None:
    collection = load_collection(gallery)
    drawn = works_of_collection(collection, "toy", 10, seed=1)
    of_text = {item.text: item for item in collection}
    assert [path.stem for path in drawn.pictures] == [of_text[text].id for text in drawn.texts]
    assert len(set(drawn.pictures)) == 10
    assert works_of_collection(collection, "toy", 10, seed=1) == drawn
    assert works_of_collection(collection, "toy", 4, seed=1).pictures == drawn.pictures[:4]
    assert works_of_collection(collection, "toy", 10, seed=2).pictures != drawn.pictures
    assert len(drawn.all_texts) == 60
    found = open_dataset("gallery", gallery)
    assert {path.name for path in works_of_set(found, 10, seed=1).pictures} == {path.name for path in drawn.pictures}


def test_texts_alone_are_drawn_where_there_are_no_pictures() -> None:
    entries = [(f"w{number}", None, f"text {number}" if number % 2 else " ") for number in range(10)]
    drawn = drawn_works(entries, 20, name="texts", fingerprint="", seed=0)
    assert drawn.modalities == ("text",)
    assert sorted(drawn.texts) == [f"text {number}" for number in range(1, 10, 2)]
    with pytest.raises(RequestError, match="no pictures and no texts to be encoded"):
        drawn_works([("w", None, " ")], 20, name="nothing", fingerprint="", seed=0)
    with pytest.raises(RequestError, match="0 works"):
        drawn_works(entries, 0, name="texts", fingerprint="", seed=0)


def test_every_method_encodes_every_work_one_by_one_and_in_batches_in_every_round(works: TimedWorks) -> None:
    rows = times(works, Colours("one"), Colours("two"))
    assert len(rows) == 2 * 2 * ((10 + 3) + (10 + 1))  # rounds, methods, pictures in batches of 4, texts together
    for contender in ("one", "two"):
        for modality in ("image", "text"):
            for number in (0, 1):
                mine = where(rows, contender=contender, modality=modality, round=number)
                alone, at_once = where(mine, way="one by one"), where(mine, way="batch")
                assert [(row["first"], row["works"]) for row in alone] == [(work, 1) for work in range(10)]
                expected = [(0, 4, 4), (4, 4, 4), (8, 2, 2)] if modality == "image" else [(0, 10, 10)]
                assert [(row["first"], row["works"], row["at_once"]) for row in at_once] == expected
    decoded = [float(row["decode_wall_ms"]) for row in rows if row["modality"] == "image"]
    assert min(decoded) > 0
    assert {row["decode_wall_ms"] for row in where(rows, modality="text")} == {0.0}
    assert {(row["weights"], row["device"], row["dim"], row["parameters"]) for row in rows} == {
        ("fitted", "cpu", 3, 15)
    }


def test_methods_take_turns_batch_by_batch_after_warming_up(works: TimedWorks) -> None:
    log: list[tuple[str, int]] = []
    pictures = replace(works, texts=())
    encoders = [Colours(name, log) for name in ("a", "b")]
    times(pictures, *encoders, options=EncodingTimeOptions(Path(), rounds=1, batch=5))
    once = {name: [(name, 1)] * 5 + [(name, 5)] for name in ("a", "b")}
    warm = [("a", 1), ("a", 1), ("a", 5), ("b", 1), ("b", 1), ("b", 5)]
    assert log == [*warm, *once["a"], *once["b"], *once["b"], *once["a"]]


def test_a_summary_is_median_and_95th_percentile_of_one_work() -> None:
    """Two batches of 4 and 1 works: 8 ms and 1 ms of CPU, of which 2 and 1 are decoding, in twice that by the clock."""
    common: dict[str, Any] = {
        "contender": "c",
        "encoder": "c",
        "weights": "untrained",
    }
    common |= {"device": "cpu", "dim": 3, "parameters": 15, "modality": "image", "way": "batch", "round": 0}
    spans = ((0, 4, 2.0, 6.0), (4, 1, 1.0, 0.0))
    rows: list[Row] = [
        {**common, "first": first, "works": works, "at_once": works}
        | {"decode_cpu_ms": decode, "decode_wall_ms": 2 * decode, "encode_cpu_ms": encode, "encode_wall_ms": 2 * encode}
        for first, works, decode, encode in spans
    ]
    alone: list[Row] = [{**rows[1], "way": "one by one", "first": number, "encode_cpu_ms": 9.0} for number in range(5)]
    summary = where(tables_of([*alone, *rows])["summary"], way="batch")[0]
    assert (summary["works"], summary["calls"], summary["at_once"]) == (5, 2, 4)
    assert summary["cpu_median_ms"] == pytest.approx(np.median([8 / 4, 1 / 1]))
    assert summary["cpu_p95_ms"] == pytest.approx(1 + 0.95 * (2 - 1))
    assert summary["wall_median_ms"] == pytest.approx(3.0)
    assert summary["decode_cpu_median_ms"] == pytest.approx(np.median([2 / 4, 1 / 1]))
    assert summary["works_per_cpu_second"] == pytest.approx(1000 * 5 / 9)
    assert summary["works_per_second"] == pytest.approx(1000 * 5 / 18)
    table = views_of(tables_of([*alone, *rows]))[0]
    assert table.rows[0][-1] == "1.00"
    assert table.rows[1][-1] == f"{(5 / 9) / (1 / 10):.2f}"


def test_on_a_gpu_gain_and_numbers_are_the_clocks(works: TimedWorks) -> None:
    rows = [{**row, "device": "cuda", "encode_wall_ms": 7.0, "decode_wall_ms": 1.0} for row in times(works, Colours())]
    tables = tables_of(rows)
    image = views_of(tables)[0]
    assert "clock on a GPU" in image.note
    assert [row[-1] for row in image.rows] == ["1.00", f"{10 / 3:.2f}"]  # three batches in the time of three works
    alt = pictures_of(tables)["encoding-time"].alt
    assert "Pictures, from file to vector, colours, one by one 8;" in alt


def test_clocks_are_read_when_the_device_has_settled() -> None:
    events: list[str] = []

    def cpu() -> float:
        events.append("clock")
        return 1.5 * events.count("clock")

    found = timed(lambda: events.append("call"), cpu=cpu, settled=lambda: events.append("settled"))
    assert events == ["settled", "clock", "call", "settled", "clock"]
    assert found.cpu_ms == 1500


def test_threads_are_set_and_set_back() -> None:
    torch, opencv = pytest.importorskip("torch"), pytest.importorskip("cv2")
    before = torch.get_num_threads(), opencv.getNumThreads()
    with on_threads(3):
        assert (torch.get_num_threads(), opencv.getNumThreads()) == (3, 3)
    assert (torch.get_num_threads(), opencv.getNumThreads()) == before


def test_a_killed_run_goes_on_and_another_company_is_timed_anew(works: TimedWorks, tmp_path: Path) -> None:
    part = Cells(tmp_path, most=2)
    assert {row["first"] for row in times(works, Colours(), cells=part)} == set(range(8))
    assert (part.made, part.skipped) == (2, 6)
    rest = Cells(tmp_path)
    assert len(times(works, Colours(), cells=rest)) == 2 * (13 + 11)
    assert (rest.made, rest.read) == (6, 2)
    more = Cells(tmp_path)
    times(works, Colours(), Colours("another"), cells=more)
    assert (more.made, more.read) == (8, 0)


def test_notes_say_what_is_left_out(works: TimedWorks) -> None:
    texts = drawn_works([(text, None, text) for text in works.texts], 20, name="t", fingerprint="", seed=0)
    blind, both = Colours("blind"), Colours("both")
    blind.modalities = frozenset({"image"})
    methods = [fitted_method(each.name, each) for each in (blind, both)]
    notes = run_encoding_time(texts, methods, OPTIONS, Cells()).notes
    assert notes == (
        "t has no pictures here: the other modality alone is timed",
        "10 texts are timed, all that there are; 20 were asked for",
        "left out, because they read nothing that there is: blind",
    )
    with pytest.raises(RequestError, match="there are texts to be encoded, which none"):
        run_encoding_time(texts, methods[:1], OPTIONS, Cells())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rounds": 0}, "--rounds 0"),
        ({"batch": 0}, "--batch 0"),
        ({"threads": 0}, "--threads 0"),
    ],
)
def test_options_that_cannot_be_are_refused(works: TimedWorks, wrong: dict[str, int], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        times(works, Colours(), options=EncodingTimeOptions(Path(), **wrong))


@pytest.fixture(scope="module")
def workspace(gallery: Path) -> Path:
    build_workspace(gallery, gallery.parent / "workspace", encoders=["lsa", "colour-texture", "aligned"])
    return gallery.parent / "workspace"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str | int | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main(["experiment", "run", "encoding-time", *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.err if code else captured.out + captured.err

    return call


IMAGE_ENCODERS = ("aligned", "colour-texture", "conse", "efficientnet-lite0", "efficientnet-lite0-pooled")
TEXT_ENCODERS = ("aligned", "conse", "lsa", "wordllama")


def test_the_command_times_all_encoders_of_a_workspace(run: Any, workspace: Path, tmp_path: Path) -> None:
    printed = run(workspace, "--works", 5, "--batch", 2, "--rounds", 1, "-o", tmp_path)
    assert "Pictures: 5 works" in printed
    assert "Texts: 5 works" in printed
    summary = read_table(tmp_path, "summary")
    timed_pairs = {(row["contender"], row["modality"]) for row in summary}
    names = {"image": IMAGE_ENCODERS, "text": TEXT_ENCODERS}
    assert timed_pairs == {(name, modality) for modality, some in names.items() for name in some}
    assert {row["weights"] for row in summary} == {"fitted"}
    record = json.loads((tmp_path / "record.json").read_text())
    assert {each["encoder"] for each in record["inputs"]} == {*IMAGE_ENCODERS, *TEXT_ENCODERS}
    assert record["tables"].keys() == {"times", "summary"}
    assert (tmp_path / "encoding-time.png").stat().st_size > 10_000


def test_what_a_data_set_is_timed_with_is_fitted_on_it(run: Any, gallery: Path, tmp_path: Path) -> None:
    run(gallery, "--kind", "gallery", "--works", 4, "--rounds", 1, "-o", tmp_path)
    (alone, at_once) = where(read_table(tmp_path, "summary"), modality="text")
    assert (alone["contender"], alone["weights"], alone["modality"]) == ("aligned", "fitted", "text")
    assert (alone["calls"], at_once["calls"], at_once["at_once"]) == (4, 1, 4)
    (workspace,) = (tmp_path / "models").iterdir()
    fitted = {path.name.rpartition("-")[0] for path in (workspace / "models").iterdir()}
    assert fitted == {*IMAGE_ENCODERS, *TEXT_ENCODERS, "efficientnet-lite0-network"}


def test_untrained_is_said_wherever_such_a_network_stands(
    run: Any, gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("COLUMNS", "200")  # else names are folded in a narrow terminal
    sizes = ("--works", 3, "--batch", 3, "--rounds", 1)
    printed = run(gallery, "--kind", "gallery", "--untrained", "resnet50", *sizes, "-o", tmp_path)
    assert printed.count("untrained resnet50") == 3  # twice in times, once in the note
    assert "untrained resnet50 has random weights: for timing alone" in printed
    for name in ("times", "summary"):
        assert {(row["contender"], row["weights"]) for row in read_table(tmp_path, name)} == {
            ("untrained resnet50", "untrained")
        }
    assert {row["parameters"] for row in read_table(tmp_path, "summary")} == {25_557_032}
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["inputs"][0]["encoder"] == "untrained resnet50"
    assert record["inputs"][0]["weights"] == "untrained"
    assert "untrained resnet50" in record["figures"]["encoding-time"]
    with pytest.raises(SystemExit):
        main(["experiment", "report", str(tmp_path), "-o", str(tmp_path / "page.html")])
    assert "untrained resnet50" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-e", "nothing"), "no encoder 'nothing'; choose from lda"),
        (("-e", "lda"), "has nothing of 'lda'"),
        (("--untrained", "nothing"), "no untrained network can be made of 'nothing'; choose from clip-vit-base-patch32"),
        (("--untrained", "siglip2-base-patch16-224"), "no untrained network can be made of 'siglip2"),
        (("--untrained", "resnet50", "--weights", "x.pth"), "untrained networks and fitted encoders take none"),
        (("-e", "minilm", "--weights", "clip=x"), "--weights clip=x is for no encoder that is asked for"),
        (("--untrained", "resnet50", "--device", "quantum"), "the device 'quantum' is not there"),
        (("--works", "0"), "0 works were asked for"),
        (("--rounds", "0"), "--rounds 0 cannot be"),
    ],
)  # fmt: skip
def test_bad_words_are_refused_in_one_line_and_nothing_is_written(
    run: Any, workspace: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    pytest.importorskip("torch")
    told = run(workspace, *words, "-o", tmp_path / "out", code=1)
    assert message in told
    assert len(told.strip().splitlines()) == 1
    assert not (tmp_path / "out" / "record.json").exists()
