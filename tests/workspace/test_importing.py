"""Vectors that others have published become a workspace, and come back from it bit for bit."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.published import GROUPS, MODELS, SCHEMA, WORKS, published, row_of, rows_of, vectors_of, write_rows

from vernissage.catalog.loading import load_collection
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.feed import FeedChanges
from vernissage.cli.main import main
from vernissage.encoders.contract import unit_rows
from vernissage.errors import CollectionError, EncoderError, ProvenanceError, RequestError
from vernissage.gallery.engines import make_engine
from vernissage.gallery.exporting import export_annotations, export_arrays, export_parquet, vector_sets
from vernissage.gallery.gallery import open_gallery
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.search.vectors import pooled
from vernissage.workspace.build import BuildResult, build_workspace
from vernissage.workspace.checking import check_workspace
from vernissage.workspace.uploading import Submission
from vernissage.workspace.workspace import Workspace, open_workspace

SMALL, LARGE = "museum-small-v1", "museum-large-v1"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("published") / "vectors.parquet")


@pytest.fixture(scope="module")
def result(file: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return build_workspace(file, tmp_path_factory.mktemp("imported") / "workspace")


@pytest.fixture
def imported(result: BuildResult, tmp_path: Path) -> Path:
    return Path(shutil.copytree(result.workspace.path, tmp_path / "workspace"))


def exported(workspace: Workspace, out: Path) -> Path:
    export_parquet(vector_sets(workspace), out)
    return out


def sorted_rows(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: (row["model"], row["depiction_id"]))


def test_works_models_and_words_are_found(result: BuildResult) -> None:
    workspace = result.workspace
    assert workspace.encoder_names == (LARGE, SMALL)
    assert [workspace.table(name, "image").dim for name in (SMALL, LARGE)] == [8, 12]
    assert list(workspace.collection.ids) == [f"work/{number}" for number in range(WORKS)]
    item = workspace.collection["work/4"]
    assert (item.title, item.artist, item.licence) == ("Garden 4", "Ann Painter", "In copyright")
    assert item.picture_link == "https://museum.example.org/pictures/4.jpg"
    assert item.attributes["link"] == "https://museum.example.org/works/4"
    assert not item.year, "created is when a vector was made, not a work"
    assert check_workspace(workspace.path).is_sound


def test_a_works_pictures_are_pooled_as_elsewhere(result: BuildResult) -> None:
    for model, name in zip(MODELS, (SMALL, LARGE), strict=True):
        table, rows = result.workspace.table(name, "image"), vectors_of(model)
        several = unit_rows(rows[[1, 1 + GROUPS, 1 + 2 * GROUPS]])
        assert np.array_equal(table.vectors_of(["work/1"]), pooled(several, np.zeros(3, np.intp)))
        assert np.allclose(table.vectors_of(["work/2"]), unit_rows(rows[[2]]), atol=1e-7)
    kept = result.workspace.table(SMALL, "image").vectors_of(["work/2"])
    assert kept.tobytes() == vectors_of("museum/small-v1")[2].tobytes(), "a unit row stays as it came"


def test_the_default_engine_fuses_all_models(result: BuildResult) -> None:
    for engine in ("late-zscore", SMALL, LARGE, f"{SMALL}+{LARGE}"):
        found = make_engine(result.workspace, engine, 4).recommend(profile_from_ratings({"work/2": 5}, "signed"), 4)
        assert {int(each.removeprefix("work/")) % GROUPS for each in found.ranking.item_ids} == {2}


def test_nothing_else_is_fitted_unless_it_is_named(file: Path, tmp_path: Path) -> None:
    result = build_workspace(file, tmp_path / "workspace", encoders=["lsa"])
    assert result.workspace.encoder_names == ("lsa", LARGE, SMALL) or set(result.workspace.encoder_names) == {
        "lsa", LARGE, SMALL,
    }  # fmt: skip
    with pytest.raises(EncoderError, match="colour-texture needs pictures"):
        build_workspace(file, tmp_path / "workspace", encoders=["colour-texture"])


def test_rows_come_back_bit_for_bit(file: Path, result: BuildResult, tmp_path: Path) -> None:
    again = exported(result.workspace, tmp_path / "once" / "vectors.parquet")
    assert sorted_rows(again) == sorted_rows(file)
    built = build_workspace(again, tmp_path / "workspace").workspace
    assert exported(built, tmp_path / "vectors.parquet").read_bytes() == again.read_bytes()


def test_own_vectors_give_the_same_answers_elsewhere(built: Path, tmp_path: Path) -> None:
    own = open_workspace(built)
    names = [name for name in own.encoder_names if name in ("lsa", "colour-texture", "aligned")]
    (tmp_path / "out").mkdir()
    export_parquet(vector_sets(own, names, "museum.example.org"), tmp_path / "out" / "own.parquet")
    other = build_workspace(tmp_path / "out" / "own.parquet", tmp_path / "workspace").workspace
    assert set(other.encoder_names) == set(names)
    profile = profile_from_ratings({"w000": 5, "w001": 4, "w002": 1}, "signed")
    for name in [*names, "lsa+colour-texture"]:
        rankings = [make_engine(each, name, 9).recommend(profile, 9).ranking for each in (own, other)]
        assert list(rankings[0].item_ids) == list(rankings[1].item_ids)
        assert np.array_equal(rankings[0].scores, rankings[1].scores)
    assert other.collection["w003"].title == own.collection["w003"].title
    assert other.collection["w003"].group == own.collection["w003"].group


def test_works_of_a_table_are_joined_by_id(file: Path, tmp_path: Path) -> None:
    table = tmp_path / "table" / "metadata.csv"
    table.parent.mkdir()
    lines = [f"work/{number},Renamed {number},18{number:02d}" for number in range(5)]
    table.write_text("\n".join(["id,title,year", *lines, "work/other,No vector,1900"]))
    result = build_workspace(file, tmp_path / "workspace", works=table)
    works = result.workspace.collection
    assert len(works) == WORKS + 1
    assert (works["work/3"].title, works["work/3"].year, works["work/7"].title) == ("Renamed 3", "1803", "Sea 7")
    assert [each.sentence for each in result.coverage] == [
        f"1 work has no image vector of {LARGE}", f"1 work has no image vector of {SMALL}",
    ] or {each.sentence for each in result.coverage} == {
        f"1 work has no image vector of {LARGE}", f"1 work has no image vector of {SMALL}",
    }  # fmt: skip
    table.write_text("id,title\nx,y\n")
    with pytest.raises(CollectionError, match="no work of .* has an id of"):
        build_workspace(file, tmp_path / "other", works=table)
    with pytest.raises(CollectionError, match="holds no vectors to join"):
        build_workspace(table, tmp_path / "third", works=table)


@pytest.mark.parametrize("form", ["jsonl", "csv", "npy"])
def test_other_formats_are_read_as_well(form: str, tmp_path: Path) -> None:
    rows, source = vectors_of("museum/small-v1"), tmp_path / "source" / f"small.{form}"
    source.parent.mkdir()
    if form == "jsonl":
        lines = [json.dumps({"id": f"w{at}", "title": f"T{at}", "vector": row.tolist()}) for at, row in enumerate(rows)]
        source.write_text("\n".join(lines))
    elif form == "csv":
        lines = [f'w{at},T{at},"{json.dumps(row.tolist())}"' for at, row in enumerate(rows)]
        source.write_text("\n".join(["id,title,vector", *lines]))
    else:
        np.save(source, rows)
        source.with_suffix(".ids.txt").write_text("".join(f"w{at}\n" for at in range(len(rows))))
    workspace = build_workspace(source, tmp_path / "workspace").workspace
    assert np.array_equal(workspace.table("small", "image").vectors, rows)
    assert workspace.collection["w3"].title == ("" if form == "npy" else "T3")


def test_exported_arrays_are_read_again(result: BuildResult, tmp_path: Path) -> None:
    folder = tmp_path / "arrays"
    assert len(export_arrays(vector_sets(result.workspace), folder)) == len(MODELS)
    again = build_workspace(folder, tmp_path / "workspace").workspace
    for name in (SMALL, LARGE):
        assert np.array_equal(again.table(name, "image").vectors, result.workspace.table(name, "image").vectors)


def test_annotations_say_which_model(result: BuildResult, tmp_path: Path) -> None:
    sets = vector_sets(result.workspace)
    pages = export_annotations(sets, tmp_path / "pages", "https://museum.example.org/embeddings/", "urn:{id}")
    assert len(pages) == WORKS
    page = json.loads((tmp_path / "pages" / "work_2f2.json").read_bytes())
    assert page["type"] == "AnnotationPage"
    assert page["id"] == "https://museum.example.org/embeddings/work_2f2.json"
    first = page["items"][0]
    assert (first["motivation"], first["target"]) == ("embedding", "urn:picture/2")
    assert first["body"]["model"]["name"] == "museum/large-v1"
    assert first["body"]["dimensions"] == MODELS["museum/large-v1"]
    assert np.array_equal(np.float32(first["body"]["value"]), vectors_of("museum/large-v1")[2])
    assert {"version", "checksum"} <= first["body"]["model"].keys()
    assert {"preprocessing", "normalized"} <= first["body"].keys()


def test_takedowns_leave_nothing(imported: Path, tmp_path: Path) -> None:
    result = build_workspace(None, imported, changes=FeedChanges({"work/1": None, "work/2": None}))
    assert len(result.workspace.collection) == WORKS - 2
    rows = sorted_rows(exported(result.workspace, tmp_path / "vectors.parquet"))
    assert {row["subject_id"] for row in rows}.isdisjoint({"work/1", "work/2"})
    assert len(rows) == len(MODELS) * (WORKS - 2)
    expected = vectors_of("museum/large-v1")[3]
    assert next(row for row in rows if row["subject_id"] == "work/3")["embeddings"] == expected.tolist()
    assert check_workspace(imported).is_sound
    originals = [file.read_bytes() for file in (imported / "imports").rglob("rows.parquet")]
    assert len(originals) == len(MODELS)
    assert not any(b"picture/1-1" in each for each in originals)


def test_an_interrupted_build_goes_on(file: Path, result: BuildResult, tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    shutil.copytree(result.workspace.path, path)
    for card in (path / "vectors").glob(f"{SMALL}*.card.json"):
        card.unlink()
    before = {each.name: each.stat().st_mtime_ns for each in (path / "vectors").glob(f"{LARGE}*")}
    again = build_workspace(file, path).workspace
    assert {each.name: each.stat().st_mtime_ns for each in (path / "vectors").glob(f"{LARGE}*")} == before
    assert again.fingerprint == result.workspace.fingerprint


def test_words_and_uploads_need_the_model(imported: Path, tmp_path: Path) -> None:
    with open_gallery(imported) as gallery:
        assert gallery.search("Garden").ids
        with pytest.raises(RequestError, match="no encoder of this workspace finds pictures"):
            gallery.search("green", within="pictures")
            with pytest.raises(RequestError, match="were made elsewhere, by a model that this version does not know"):
                gallery.search("green", within="pictures", encoder=SMALL)
            with pytest.raises(
                RequestError, match="can read uploads: the vectors of museum-large-v1 were made elsewhere"
            ):
                gallery.person("ann").upload([Submission(text="a garden with roses", id="u1")])


def altered(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**row, **changes}


BAD = {
    "has 5 numbers where vectors of museum/small-v1 have 8": {"embeddings": [0.5] * 5},
    "has numbers that are not finite": {"embeddings": [float("nan")] + [0.0] * 7},
    "numbers that are not finite": {"embeddings": [3e38] * 8},
    "has 16385 numbers, more than any search here takes": {"embeddings": [0.5] * 16_385},
    "has a vector of zeros": {"embeddings": [0.0] * 8},
    "has length 3 where": {"embeddings": [3.0] + [0.0] * 7},
    "has no vector": {"embeddings": None},
    "names no model": {"model": None},
    "has no subject_id": {"subject_id": "", "depiction_id": "else"},
    "has the depiction_id picture/3 of an earlier row": {"depiction_id": "picture/3"},
}


@pytest.mark.parametrize("what", BAD)
def test_bad_rows_are_left_out_and_listed(what: str, tmp_path: Path) -> None:
    rows = [row_of("museum/small-v1", number, vector) for number, vector in enumerate(vectors_of("museum/small-v1"))]
    rows[5] = altered(rows[5], **BAD[what])
    source = write_rows(tmp_path / "source" / "vectors.parquet", rows)
    result = build_workspace(source, tmp_path / "workspace")
    assert len(result.workspace.collection) == WORKS - 1
    [problem] = result.collection.report.rejected if result.collection.report else ()
    assert problem.row == 6
    assert what in problem.what
    assert what in (tmp_path / "workspace" / "rejected.csv").read_text("utf-8-sig")


def test_too_many_bad_rows_stop_the_build(tmp_path: Path) -> None:
    rows = [row_of("museum/small-v1", number, vector) for number, vector in enumerate(vectors_of("museum/small-v1"))]
    rows[:4] = [altered(row, embeddings=[0.0] * 8) for row in rows[:4]]
    source = write_rows(tmp_path / "source" / "vectors.parquet", rows)
    with pytest.raises(CollectionError, match="4 problems"):
        build_workspace(source, tmp_path / "workspace")
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize("cut", [0.5, 0.999])
def test_a_truncated_file_stops_everything(cut: float, file: Path, tmp_path: Path, imported: Path) -> None:
    source = tmp_path / "source" / "vectors.parquet"
    source.parent.mkdir()
    raw = file.read_bytes()
    source.write_bytes(raw[: int(cut * len(raw))])
    before = (imported / "workspace.json").read_bytes()
    with pytest.raises(CollectionError, match="cannot be read as Parquet"):
        build_workspace(source, imported)
    assert (imported / "workspace.json").read_bytes() == before


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.string(), ['{"subject_title": "Told"}', "no JSON"]),
        (pa.string(), ['[["subject_title", "Told"]]', '[[["a", "list"], "b"]]']),
        (pa.struct([("subject_title", pa.string()), ("n", pa.int64())]), [{"subject_title": "Told", "n": 1}, None]),
        (pa.int64(), [7, None]),
        (pa.map_(pa.string(), pa.int64()), [[("subject_title", 5)], None]),
        (
            pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())])),
            [[{"key": "title", "value": "Told"}], None],
        ),
    ],
)
def test_attributes_of_other_types(kind: Any, values: list[Any], tmp_path: Path) -> None:
    vectors = vectors_of("museum/small-v1")[: len(values)]
    rows = [altered(row_of("m", at, vector), attributes=values[at]) for at, vector in enumerate(vectors)]
    source = write_rows(tmp_path / "source" / "v.parquet", rows, SCHEMA.set(6, pa.field("attributes", kind)))
    works = build_workspace(source, tmp_path / "workspace").workspace.collection
    assert len(works) == len(values)
    assert works["work/0"].title in ("Told", "5", "")


def test_models_may_stand_in_one_column_or_in_several(tmp_path: Path) -> None:
    small, large = (vectors_of(model) for model in MODELS)
    told = {"id": [f"w{at}" for at in range(WORKS)], "dino": list(small), "clip_l": list(large)}
    kinds = [pa.list_(pa.float32(), 8), pa.list_(pa.float64())]
    table = pa.table(
        [
            pa.array(told["id"]),
            pa.array([row.tolist() for row in small], kinds[0]),
            pa.array([row.tolist() for row in large], kinds[1]),
        ],
        names=list(told),
    )
    source = tmp_path / "source" / "v.parquet"
    source.parent.mkdir()
    pq.write_table(table, source)
    result = build_workspace(source, tmp_path / "workspace")
    assert set(result.workspace.encoder_names) == {"dino", "clip-l"}
    assert any(
        "clip_l are kept as float32" in each
        for each in (result.collection.report.remarks if result.collection.report else ())
    )


def test_widths_that_come_to_the_same_are_told_apart(tmp_path: Path) -> None:
    rows = [row_of("museum/small-v1", number, vector) for number, vector in enumerate(vectors_of("museum/small-v1"))]
    rows[2], rows[3] = (altered(rows[at], embeddings=[0.5] * size) for at, size in ((2, 7), (3, 9)))
    source = write_rows(tmp_path / "source" / "v.parquet", rows)
    table = build_workspace(source, tmp_path / "workspace").workspace.table(SMALL, "image")
    assert np.array_equal(table.vectors, np.delete(vectors_of("museum/small-v1"), [2, 3], axis=0))


def table_of(path: Path, **columns: Any) -> Path:
    """A table of as many works as the columns have cells, with their vectors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    vectors = vectors_of("museum/small-v1")[: len(next(iter(columns.values())))]
    pq.write_table(pa.table({**columns, "embedding": pa.array(list(vectors), pa.list_(pa.float32()))}), path)
    return path


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["https://m.org/o/1", "https://m.org/o/2"], ["https://m.org/o/1", "https://m.org/o/2"]),
        ([" no.  1\t", "2\u00a0b\x1b[0m"], ["no. 1", "2 b[0m"]),
        ([b"one", "zwölf".encode()], ["one", "zwölf"]),
        ([1, 22], ["1", "22"]),
    ],
)
def test_every_way_of_writing_ids_meets_its_vectors(ids: list[Any], expected: list[str], tmp_path: Path) -> None:
    source = table_of(tmp_path / "source" / "v.parquet", id=ids)
    workspace = build_workspace(source, tmp_path / "workspace").workspace
    assert list(workspace.collection.ids) == expected
    assert np.array_equal(workspace.table("v", "image").vectors_of(expected), vectors_of("museum/small-v1")[:2])
    assert [row["subject_id"] for row in sorted_rows(exported(workspace, tmp_path / "o.parquet"))] == sorted(expected)


