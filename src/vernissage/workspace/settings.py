"""What a build is asked for, and what it remembers of earlier askings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from vernissage.encoders.fitted.languages import require_languages
from vernissage.encoders.loading import Execution, checked_execution
from vernissage.encoders.register import EncoderCard, card, cards, names
from vernissage.encoders.runtime.devices import Runtime
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    from vernissage.workspace.workspace import Workspace

USUAL_PAIRS = 50


class BuildOptions(TypedDict, total=False):
    """What a build may be asked for; whatever is None or left out stays as it was in the build before.

    Attributes:
        encoders: names to build, each of which must succeed, besides those that are there already; at first all usual
            ones that can be fitted (see `EncoderCard.on_request`).
        seed: of every fit; at first 0.
        topics: number of topics; at first chosen by coherence.
        languages: of the texts, by their codes of two letters; at first those that works name, else those that their
            texts tell.
        weights: for encoders with weights, where those are; the hub if not named.
        runtime: device and batch size of encoders with weights, and the precision of those that are asked for.
        executions: for encoders with weights that are asked for, another backend than torch, with its export and
            precision; an encoder that is not asked for keeps how it was computed before.
        pairs: for encoders that read pictures and texts together, how many texts with each picture, the most promising
            ones; 0 for all, -1 for none; at first 50.
        draft: whether large JPEGs are decoded at a fraction of their size, no smaller than twice an encoder's input;
            vectors made of whole pictures never mix with others. At first True.
        towers: for vectors that were made elsewhere, encoder → where the weights lie that made them, so that uploads
            and words can be compared with them.
        workers: who encodes, in this build alone: a number of processes on this machine, ``ray`` for a cluster that is
            started on it, or ``ray:ADDRESS``; vectors have the same bits. At first this process.
    """

    encoders: Sequence[str] | None
    seed: int | None
    topics: int | None
    languages: Sequence[str] | None
    weights: Mapping[str, Path] | None
    runtime: Runtime | None
    executions: Mapping[str, Execution] | None
    pairs: int | None
    draft: bool | None
    towers: Mapping[str, Path] | None
    workers: int | str | None


@dataclass(frozen=True)
class Settings:
    """What a build is asked for.

    Attributes:
        encoders: encoders to fit, each of which must succeed; None fits all usual ones that can be fitted on the
            collection.
        added: encoders to fit besides the usual ones, because they were named; each of them must succeed.
        weights: encoders with weights, and where those are; empty for the hub or for encoders that bring their own.
        executions: for each of those, by what and in which precision it is computed.
        seed: of every fit.
        topics: number of topics; None chooses by coherence.
        languages: of the texts; none has them found.
        pairs: how many texts are read together with each picture, the most promising ones; 0 for all, -1 for none.
        draft: whether large JPEGs are decoded at a fraction of their size.
        towers: encoder → where the weights lie that made imported vectors.
    """

    encoders: tuple[str, ...] | None = None
    added: tuple[str, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    executions: Mapping[str, Execution] = field(default_factory=dict)
    seed: int = 0
    topics: int | None = None
    languages: tuple[str, ...] = ()
    pairs: int = USUAL_PAIRS
    draft: bool = True
    towers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON values."""
        values: dict[str, object] = json.loads(json.dumps(asdict(self)))
        # What nobody asked for is left out, so that manifests and models keep their names.
        return {name: value for name, value in values.items() if value or name not in ("added", "languages", "towers")}

    def is_named(self, encoder: str) -> bool:
        """Whether somebody asked for that encoder by name, so that it may not be left out."""
        return encoder in (*(self.encoders or ()), *self.added, *self.weights)


def stored_execution(settings: Mapping[str, Any], encoder: str) -> Execution:
    """How the encoder is computed by the settings of a manifest; as at first where they do not say."""
    return Execution(**settings.get("executions", {}).get(encoder, {}))


def merged_settings(before: "Workspace | None", options: BuildOptions) -> Settings:
    """What was asked for now on top of what was asked for in the build before.

    An encoder with weights that is asked for by name is stated anew: its weights and its execution are those given
    now, or torch in the precision of the runtime. One that is not asked for stays as it was.

    Raises:
        EncoderError: there is no encoder or language of that name, weights or an execution were named for one that is
            not asked for, an encoder cannot be computed so, or there is none that reads the pairs.
        ProvenanceError: an export is of another encoder, or damaged.
    """
    stored = before.manifest.settings if before is not None else {}
    asked, executions, pairs = (
        tuple(options.get("encoders") or ()),
        options.get("executions") or {},
        options.get("pairs"),
    )
    places = dict(stored.get("weights", {})) | {name: "" for name in asked if card(name).pretrained}
    for name, place in (options.get("weights") or {}).items():
        if name not in places and not (name in asked and card(name).takes_weights):
            raise EncoderError(f"weights were named for {name!r}, which is not asked for; add --encoder {name}")
        places[name] = place.resolve().as_posix()
    if pairs is not None and pairs >= 0 and not any(card(name).reads_pairs for name in places):
        readers = " or ".join(names("reads_pairs"))
        raise EncoderError(f"pairs were asked for, but no encoder here reads them; add --encoder {readers}")
    for name in executions:
        if name not in asked or not card(name).pretrained:
            raise EncoderError(
                f"a backend or export was named for {name!r}, which is not asked for; add --encoder {name}, which must "
                f"be an encoder with weights"
            )
    fitted = [name for name in asked if not card(name).pretrained]
    former = fitted if before is None and asked else stored.get("encoders")
    named = tuple(dict.fromkeys((*former, *fitted))) if former is not None else None
    added = dict.fromkeys((*stored.get("added", ()), *(name for name in fitted if card(name).on_request)))
    default = Execution("torch", (options.get("runtime") or Runtime()).precision)

    def stated(name: str, at_first: Any) -> Any:
        now = options.get(name)
        return now if now is not None else stored.get(name, at_first)

    return Settings(
        named,
        tuple(added) if named is None else (),
        places,
        {
            name: checked_execution(name, executions.get(name, default))
            if name in asked
            else stored_execution(stored, name)
            for name in places
            if card(name).pretrained
        },
        int(stated("seed", 0)),
        stated("topics", None),
        require_languages(stated("languages", ())),
        int(stated("pairs", USUAL_PAIRS)),
        bool(stated("draft", True)),
        _towers(options.get("towers") or {}, stored.get("towers", {})),
    )


def _towers(named: Mapping[str, Path], stored: Mapping[str, str]) -> dict[str, str]:
    for name, place in named.items():
        if not card(name).pretrained or not place.exists():
            raise EncoderError(
                f"--tower {name}={place} names no weights that are there; write NAME=PATH, with an encoder that "
                f"`vernissage encoders` lists with weights"
            )
    return {**stored, **{name: place.resolve().as_posix() for name, place in named.items()}}


def wanted_encoders(settings: Settings, *, usual: bool = True) -> Sequence[EncoderCard]:
    """The encoders to make, in order, with those that they are made on; where none is named, the ``usual`` ones."""
    with_weights = [card(name) for name in settings.weights if card(name).pretrained]
    fitted = [each for each in cards().values() if not each.pretrained]
    if settings.encoders is None:
        chosen = [each for each in fitted if (usual and not each.on_request) or each.name in settings.added]
        return (*chosen, *with_weights)
    needed, more = set[str](), set(settings.encoders)
    while more:
        needed |= more
        more = {base for name in more for base in card(name).needs} - needed
    return [*(each for each in fitted if each.name in needed), *with_weights]
