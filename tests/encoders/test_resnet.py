"""ResNet-50 against its definition, written out here in plain torch on tiny random weights in torchvision's layout."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.contract import EncoderState, ImageEncoder
from vernissage.encoders.loading import restore
from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.towers.resnet import ResNet50, load_resnet
from vernissage.errors import EncoderError, ProvenanceError

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
safetensors = pytest.importorskip("safetensors.torch")

DEPTHS, WIDTHS, STEM, CLASSES = (2, 1, 2, 1), (8, 12, 16, 24), 6, 5
Tensors = dict[str, "torch.Tensor"]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    """Random weights under torchvision's names; normalisation does something everywhere."""
    generator = torch.Generator().manual_seed(5)
    found: Tensors = {}

    def convolution(name: str, outside: int, inside: int, side: int) -> None:
        scale = (2 / (inside * side * side)) ** 0.5
        found[f"{name}.weight"] = torch.randn(outside, inside, side, side, generator=generator) * scale

    def normalisation(name: str, width: int) -> None:
        found[f"{name}.weight"] = torch.rand(width, generator=generator) + 0.5
        found[f"{name}.bias"] = torch.randn(width, generator=generator) * 0.1
        found[f"{name}.running_mean"] = torch.randn(width, generator=generator) * 0.1
        found[f"{name}.running_var"] = torch.rand(width, generator=generator) + 0.5

    convolution("conv1", STEM, 3, 7)
    normalisation("bn1", STEM)
    before = STEM
    for stage, (depth, width) in enumerate(zip(DEPTHS, WIDTHS, strict=True), start=1):
        for layer in range(depth):
            block, narrow = f"layer{stage}.{layer}", width // 4
            for number, (outside, inside, side) in enumerate(
                [(narrow, before, 1), (narrow, narrow, 3), (width, narrow, 1)], start=1
            ):
                convolution(f"{block}.conv{number}", outside, inside, side)
                normalisation(f"{block}.bn{number}", outside)
            if layer == 0:
                convolution(f"{block}.downsample.0", width, before, 1)
                normalisation(f"{block}.downsample.1", width)
            before = width
    found["fc.weight"] = torch.randn(CLASSES, before, generator=generator)
    found["fc.bias"] = torch.randn(CLASSES, generator=generator)
    return found