@pytest.mark.parametrize("written", ["https://m.org/o/{}", "{}"])
def test_works_are_joined_by_addresses_and_by_their_ends(written: str, tmp_path: Path) -> None:
    ids = [written.format(number) for number in (1, 2)]
    source = table_of(tmp_path / "source" / "v.parquet", id=ids)
    works = tmp_path / "works.csv"
    works.write_text("id,title\nhttps://m.org/o/1,Mill\nhttps://m.org/o/2,Quay\n", "utf-8")
    workspace = build_workspace(source, tmp_path / "workspace", works=works).workspace
    assert [workspace.collection[each].title for each in ids] == ["Mill", "Quay"]
    assert len(workspace.table("v", "image")) == 2


def test_works_may_be_read_by_a_mapping(tmp_path: Path) -> None:
    source = table_of(tmp_path / "source" / "v.parquet", id=["1", "2"])
    (tmp_path / "Artworks.json").write_text(
        '[{"ObjectID": 1, "Title": "Mill"}, {"ObjectID": 2, "Title": "Quay"}]', "utf-8"
    )
    options = TableOptions(mapping="moma")
    result = build_workspace(source, tmp_path / "workspace", works=tmp_path / "Artworks.json", table=options)
    assert [item.title for item in result.workspace.collection] == ["Mill", "Quay"]
    assert len(result.workspace.table("v", "image")) == 2


