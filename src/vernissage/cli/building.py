"""Commands that make, describe and check workspaces: build, info, check."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.options import AsJson, DatabasePlace, WorkspacePath, command
from vernissage.cli.output import note, print_json, print_table, progress_bars, readable_size, say
from vernissage.errors import Kind, ProvenanceError, RequestError

if TYPE_CHECKING:
    from vernissage.gallery.building import BuildOutcome


@dataclass(frozen=True)
class WeightsOptions:
    """Encoders with weights: where those are, and what computes them."""

    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", metavar="[NAME=]PATH", help="Where an encoder's weights are; else the hub. Repeat."),
    ] = None
    pairs: Annotated[
        str | None,
        typer.Option(metavar="K|all|none", help="blip, blip2: texts read with a picture, by torch; default 50."),
    ] = None
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps, for encoders with weights.")] = None
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16 or float16; onnx: float32 or int8. Default float32.")
    ] = None
    backend: Annotated[
        str | None, typer.Option(help="torch, onnx or openvino; the latter two run an export. Default torch.")
    ] = None
    export: Annotated[
        list[str] | None,
        typer.Option("--onnx", metavar="[NAME=]FOLDER", help="The folder that `encoders export` wrote. Repeat."),
    ] = None
    batch_size: Annotated[int, typer.Option(help="Pictures or texts at once, for encoders with weights.")] = 32


@dataclass(frozen=True)
class FitOptions:
    """How encoders are fitted."""

    topics: Annotated[int | None, typer.Option(help="Number of topics; default: chosen by coherence.")] = None
    seed: Annotated[int | None, typer.Option(help="Seed of every fit; default 0.")] = None
    refit: Annotated[bool, typer.Option("--refit", help="Fit the encoders anew on the works as they are now.")] = False
    draft: Annotated[
        bool | None,
        typer.Option(
            "--draft/--no-draft",
            help="Decode large JPEGs at a fraction, at least twice a model's input, or whole. Default draft.",
            show_default=False,
        ),
    ] = None


@command
def build(
    source: Annotated[Path, typer.Argument(help="A folder with a metadata table, pictures, or both; or a table.")],
    weights: WeightsOptions,
    fit: FitOptions,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The workspace; default NAME-workspace.")] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option("--encoder", "-e", help="An encoder to build; repeat. Default: all without weights but tfidf."),
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without rows that have problems.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the full report of the table here, as JSON.")] = None,
    database: DatabasePlace = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Read a collection and make its vectors; run it again after changes, and only what changed is encoded.

    \b
    Examples:
      vernissage build paintings -o workspace
      vernissage build export/metadata.xlsx -o workspace --skip-bad --report problems.json
      vernissage build paintings -o workspace --encoder clip --weights models/clip-vit-base-patch32
      vernissage build paintings -o workspace --encoder clip --weights clip --backend onnx --onnx clip-onnx
    """
    from vernissage.catalog.report import BadRowsError, CollectionReport
    from vernissage.files import write_json
    from vernissage.gallery.building import build as make

    def write_report(found: CollectionReport | None) -> None:
        if report is not None and found is not None:
            write_json(report, found.to_dict())

    target = out if out is not None else Path(f"{source.resolve().stem}-workspace")
    names = encoder or ()
    runtime, executions = computed_by(names, weights)
    try:
        with progress_bars() as progress:
            outcome = make(
                source,
                target,
                encoders=encoder,
                seed=fit.seed,
                topics=fit.topics,
                weights=weights_by_name(weights.weights or (), names),
                runtime=runtime,
                executions=executions,
                pairs=_pairs(weights.pairs),
                draft=fit.draft,
                skip_bad=skip_bad,
                refit=fit.refit,
                database=database,
                progress=progress,
            )
    except BadRowsError as error:
        write_report(error.report)
        raise
    write_report(outcome.result.collection.report)
    if as_json:
        print_json(_build_outcome(outcome, target))
        return
    _print_outcome(outcome.result, target)
    if (uploads := outcome.uploads) is not None:
        swept = f"; pictures without an upload deleted: {uploads.swept}" if uploads.swept else ""
        made = f"vectors of uploads made anew: {uploads.vectors}"
        say(f"Uploads: {uploads.uploads}, uploaders: {uploads.people}; {made}{swept}.")


def _print_outcome(result: Any, target: Path) -> None:
    """The report on the collection, the seconds of each step, and what was encoded."""
    for line in result.collection.report.lines() if result.collection.report else ():
        say(line)
    for found in result.coverage:
        if found.sentence:
            say(found.sentence)
    for line in result.notes:
        note(f"note: {line}")
    total = sum(result.seconds.values())
    rows = [
        [step, f"{seconds:.2f}", f"{100 * seconds / total:.0f} %"]
        for step, seconds in result.seconds.items()
        if seconds >= 0.005
    ]
    say("")
    print_table(["step", "seconds", "share"], rows, numbers=["seconds", "share"])
    say("")
    anew = ", ".join(f"{count} with {key}" for key, count in result.encoded.items()) or "nothing"
    say(f"Workspace {target}: {len(result.collection)} works; encoded anew: {anew}; {total:.1f} s.")


def weights_by_name(words: Sequence[str], encoders: Sequence[str]) -> dict[str, Path]:
    """Read ``NAME=PATH`` or, where one encoder with weights is asked for, ``PATH``."""
    return _by_name(words, encoders, "whose weights are {}? write NAME=PATH, with --encoder NAME")