@pytest.fixture(scope="module")
def place(tensors: Tensors, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "resnet50-tiny.pth"
    torch.save(tensors, path)
    return path


@pytest.fixture(scope="module")
def resnet(place: Path) -> ResNet50:
    return load_resnet(place)


def pictures() -> list[Image.Image]:
    """Wide, tall, tiny, grey: every way through the preprocessing."""
    noise = np.random.default_rng(3)
    shapes = [(300, 470, 3), (512, 260, 3), (40, 31, 3), (256, 256, 3)]
    coloured = [Image.fromarray(noise.integers(0, 256, shape, dtype=np.uint8)) for shape in shapes]
    return [*coloured, coloured[0].convert("L")]


def reference_pixels(image: Image.Image) -> "torch.Tensor":
    """torchvision's evaluation: the shorter side to 256, the middle 224, scaled, minus the mean, over the deviation."""
    width, height = image.size
    short = min(width, height)
    image = image.convert("RGB").resize((256 * width // short, 256 * height // short), Image.Resampling.BILINEAR)
    left, top = round((image.width - 224) / 2), round((image.height - 224) / 2)
    values = torch.tensor(np.asarray(image)[top : top + 224, left : left + 224].copy(), dtype=torch.float64) / 255
    return ((values - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])).permute(2, 0, 1)[None]


def reference_features(tensors: Tensors, image: Image.Image, *, stride_in_3x3: bool = True) -> "torch.Tensor":
    """He et al.'s network in double precision, the stride where torchvision has it."""
    functional = torch.nn.functional

    def step(values: "torch.Tensor", conv: str, bn: str, stride: int = 1) -> "torch.Tensor":
        weight = tensors[f"{conv}.weight"].double()
        values = functional.conv2d(values, weight, stride=stride, padding=weight.shape[-1] // 2)
        scale, shift, mean, variance = (
            tensors[f"{bn}.{part}"].double()[:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (values - mean) / torch.sqrt(variance + 1e-5) * scale + shift

    values = step(reference_pixels(image), "conv1", "bn1", stride=2).relu()
    values = functional.max_pool2d(values, 3, stride=2, padding=1)
    for stage, depth in enumerate(DEPTHS, start=1):
        for layer in range(depth):
            block, stride = f"layer{stage}.{layer}", 2 if stage > 1 and layer == 0 else 1
            first, second = (1, stride) if stride_in_3x3 else (stride, 1)
            inner = step(values, f"{block}.conv1", f"{block}.bn1", first).relu()
            inner = step(inner, f"{block}.conv2", f"{block}.bn2", second).relu()
            inner = step(inner, f"{block}.conv3", f"{block}.bn3")
            if layer == 0:
                values = step(values, f"{block}.downsample.0", f"{block}.downsample.1", stride)
            values = (inner + values).relu()
    return values.mean(dim=(2, 3))[0]


def test_features_are_those_of_the_definition(resnet: ResNet50, tensors: Tensors) -> None:
    features = resnet.image_features(pictures())
    expected = torch.stack([reference_features(tensors, image) for image in pictures()]).numpy()
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=5e-5)
    assert features.dtype == np.float32


def test_the_stride_is_in_the_3x3_convolution(resnet: ResNet50, tensors: Tensors) -> None:
    other = reference_features(tensors, pictures()[0], stride_in_3x3=False).numpy()
    assert np.abs(resnet.image_features(pictures()[:1])[0] - other).max() > 1e-2


def test_it_keeps_the_encoders_promise(resnet: ResNet50) -> None:
    assert isinstance(resnet, ImageEncoder)
    assert (resnet.name, resnet.dim, resnet.modalities) == ("resnet50", 24, {"image"})
    together = resnet.encode_images(pictures())
    alone = np.concatenate([resnet.encode_images([image]) for image in pictures()])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert resnet.encode_images([]).shape == (0, 24)


def test_transparency_lies_on_white(resnet: ResNet50) -> None:
    clear = Image.new("RGBA", (300, 300), (255, 0, 0, 0))
    white = Image.new("RGB", (300, 300), "white")
    np.testing.assert_array_equal(resnet.encode_images([clear]), resnet.encode_images([white]))


def test_every_layout_of_the_same_weights_gives_the_same_features(
    resnet: ResNet50, tensors: Tensors, tmp_path: Path
) -> None:
    safetensors.save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"architecture": "resnet50", "num_classes": 5}')  # as timm writes it
    torch.save({"state_dict": tensors}, tmp_path / "wrapped.pth")
    resnet.network.save_pretrained(tmp_path / "transformers")
    expected = resnet.encode_images(pictures())
    for other in (tmp_path, tmp_path / "wrapped.pth", tmp_path / "transformers"):
        np.testing.assert_array_equal(load_resnet(other).encode_images(pictures()), expected)


def test_classes_are_those_of_the_definition(resnet: ResNet50, tensors: Tensors) -> None:
    for image, found in zip(pictures(), resnet.classify(pictures()), strict=True):
        logits = reference_features(tensors, image) @ tensors["fc.weight"].double().T + tensors["fc.bias"].double()
        probabilities = logits.softmax(dim=0)
        assert found.index == int(probabilities.argmax())
        assert found.probability == pytest.approx(float(probabilities.max()), abs=1e-4)
        assert found.label == f"class {found.index}"


def test_labels_come_from_a_file_beside_the_weights(tensors: Tensors, tmp_path: Path) -> None:
    torch.save(tensors, tmp_path / "weights.pth")
    labels = tmp_path / "imagenet_classes.txt"
    labels.write_text("tench\ngoldfish\ncrane\nheron\ncrane\n")
    resnet = load_resnet(tmp_path / "weights.pth")
    index = resnet.classify(pictures()[:1])[0].index
    assert resnet.classify(pictures()[:1])[0].label == ["tench", "goldfish", "crane", "heron", "crane"][index]
    labels.write_text("tench\ngoldfish\n")
    with pytest.raises(EncoderError, match="2 labels for 5 classes"):
        load_resnet(tmp_path / "weights.pth")


def test_labels_come_from_a_transformers_folder(resnet: ResNet50, tmp_path: Path) -> None:
    resnet.network.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["id2label"] = {str(index): f"thing {index}" for index in range(CLASSES)}
    (tmp_path / "config.json").write_text(json.dumps(config))
    found = load_resnet(tmp_path).classify(pictures()[:1])[0]
    assert found.label == f"thing {found.index}"


def test_half_precision_stays_close(place: Path, resnet: ResNet50) -> None:
    half = load_resnet(place, runtime=Runtime(precision="bfloat16")).encode_images(pictures())
    cosines = (half * resnet.encode_images(pictures())).sum(axis=1)
    assert half.dtype == np.float32
    assert 0.995 < cosines.min() < 1


def test_other_weights_are_refused(tensors: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(tensors, path)
    state = load_resnet(path).state
    torch.save(tensors | {"fc.bias": tensors["fc.bias"] + 1}, path)
    with pytest.raises(ProvenanceError, match="weights.pth are not those"):
        restore("resnet50", state)
    path.unlink()
    with pytest.raises(EncoderError, match="there are no weights at"):
        restore("resnet50", state)
    with pytest.raises(ProvenanceError, match="of 'clip'"):
        restore("resnet50", EncoderState("clip", state.settings, {}))


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("layer3.1.bn2.running_var", "stages.2.layers.1.layer.1.normalization.running_var"),
        ("layer2.0.downsample.0.weight", "stages.1.layers.0.shortcut.convolution.weight"),
        ("conv1.weight", "no ResNet with bottleneck blocks"),
        ("fc.weight", "no ResNet with bottleneck blocks and classes"),
        ("fc.bias", "classifier.1.bias"),
    ],
)
def test_missing_weights_are_refused(missing: str, named: str, tensors: Tensors, tmp_path: Path) -> None:
    torch.save({name: tensor for name, tensor in tensors.items() if name != missing}, tmp_path / "weights.pth")
    with pytest.raises(EncoderError, match=named):
        load_resnet(tmp_path / "weights.pth")


def test_missing_weights_in_a_transformers_folder_are_refused(resnet: ResNet50, tmp_path: Path) -> None:
    resnet.network.save_pretrained(tmp_path)
    kept = safetensors.load_file(tmp_path / "model.safetensors")
    del kept["resnet.encoder.stages.3.layers.0.layer.2.convolution.weight"]
    safetensors.save_file(kept, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"stages\.3\.layers\.0\.layer\.2\.convolution\.weight"):
        load_resnet(tmp_path)


def test_weights_of_other_networks_are_refused(tensors: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(tensors | {"layer1.0.se.fc1.weight": torch.ones(2, 2)}, path)
    with pytest.raises(EncoderError, match=r"layer1\.0\.se\.fc1\.weight, which no ResNet-50 has"):
        load_resnet(path)
    torch.save(tensors | {"layer1.0.conv2.weight": torch.ones(4, 2, 3, 3)}, path)
    with pytest.raises(EncoderError, match=r"do not fit together: .*conv.* has the shape \(4, 2, 3, 3\)"):
        load_resnet(path)
    torch.save({"visual.proj": torch.ones(3, 3)}, path)
    with pytest.raises(EncoderError, match="no ResNet with bottleneck blocks"):
        load_resnet(path)
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(EncoderError, match="of type vit, not resnet"):
        load_resnet(tmp_path)


def test_a_missing_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"no weights at .*nowhere; name .* with --weights"):
        load_resnet(tmp_path / "nowhere")