def test_lists_of_whole_numbers_are_no_vectors(tmp_path: Path) -> None:
    works = [{"id": f"w{at}", "title": f"Boat {at}", "related": list(range(at, at + 9))} for at in range(9)]
    (tmp_path / "works.json").write_text(json.dumps(works), "utf-8")
    assert len(load_collection(tmp_path / "works.json")) == 9


def test_the_column_of_ids_may_be_named(tmp_path: Path) -> None:
    source = table_of(tmp_path / "source" / "v.parquet", code=["a", "b"])
    with pytest.raises(CollectionError, match=r"no column of ids \(columns: code\).*--column id=COLUMN"):
        build_workspace(source, tmp_path / "workspace")
    with pytest.raises(CollectionError, match=r"no column kode \(columns: code\)"):
        build_workspace(source, tmp_path / "workspace", table=TableOptions(columns={"id": "kode"}))
    result = build_workspace(source, tmp_path / "workspace", table=TableOptions(columns={"id": "code"}))
    assert list(result.workspace.collection.ids) == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [(pa.list_(pa.int8()), [1] * 8), (pa.string(), "[1, 2]"), (pa.binary(), b"12"), (pa.list_(pa.string()), ["1"])],
)
def test_what_is_called_vectors_must_be_numbers(kind: Any, cell: Any, tmp_path: Path) -> None:
    columns = {"subject_id": ["a"], "model": ["m"], "embeddings": pa.array([cell], kind)}
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    with pytest.raises(CollectionError, match=r"embeddings of .* is of type .*, where lists of float32"):
        build_workspace(tmp_path / "v.parquet", tmp_path.parent / f"{tmp_path.name}-workspace")


