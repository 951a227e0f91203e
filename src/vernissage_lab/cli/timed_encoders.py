"""From the words of `experiment run encoding-time` to encoders and how they are computed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli.building import exports_by_name, weights_by_name
from vernissage.errors import RequestError
from vernissage_lab.cli.experiment_sets import set_encoder

if TYPE_CHECKING:
    from vernissage.progress import Progress
    from vernissage.workspace.workspace import Workspace
    from vernissage_lab.datasets.captioned import CaptionedSet
    from vernissage_lab.encoding_bench import EncodingTimeOptions
    from vernissage_lab.encoding_contenders import EncodingContender
    from vernissage_lab.encoding_works import TimedWorks


@dataclass(frozen=True)
class EncoderWish:
    """The words of the options of these names, each once."""

    encoders: tuple[str, ...]
    untrained: tuple[str, ...]
    devices: tuple[str, ...]
    backends: tuple[str, ...]
    precisions: tuple[str, ...]
    weights: tuple[str, ...]
    exports: tuple[str, ...]

    def check(self) -> None:
        """Refuse what cannot be, before anything is opened or fitted.

        Raises:
            RequestError: an unknown encoder, or options for encoders that are not asked for.
            EncoderError: a card whose network cannot be made without a download.
        """
        from vernissage.encoders.register import cards
        from vernissage_lab.untrained import require_architecture

        for card in self.untrained:
            require_architecture(card)
        for name in self.encoders:
            if name not in cards():
                raise RequestError(f"there is no encoder {name!r}; choose from {', '.join(cards())}")
        named = {name for name in self.encoders if cards()[name].pretrained}
        for option, words in (("--weights", self.weights), ("--onnx", self.exports)):
            for word in words:
                name, sign, _ = word.partition("=")
                if not named or (sign and name not in named):
                    raise RequestError(
                        f"{option} {word} is for no encoder that is asked for: untrained networks and fitted encoders "
                        f"take none; leave it out, or ask for one with weights, as in -e clip"
                    )
        if self.exports and set(self.backends) == {"torch"}:
            raise RequestError("an export was named with --onnx, but torch runs the weights; add --backend onnx")

    def ways(self) -> list[tuple[str, str]]:
        """Every pair of a backend and a precision that is asked for and that there is.

        Raises:
            RequestError: a backend or a precision that there is not, or that goes with none of the others.
        """
        from vernissage.encoders.loading import TORCH_PRECISIONS
        from vernissage.encoders.runtime.onnx import PRECISIONS

        offered: dict[str, tuple[str, ...]] = {"torch": TORCH_PRECISIONS, **PRECISIONS}
        pairs = [
            (backend, precision)
            for backend in self.backends
            for precision in self.precisions
            if precision in offered.get(backend, ())
        ]
        lost = [word for word in (*self.backends, *self.precisions) if not any(word in pair for pair in pairs)]
        if lost:
            told = "; ".join(f"{backend}: {', '.join(precisions)}" for backend, precisions in offered.items())
            raise RequestError(f"{lost[0]} goes with no other option that was given; choose from {told}")
        return pairs


def contenders_for(
    wish: EncoderWish,
    place: "Workspace | CaptionedSet",
    works: "TimedWorks",
    options: "EncodingTimeOptions",
    folder: Path,
    progress: "Progress",
) -> "list[EncodingContender]":
    """Every encoder that is asked for, in every way that there is; fitted ones of a set are fitted into ``folder``.

    Without any word: all encoders of a workspace, ``aligned`` of a set.
    """
    from vernissage.encoders.register import card
    from vernissage_lab.datasets.captioned import CaptionedSet

    usual = ("aligned",) if isinstance(place, CaptionedSet) else place.encoder_names
    names = wish.encoders or (() if wish.untrained else usual)
    found: list[EncodingContender] = []
    for name in names:
        if card(name).pretrained:
            found += _trained(name, wish, place, names, options)
        else:
            found.append(_fitted(name, place, folder, works.seed, progress))
    return [*found, *_untrained(wish, works, options.batch)]


def _fitted(
    name: str, place: "Workspace | CaptionedSet", folder: Path, seed: int, progress: "Progress"
) -> "EncodingContender":
    from vernissage.encoders.register import card
    from vernissage_lab.datasets.captioned import CaptionedSet
    from vernissage_lab.encoding_contenders import fitted_contender

    if isinstance(place, CaptionedSet):
        by = set_encoder(place, name, None, folder, seed, progress)
        return fitted_contender(name, by.encoder, [base.encoder for base in by.bases.values()])
    encoder: Any = place.encoder(name)
    return fitted_contender(name, encoder, [place.encoder(base) for base in card(name).needs])


def _trained(
    name: str,
    wish: EncoderWish,
    place: "Workspace | CaptionedSet",
    names: Sequence[str],
    options: "EncodingTimeOptions",
) -> "Iterator[EncodingContender]":
    from vernissage.encoders.loading import Execution
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage_lab.datasets.captioned import CaptionedSet
    from vernissage_lab.encoding_contenders import trained_contender

    exports = exports_by_name(wish.exports, names)
    weights = weights_by_name(wish.weights, names).get(name)
    if weights is None and not isinstance(place, CaptionedSet):
        built_with = place.manifest.settings.get("weights", {}).get(name)
        weights = Path(built_with) if built_with else None
    for backend, precision in wish.ways():
        export = str(exports.get(name, ""))
        if backend != "torch" and not export and exports and "torch" in wish.backends:
            continue  # the export is another encoder's; this one is timed by torch
        for device in _devices(wish, backend, precision):
            runtime = Runtime(device, batch_size=options.batch)
            how = Execution(backend, precision, export if backend != "torch" else "")
            yield trained_contender(name, weights, runtime, how, options.threads)


def _untrained(wish: EncoderWish, works: "TimedWorks", batch: int) -> "Iterator[EncodingContender]":
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage_lab.encoding_contenders import untrained_contender

    if wish.untrained and "torch" not in wish.backends:
        raise RequestError("untrained networks run in torch alone; add --backend torch, or leave --untrained out")
    for card in wish.untrained:
        for backend, precision in wish.ways():
            for device in _devices(wish, backend, precision) if backend == "torch" else ():
                yield untrained_contender(card, works, Runtime(device, precision, batch))  # type: ignore[arg-type]  # by `ways`


def _devices(wish: EncoderWish, backend: str, precision: str) -> Sequence[str]:
    """Where torch computes in that precision; other backends do on the CPU.

    Raises:
        RequestError: nowhere.
    """
    if backend != "torch":
        return ("cpu",)
    able = [device for device in wish.devices if device != "cpu" or precision != "float16"]
    if not able:
        raise RequestError("float16 needs a GPU; add --device cuda, or choose the precision float32 or bfloat16")
    return able
