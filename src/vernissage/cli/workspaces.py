"""Commands that make and describe workspaces: build, info."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note, print_json, print_table, progress_bars, readable_size, say
from vernissage.cli.uploading import bring_uploads_up_to_date
from vernissage.errors import RequestError


def build(
    source: Annotated[Path, typer.Argument(help="A folder with a metadata table, pictures, or both; or a table.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The workspace; default NAME-workspace.")] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(
            "--encoder",
            "-e",
            help="An encoder to build; repeat. Default: all without weights but tfidf.",
        ),
    ] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", metavar="[NAME=]PATH", help="Where an encoder's weights are; else the hub. Repeat."),
    ] = None,
    pairs: Annotated[
        str | None,
        typer.Option(metavar="K|all|none", help="blip, blip2: texts read with a picture, by torch; default 50."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps, for encoders with weights.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16 or float16; onnx: float32 or int8. Default float32.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="torch, onnx or openvino; the latter two run an export. Default torch.")
    ] = None,
    export: Annotated[
        list[str] | None,
        typer.Option("--onnx", metavar="[NAME=]FOLDER", help="The folder that export-onnx wrote. Repeat."),
    ] = None,
    draft: Annotated[
        bool | None,
        typer.Option(
            "--draft/--no-draft",
            help="Decode large JPEGs at a fraction, at least twice a model's input, or whole. Default draft.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Pictures or texts at once, for encoders with weights.")] = 32,
    topics: Annotated[int | None, typer.Option(help="Number of topics; default: chosen by coherence.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every fit; default 0.")] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without rows that have problems.")] = False,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the encoders anew on the works as they are now.")] = False,
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
    from vernissage.workspace.build import build_workspace

    def write_report(found: CollectionReport | None) -> None:
        if report is not None and found is not None:
            write_json(report, found.to_dict())

    target = out if out is not None else Path(f"{source.resolve().stem}-workspace")
    runtime, executions = computed_by(encoder or (), backend, export or (), precision, device, batch_size)
    try:
        with progress_bars() as progress:
            result = build_workspace(
                source,
                target,
                encoders=encoder,
                seed=seed,
                topics=topics,
                weights=weights_by_name(weights or (), encoder or ()),
                runtime=runtime,
                executions=executions,
                pairs=_pairs(pairs),
                draft=draft,
                skip_bad=skip_bad,
                refit=refit,
                progress=progress,
            )
    except BadRowsError as error:
        write_report(error.report)
        raise
    write_report(result.collection.report)
    uploads = bring_uploads_up_to_date(target, database)
    if as_json:
        print_json(_build_outcome(result, target) | {"uploads": uploads})
        return
    _print_outcome(result, target)
    if uploads is not None:
        swept = f"; pictures without an upload deleted: {uploads['swept']}" if uploads["swept"] else ""
        made = f"vectors of uploads made anew: {uploads['vectors']}"
        say(f"Uploads: {uploads['uploads']}, uploaders: {uploads['people']}; {made}{swept}.")


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


def computed_by(
    encoders: Sequence[str],
    backend: str | None,
    exports: Sequence[str],
    precision: str | None,
    device: str | None,
    batch_size: int,
) -> tuple[Any, dict[str, Any]]:
    """How torch runs, and how each encoder with weights that is asked for is computed, as the options say it.

    Raises:
        RequestError: the options are for no encoder, for several in one word, or do not go together.
    """
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage.workspace.execution import Execution
    from vernissage.workspace.pretrained import PRETRAINED

    asked = [name for name in encoders if name in PRETRAINED]
    if not asked and (backend or exports or precision):
        raise RequestError(
            "--backend, --onnx and --precision are for encoders with weights, and none is asked for; add --encoder "
            "NAME, else each stays as it was built"
        )
    how = backend or "torch"
    if how != "torch" and device not in (None, "cpu"):
        raise RequestError(f"{how} runs on the CPU, but the device {device} was named; leave --device out")
    folders = exports_by_name(exports, encoders)
    executions = {
        name: Execution(how, precision or "float32", str(folders[name]) if name in folders else "")
        for name in (*asked, *(name for name in folders if name not in asked))
    }
    return Runtime(device, batch_size=batch_size), executions


def _by_name(words: Sequence[str], encoders: Sequence[str], question: str) -> dict[str, Path]:
    from vernissage.workspace.pretrained import PRETRAINED

    asked = [name for name in encoders if name in PRETRAINED]
    places: dict[str, Path] = {}
    for word in words:
        name, sign, place = word.partition("=")
        if not sign or name not in PRETRAINED:
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


def _build_outcome(result: Any, target: Path) -> dict[str, Any]:
    report = result.collection.report
    return {
        "workspace": str(target),
        "works": len(result.collection),
        "encoded": dict(result.encoded),
        "seconds": {step: round(seconds, 3) for step, seconds in result.seconds.items()},
        "notes": list(result.notes),
        "coverage": [found.to_dict() for found in result.coverage],
        "report": report.to_dict() if report is not None else None,
    }


def info(
    workspace: Annotated[Path, typer.Argument(help="A workspace.")],
    database: DatabasePlace = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Say what is in a workspace: works, groups, people and uploads, encoders with fingerprints, coverage, sizes.

    \b
    Example:
      vernissage info workspace
    """
    from vernissage.workspace.description import describe_workspace
    from vernissage.workspace.holdings import open_holdings

    holdings = open_holdings(workspace, database)
    try:
        content = describe_workspace(holdings.workspace)
        uploaders, owners = holdings.uploaders(), set(holdings.collection_owners.values())
    finally:
        holdings.close()
    content["owners"], content["people"], content["uploads"] = len(owners), len(uploaders), sum(uploaders.values())
    if as_json:
        print_json(content)
    else:
        _print_info(workspace, content)


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


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for command in (build, info):
        app.command()(command)