def test_a_model_without_any_vector_is_no_table_of_texts(tmp_path: Path) -> None:
    rows = [altered(row_of("m", number, []), embeddings=None) for number in range(WORKS)]
    source = write_rows(tmp_path / "source" / "v.parquet", rows)
    with pytest.raises(CollectionError, match=r"no row of v.parquet can be used .* has no vector"):
        build_workspace(source, tmp_path / "workspace")


def test_faults_of_the_file_are_told(tmp_path: Path) -> None:
    source = tmp_path / "source" / "v.parquet"
    no_text = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 1], np.int32)), pa.py_buffer(b"\xff")]
    )
    table_of(source, id=no_text)
    with pytest.raises(CollectionError, match="cannot be read to its end .*UTF8"):
        build_workspace(source, tmp_path / "workspace")
    twice = pq.read_table(table_of(source, id=["a"], title=["b"])).rename_columns(["id", "id", "embedding"])
    pq.write_table(twice, source)
    with pytest.raises(CollectionError, match="has several columns id"):
        build_workspace(source, tmp_path / "workspace")


@pytest.mark.parametrize(
    ("array", "ids", "told"),
    [
        (np.array([{"a": 1}] * 2, dtype=object), b"a\nb\n", "Python objects"),
        (np.ones((2, 8), np.int8), b"a\nb\n", "type int8 .*, where 2 rows of floating-point numbers are needed"),
        (np.ones((2, 8), np.float32), b"a\n", "where 1 rows .*, one for each line of v.ids.txt"),
        (np.ones((2, 8), np.float32), b"\xe4\nb\n", "v.ids.txt is not written in UTF-8"),
    ],
)
def test_arrays_that_are_none_of_vectors(array: Any, ids: bytes, told: str, tmp_path: Path) -> None:
    source = tmp_path / "source" / "v.npy"
    source.parent.mkdir()
    np.save(source, array, allow_pickle=True)
    with pytest.raises(CollectionError, match=r"v.npy has no ids; write them, .* to .*v.ids.txt"):
        build_workspace(source, tmp_path / "workspace")
    source.with_suffix(".ids.txt").write_bytes(ids)
    with pytest.raises(CollectionError, match=rf"{told}.*\); fetch or export it again"):
        build_workspace(source, tmp_path / "workspace")


