"""What is compared when encoding is timed: encoders, each with the way it is computed."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from vernissage.encoders.loading import Execution, checked_execution, load_pretrained
from vernissage.encoders.register import card
from vernissage.encoders.runtime.devices import Runtime, import_torch
from vernissage.encoders.runtime.onnx import load_onnx
from vernissage.values import Modality
from vernissage_lab.encoding_works import TimedWorks
from vernissage_lab.untrained import ARCHITECTURES, load_untrained, require_architecture

Weights = Literal["fitted", "trained", "untrained"]


@dataclass(frozen=True)
class Loaded:
    """An encoder in memory, and how many numbers were fitted or trained for it."""

    encoder: Any
    parameters: int


@dataclass(frozen=True)
class EncodingContender:
    """An encoder and how it is computed.

    Attributes:
        encoder: its word; of untrained ones the model card's, after the word untrained.
        weights: fitted on the collection, trained by others, or untrained: random.
        modalities: what it reads.
        made_of: fingerprint of what was fitted, or where weights and export lie.
        load: makes it, when the first work is timed.
        backend, precision, device: how it is computed.
    """

    encoder: str
    weights: Weights
    modalities: frozenset[Modality]
    made_of: str
    load: Callable[[], Loaded]
    backend: str = "NumPy"
    precision: str = "as fitted"
    device: str = "cpu"

    @property
    def name(self) -> str:
        """The encoder, and what is not usual in how it is computed; unique among contenders."""
        usual = {"NumPy", "torch", "as fitted", "float32", "cpu"}
        return ", ".join([self.encoder, *(each for each in self._ways() if each not in usual)])

    def _ways(self) -> tuple[str, str, str]:
        return self.backend, self.precision, self.device

    def described(self) -> dict[str, str]:
        """The columns of tables that say what it is."""
        named = {"contender": self.name, "encoder": self.encoder, "weights": self.weights}
        return named | dict(zip(("backend", "precision", "device"), self._ways(), strict=True))

    def settled(self) -> None:
        """Return when the device has done all that it was told to."""
        kind = self.device.partition(":")[0]
        if kind == "cuda":
            import_torch().cuda.synchronize(self.device)
        elif kind == "mps":
            import_torch().mps.synchronize()


@dataclass(frozen=True)
class TimedInput:
    """Works and a contender, as a record tells them."""

    works: TimedWorks
    contender: EncodingContender

    def describe(self) -> Mapping[str, Any]:
        """See `Input`."""
        return {
            "data": self.works.name,
            "data_fingerprint": self.works.fingerprint,
            "encoder": self.contender.name,
            "encoder_fingerprint": self.contender.made_of,
            "works": max(len(self.works.pictures), len(self.works.texts)),
            "weights": self.contender.weights,
        }


def fitted_contender(name: str, encoder: Any, bases: Iterable[Any] = ()) -> EncodingContender:
    """An encoder that was fitted on the collection; ``bases`` are those that it is made from."""
    count = sum(int(values.size) for each in (encoder, *bases) for values in each.state.arrays.values())
    loaded = Loaded(encoder, count)
    return EncodingContender(name, "fitted", encoder.modalities, encoder.fingerprint, lambda: loaded)


def trained_contender(
    name: str, weights: Path | None, runtime: Runtime, execution: Execution, threads: int
) -> EncodingContender:
    """An encoder with weights, computed by torch on the runtime's device, or by another backend on the CPU.

    Raises:
        EncoderError: the device is not there, or the encoder cannot be computed so.
        ProvenanceError: the export is of another encoder.
    """
    how = checked_execution(name, execution)
    in_torch = how.backend == "torch"
    where = replace(runtime, precision=how.precision) if in_torch else Runtime("cpu", batch_size=runtime.batch_size)  # type: ignore[arg-type]  # checked

    def load() -> Loaded:
        base = load_pretrained(name, weights, runtime=where)
        if in_torch:
            return Loaded(base, base.parameters)
        export = load_onnx(
            base,
            Path(how.export),
            how.precision,  # type: ignore[arg-type]  # checked by `checked_execution`
            backend=how.backend,  # type: ignore[arg-type]
            batch_size=where.batch_size,
            threads=threads,
        )
        return Loaded(export, base.parameters)

    known = card(name)
    place = str(weights or ("its own weights" if known.bundled else known.models[0].name)) + (
        f", {how.export}" if how.export else ""
    )
    modalities = frozenset(known.modalities)
    return EncodingContender(
        name, "trained", modalities, place, load, how.backend, how.precision, where.resolved_device()
    )


def untrained_contender(card: str, works: TimedWorks, runtime: Runtime) -> EncodingContender:
    """The network of a model card with random weights, computed by torch; good for timing alone.

    Raises:
        EncoderError: the card's network cannot be made without a download, or the device is not there.
    """
    require_architecture(card)

    def load() -> Loaded:
        encoder = load_untrained(card, works.all_texts, runtime=runtime, seed=works.seed)
        return Loaded(encoder, encoder.parameters)

    return EncodingContender(
        f"untrained {card}",
        "untrained",
        ARCHITECTURES[card].modalities,
        f"random weights, seed {works.seed}",
        load,
        "torch",
        runtime.precision,
        runtime.resolved_device(),
    )


def apart(one: Any, other: Any) -> float:
    """The largest difference of two arrays of vectors in any number; NaN where one holds NaN."""
    difference = float(abs(one - other).max()) if len(one) else 0.0
    return difference if not math.isnan(difference) else math.nan