def exports_by_name(words: Sequence[str], encoders: Sequence[str]) -> dict[str, Path]:
    """Read ``NAME=FOLDER`` or, where one encoder with weights is asked for, ``FOLDER``."""
    return _by_name(words, encoders, "of which encoder is the export {}? write NAME=FOLDER, with --encoder NAME")


def computed_by(encoders: Sequence[str], options: WeightsOptions) -> tuple[Any, dict[str, Any]]:
    """How torch runs, and how each encoder with weights that is asked for is computed, as the options say it.

    Raises:
        RequestError: the options are for no encoder, for several in one word, or do not go together.
    """
    from vernissage.encoders.loading import Execution
    from vernissage.encoders.register import names
    from vernissage.encoders.runtime.devices import Runtime

    asked = [name for name in encoders if name in names("pretrained")]
    if not asked and (options.backend or options.export or options.precision):
        raise RequestError(
            "--backend, --onnx and --precision are for encoders with weights, and none is asked for; add --encoder "
            "NAME, else each stays as it was built"
        )
    how = options.backend or "torch"
    if how != "torch" and options.device not in (None, "cpu"):
        raise RequestError(f"{how} runs on the CPU, but the device {options.device} was named; leave --device out")
    folders = exports_by_name(options.export or (), encoders)
    executions = {
        name: Execution(how, options.precision or "float32", str(folders[name]) if name in folders else "")
        for name in (*asked, *(name for name in folders if name not in asked))
    }
    return Runtime(options.device, batch_size=options.batch_size), executions


def _by_name(words: Sequence[str], encoders: Sequence[str], question: str) -> dict[str, Path]:
    from vernissage.encoders.register import names

    with_weights = names("pretrained")
    asked = [name for name in encoders if name in with_weights]
    places: dict[str, Path] = {}
    for word in words:
        name, sign, place = word.partition("=")
        if not sign or name not in with_weights:
            if len(asked) != 1:
                raise RequestError(question.format(repr(word)))
            name, place = asked[0], word
        places[name] = Path(place)
    return places


def _pairs(word: str | None) -> int | None:
    if word is None:
        return None
    if word in ("all", "none"):
        return 0 if word == "all" else -1
    if not word.isdigit() or int(word) < 1:
        raise RequestError(f"pairs of {word!r} were asked for; give a number from 1, all, or none")
    return int(word)


def _build_outcome(outcome: "BuildOutcome", target: Path) -> dict[str, Any]:
    result = outcome.result
    report = result.collection.report
    return {
        "workspace": str(target),
        "works": len(result.collection),
        "encoded": dict(result.encoded),
        "seconds": {step: round(seconds, 3) for step, seconds in result.seconds.items()},
        "notes": list(result.notes),
        "coverage": [found.to_dict() for found in result.coverage],
        "report": report.to_dict() if report is not None else None,
        "uploads": asdict(outcome.uploads) if outcome.uploads is not None else None,
    }


@command
def info(workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """Say what is in a workspace: works, groups, people and uploads, encoders with fingerprints, coverage, sizes.

    \b
    Example:
      vernissage info workspace
    """
    from vernissage.gallery.gallery import open_gallery

    with open_gallery(workspace, database=database, writing=False) as gallery:
        content = gallery.info()
    if as_json:
        print_json(content)
    else:
        _print_info(workspace, content)


@command
def check(workspace: WorkspacePath, as_json: AsJson = False) -> None:
    """Check every byte of a workspace against what its cards say; 0 where all is whole, and 4 where it is not.

    \b
    Example:
      vernissage check workspace
    """
    from vernissage.workspace.checking import check_workspace

    with progress_bars() as progress:
        found = check_workspace(workspace, progress=progress)
    if as_json:
        print_json(found.to_dict())
    else:
        for line in found.faults:
            say(line)
        if found.is_sound:
            say(f"{workspace}: all {len(found.checked)} files are as they were written")
    if not found.is_sound:
        raise ProvenanceError(
            f"{len(found.faults)} of {len(found.checked)} files of {workspace} are damaged; run the build again",
            kind=Kind.CONFLICT,
        )


def _print_info(workspace: Path, content: dict[str, Any]) -> None:
    """What is in a workspace, line by line."""
    state = "complete" if content["complete"] else "unfinished: run the same build again to go on"
    say(f"{workspace}: {content['works']} works from {content['source']}, {state}")
    say(f"collection {content['collection']}, format {content['format']}, {readable_size(content['bytes'])} on disk")
    say(f"with a picture: {content['pictures']}, with a text: {content['texts']}")
    if content["owners"] or content["uploads"]:
        say(f"owners of works: {content['owners']}, uploads: {content['uploads']}, uploaders: {content['people']}")
    if content["groups"]:
        say("groups: " + ", ".join(f"{name} ({size})" for name, size in content["groups"].items()))
    if content["vectors"]:
        say("")
        rows = [
            [each["encoder"], each["modality"], f"{each['works']} ({each['coverage']:.0%})", str(each["dim"])]
            + [each["fingerprint"], readable_size(each["bytes"])]
            for each in content["vectors"]
        ]
        print_table(
            ["encoder", "modality", "works", "dim", "fingerprint", "size"], rows, numbers=["works", "dim", "size"]
        )
    for name, how in content["settings"].get("executions", {}).items():
        if how["backend"] != "torch":
            say(f"{name} is computed by {how['backend']} in {how['precision']}, from the export {how['export']}")
    if not content["settings"].get("draft", True):
        say("pictures are decoded whole, without drafts")
    for found in content["coverage"]:
        if found["sentence"]:
            say(found["sentence"])
    for name, why in content["left_out"].items():
        say(f"left out: {name}: {why}")