def test_a_file_without_rows(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "source" / "vectors.parquet", [])
    with pytest.raises(CollectionError, match="no row with a work in it|has no row|no title|holds neither"):
        build_workspace(source, tmp_path / "workspace")


def test_damage_is_found(imported: Path) -> None:
    [kept] = (imported / "imports").glob(f"{LARGE}*/vectors.npy")
    raw = bytearray(kept.read_bytes())
    raw[-1] ^= 1
    kept.write_bytes(raw)
    assert any("vectors.npy" in fault for fault in check_workspace(imported).faults)


def test_signatures(result: BuildResult, tmp_path: Path) -> None:
    from vernissage.gallery.signatures import make_keys, read_secret_key, sign_file, verify_file

    secret, public = make_keys(tmp_path / "museum")
    _, other = make_keys(tmp_path / "stranger")
    file = exported(result.workspace, tmp_path / "vectors.parquet")
    signature = sign_file(file, read_secret_key(secret))
    assert "vectors.parquet" in verify_file(file, public)
    with pytest.raises(ProvenanceError, match="another key"):
        verify_file(file, other)
    lines = signature.read_text().splitlines()
    signature.write_text("\n".join([*lines[:2], lines[2] + "!", lines[3]]))
    with pytest.raises(ProvenanceError, match="not what was signed"):
        verify_file(file, public)
    signature.write_text("\n".join(lines))
    file.write_bytes(file.read_bytes() + b"!")
    with pytest.raises(ProvenanceError, match="not what was signed"):
        verify_file(file, public)
    assert secret.stat().st_mode & 0o077 == 0
    with pytest.raises(RequestError, match="no secret key"):
        read_secret_key(public)


