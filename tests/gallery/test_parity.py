"""Whether published vectors are those of an encoder, and what can be done with them where it is installed."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.published import row_of, write_rows

from vernissage.cli.main import main
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError, RequestError
from vernissage.gallery.gallery import open_gallery
from vernissage.gallery.parity import PICTURES, check_vectors
from vernissage.workspace.build import build_workspace
from vernissage.workspace.uploading import Submission
from vernissage.workspace.workspace import open_workspace

torch = pytest.importorskip("torch")

MODEL = "openai/clip-vit-base-patch32"


def weights_of(folder: Path, seed: int) -> Path:
    from tests.encoders.tiny_models import openai_clip, write_clip_folder, write_merges

    from vernissage.encoders.towers.clip import load_original

    folder.mkdir(parents=True)
    pytest.importorskip("safetensors.torch").save_file(openai_clip(seed), folder / "clip.safetensors")
    write_merges(folder / "bpe_tiny.txt")
    write_clip_folder(folder / "weights", load_original(folder / "clip.safetensors", Runtime())[0])
    return folder / "weights"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return weights_of(tmp_path_factory.mktemp("clip") / "one", 1)


@pytest.fixture(scope="module")
def encoder(weights: Path) -> Any:
    from vernissage.encoders.towers.clip import load_clip

    return load_clip(weights)


@pytest.fixture(scope="module")
def pictures(gallery: Path) -> dict[str, Image.Image]:
    return {file.stem: Image.open(file).convert("RGB") for file in sorted((gallery / "images").iterdir())}


def written(path: Path, names: Any, vectors: Any, model: str = MODEL) -> Path:
    rows = [
        row_of(model, 0, vector) | {"depiction_id": name, "subject_id": name}
        for name, vector in zip(names, vectors, strict=True)
    ]
    return write_rows(path, rows)


def test_each_difference_is_named(
    gallery: Path, encoder: Any, pictures: dict[str, Image.Image], tmp_path: Path
) -> None:
    from vernissage.encoders.towers.clip import load_clip

    def cropped(image: Image.Image) -> Image.Image:
        width, height = image.size
        return image.crop((width // 10, height // 10, width - width // 10, height - height // 10))

    own = encoder.encode_images(list(pictures.values()))
    stranger = load_clip(weights_of(tmp_path / "two", 2)).encode_images(list(pictures.values()))
    found = {
        "same": own,
        "same up to normalisation": 5 * own,
        "other pre-processing": encoder.encode_images([cropped(each) for each in pictures.values()]),
        "other model": stranger,
    }
    for verdict, vectors in found.items():
        file = written(tmp_path / "vectors.parquet", pictures, vectors)
        parity = check_vectors(file, encoder, gallery / "images")
        assert parity.verdict == verdict, (parity.alike, [each.cosine for each in parity.compared])
        assert len(parity.compared) == min(PICTURES, len(pictures))
    wider = written(tmp_path / "vectors.parquet", pictures, np.hstack([own, own]))
    found_wider = check_vectors(wider, encoder, gallery / "images")
    assert (found_wider.verdict, found_wider.compared) == ("other model", ())
    assert found_wider.words.startswith(f"vectors have {2 * encoder.dim} numbers, and those of clip")
    several = [
        row_of(model, 0, own[at]) | {"depiction_id": each}
        for model in ("a", encoder.name)
        for at, each in enumerate(pictures)
    ]
    assert check_vectors(write_rows(wider, several), encoder, gallery / "images").model == encoder.name


def test_the_command_ends_with_the_verdict(
    gallery: Path, built: Path, weights: Path, encoder: Any, pictures: dict[str, Image.Image], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    own = encoder.encode_images(list(pictures.values()))
    words = ["--encoder", "clip", "--weights", str(weights), "--pictures", str(gallery / "images"), "--json"]
    for factor, code, verdict in ((1.0, 0, "same"), (-1.0, 4, "other model")):
        file = written(tmp_path / "vectors.parquet", pictures, factor * own)
        with pytest.raises(SystemExit) as end:
            main(["vectors", "check", str(file), *words])
        told = capsys.readouterr()
        assert (end.value.code, json.loads(told.out)["verdict"]) == (code, verdict)
    with pytest.raises(RequestError, match="no picture in .* is called by an id"):
        check_vectors(written(tmp_path / "vectors.parquet", ["a"], own[:1]), encoder, gallery / "images")
    with pytest.raises(EncoderError, match="lsa does not read pictures"):
        check_vectors(file, open_workspace(built).encoder("lsa"), gallery / "images")


def test_words_and_uploads_with_the_installed_model(
    gallery: Path, weights: Path, encoder: Any, pictures: dict[str, Image.Image], tmp_path: Path
) -> None:
    own = encoder.encode_images(list(pictures.values()))
    file = written(tmp_path / "source" / "vectors.parquet", pictures, own)
    build_workspace(file, tmp_path / "workspace", towers={"clip": weights})
    name = "openai-clip-vit-base-patch32"
    with open_gallery(tmp_path / "workspace") as opened:
        query = encoder.encode_texts(["a storm at sea"])[0]
        best = [list(pictures)[row] for row in np.argsort(-(own @ query), kind="stable")[:3].tolist()]
        assert opened.search("a storm at sea", 3, within="pictures", show_copies=True).ids == tuple(best)
        opened.person("ann").upload([Submission(gallery / "images" / "w000.png", id="u1")])
        assert opened.snapshot.index(name, "image").vectors_of(["u1"]) == pytest.approx(own[:1], abs=1e-5)
    wrong = written(tmp_path / "source" / "vectors.parquet", pictures, np.hstack([own, own]))
    build_workspace(wrong, tmp_path / "workspace")
    with open_gallery(tmp_path / "workspace") as opened, pytest.raises(EncoderError, match="it is another model"):
        opened.search("a storm at sea", within="pictures")
