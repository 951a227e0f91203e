"""ResNet-50 trained on ImageNet: pooled features of pictures, and the class it sees in them.

He et al., Deep Residual Learning for Image Recognition, 2016, with the stride in the 3×3 convolution ("v1.5"), as
torchvision trained it. The picture engine of Yilma & Leiva (doi 10.1145/3565472.3592964); as a classifier it gives
D'Asaro et al. (doi 10.1016/j.eswa.2024.125108) the labels of pictures.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from vernissage.encoders.runtime.devices import USUAL, Runtime, import_extra
from vernissage.encoders.runtime.loaded import ImageTower, described
from vernissage.encoders.runtime.pixels import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from vernissage.encoders.runtime.weights import digest_of, file_in, filled, load_model, read_config, read_tensors
from vernissage.errors import EncoderError
from vernissage.values import Modality

if TYPE_CHECKING:
    import torch

PREPROCESSING = Preprocessing("shorter", 224, 256, "bilinear", IMAGENET_MEAN, IMAGENET_STD)
"""As torchvision evaluated its V1 weights; used whatever the weights' folder says, so that features are comparable."""

LABELS_FILE = "imagenet_classes.txt"
"""One label a line, beside weights that bring no labels of their own."""

WEIGHTS_FILES = ("*.safetensors", "*.pth", "*.pt", "*.bin")
"""What is looked for in a folder of torchvision's or timm's weights, in this order."""

CONFIDENT = 0.90
"""From this probability on, the second paper takes a label for true."""


@dataclass(frozen=True)
class Classification:
    """What a picture most probably shows.

    Attributes:
        index: of the class; two classes may have one label ("crane" is a bird and a machine).
        label: its name, or "class 134" where the weights came without names.
        probability: softmax over all classes.
    """

    index: int
    label: str
    probability: float


class ResNet50(ImageTower):
    """A picture encoder: the last stage's features, averaged over the picture; two rows' inner product is a cosine."""

    modalities: frozenset[Modality] = frozenset({"image"})
    exports = True

    @property
    def dim(self) -> int:
        return int(self.network.config.hidden_sizes[-1])

    def classify(self, images: Sequence[Image.Image]) -> list[Classification]:
        """The most probable class of each picture."""
        labels = self.network.config.id2label
        rows = self.runtime.in_batches(
            images, lambda some: self.network(self._pixels(some)).logits.float().softmax(dim=1), len(labels)
        )
        best = zip(rows.argmax(axis=1).tolist(), rows, strict=True)
        return [Classification(index, str(labels[index]), float(row[index])) for index, row in best]

    def vectors_of_pixels(self, pixels: "torch.Tensor") -> "torch.Tensor":
        features: torch.Tensor = self.network.resnet(pixels).pooler_output.flatten(1)
        return features


def load_resnet(place: Path, *, runtime: Runtime = USUAL) -> ResNet50:
    """Load a ResNet with bottleneck blocks.

    Args:
        place: a transformers folder of a ResNetForImageClassification; or torchvision's weights (also timm's: the names
            are the same), as a file or in a folder.

    Raises:
        EncoderError: the weights are missing, damaged, incomplete or another model's.
    """
    if _is_transformers(place):
        model, weights = load_model(place, "ResNetForImageClassification", runtime), digest_of(place)
    else:  # labels and timm's settings may lie beside the file; they change no vector
        file = file_in(place, WEIGHTS_FILES)
        model, weights = _of_torchvision(file).to(runtime.resolved_device()), digest_of(file)
    return ResNet50(model, None, PREPROCESSING, described("resnet50", place, weights, runtime), runtime)


def _is_transformers(place: Path) -> bool:
    """Whether a folder says in config.json which transformers model it holds; timm's config.json does not."""
    if not (place / "config.json").is_file():
        return False
    kind = read_config(place).get("model_type")
    if kind not in {None, "resnet"}:
        raise EncoderError(f"{place} holds a model of type {kind}, not resnet; name the weights of a ResNet-50")
    return kind == "resnet"


def _of_torchvision(file: Path) -> Any:
    """torchvision's weights, whose sizes say how the network is built, with the labels beside them."""
    transformers = import_extra("transformers")
    tensors = {_transformers_name(name): tensor for name, tensor in read_tensors(file).items()}
    config = transformers.ResNetConfig(**_sizes(tensors, file))
    # Files of before 2018 do not count the batches that the normalisation has seen, which only training needs.
    model = filled(transformers.ResNetForImageClassification(config), tensors, file, optional=("num_batches_tracked",))
    if unknown := sorted(tensors.keys() - model.state_dict().keys()):
        raise EncoderError(f"{file} holds {unknown[0]}, which no ResNet-50 has; name the weights of a ResNet-50")
    model.config.id2label = _labels(file.parent / LABELS_FILE, config.num_labels)
    return model


def _sizes(tensors: Mapping[str, "torch.Tensor"], file: Path) -> dict[str, Any]:
    """How the network is built, from the names and shapes of its weights."""
    blocks = [(int(match[1]), int(match[2])) for name in tensors if (match := _BLOCK.match(name))]
    stages = range(max((stage for stage, _ in blocks), default=0) + 1)
    try:
        return {
            "depths": [max(layer for stage, layer in blocks if stage == each) + 1 for each in stages],
            "hidden_sizes": [
                len(tensors[f"{_STAGES}.{stage}.layers.0.layer.2.convolution.weight"]) for stage in stages
            ],
            "embedding_size": len(tensors[f"{_STEM}.convolution.weight"]),
            "num_labels": len(tensors["classifier.1.weight"]),
        }
    except (KeyError, ValueError, TypeError) as error:
        raise EncoderError(
            f"{file} holds no ResNet with bottleneck blocks and classes; name the weights of a ResNet-50, such as "
            f"resnet50-0676ba61.pth"
        ) from error


def _transformers_name(name: str) -> str:
    """What transformers calls torchvision's tensor: ``layer2.0.bn1.bias`` is in stage 1, layer 0, layer.0."""
    module, _, rest = name.partition(".")
    if module in _OUTSIDE_BLOCKS:
        return f"{_OUTSIDE_BLOCKS[module]}.{rest}"
    if block := _TORCHVISION_BLOCK.fullmatch(name):
        stage, layer, kind, number, last = (group for group in block.groups() if group is not None)
        part = f"shortcut.{_SHORTCUT[number]}" if kind == "downsample." else f"layer.{int(number) - 1}.{_KINDS[kind]}"
        return f"{_STAGES}.{int(stage) - 1}.layers.{layer}.{part}.{last}"
    return name


def _labels(file: Path, classes: int) -> Mapping[int, str]:
    if not file.is_file():
        return {index: f"class {index}" for index in range(classes)}
    labels = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if len(labels) != classes:
        raise EncoderError(f"{file} has {len(labels)} labels for {classes} classes; give one label a line, in order")
    return dict(enumerate(labels))


_STEM, _STAGES = "resnet.embedder.embedder", "resnet.encoder.stages"
_OUTSIDE_BLOCKS = {"conv1": f"{_STEM}.convolution", "bn1": f"{_STEM}.normalization", "fc": "classifier.1"}
_KINDS = {"conv": "convolution", "bn": "normalization"}
_SHORTCUT = {"0": "convolution", "1": "normalization"}
_BLOCK = re.compile(rf"{re.escape(_STAGES)}\.(\d+)\.layers\.(\d+)\.")
_TORCHVISION_BLOCK = re.compile(r"layer([1-4])\.(\d+)\.(?:(conv|bn)([1-3])|(downsample\.)([01]))\.(.+)")