def test_a_faulty_key_replaces_nothing(result: BuildResult, tmp_path: Path) -> None:
    file = exported(result.workspace, tmp_path / "vectors.parquet")
    before = file.read_bytes()
    (tmp_path / "bad.key").write_text("untrusted comment: cut off\nRWQ")
    words = ["vectors", "export", result.workspace.path, "--force", "--sign", tmp_path / "bad.key"]
    for out in (file, tmp_path / "new.parquet"):
        with pytest.raises(SystemExit) as end:
            main([*map(str, words), "-o", str(out)])
        assert end.value.code == 1
    assert file.read_bytes() == before
    assert not (tmp_path / "new.parquet").exists()


def test_a_subject_may_have_texts_as_well(tmp_path: Path) -> None:
    rows = rows_of("museum/small-v1")
    texts = [
        altered(row, attributes=[("type", "text"), ("preview", "words of the work")], depiction_id=f"text/{at}")
        for at, row in enumerate(rows[:WORKS])
    ]
    source = write_rows(tmp_path / "source" / "v.parquet", [*rows, *texts])
    workspace = build_workspace(source, tmp_path / "workspace").workspace
    assert workspace.modalities(SMALL) == ("image", "text")
    found = make_engine(workspace, SMALL, 4).recommend(profile_from_ratings({"work/2": 5}, "signed"), 4)
    assert len(found.ranking.item_ids) == 4
