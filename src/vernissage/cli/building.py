"""Commands that make, keep up, describe, check and purge workspaces: build, sync, info, check, purge."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from vernissage.cli.options import AsJson, DatabasePlace, Place, WorkspacePath, argument, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, readable_size, say
from vernissage.errors import Kind, ProvenanceError, RequestError

if TYPE_CHECKING:
    from vernissage.catalog.report import CollectionReport
    from vernissage.gallery.building import BuildOutcome
    from vernissage.workspace.build import BuildResult


@dataclass(frozen=True)
class WeightsOptions:
    """Encoders with weights: where those are, and what computes them."""

    weights: list[str] | None = option(
        None, "Where an encoder's weights are; else the hub. Repeat.", metavar="[NAME=]PATH"
    )
    pairs: str | None = option(
        None, "blip, blip2: texts read with a picture, by torch; default 50.", metavar="K|all|none"
    )
    device: str | None = option(None, "cpu, cuda or mps, for encoders with weights.")
    precision: str | None = option(None, "float32, bfloat16 or float16; onnx: float32 or int8. Default float32.")
    backend: str | None = option(None, "torch, onnx or openvino; the latter two run an export. Default torch.")
    export: list[str] | None = option(
        None, "The folder that `encoders export` wrote. Repeat.", "--onnx", metavar="[NAME=]FOLDER"
    )
    batch_size: int = option(32, "Pictures or texts at once, for encoders with weights.")
    tower: list[str] | None = option(
        None,
        "Where the weights are that made ready-made vectors, to search them by words. Repeat.",
        metavar="NAME=PATH",
    )

    def towers(self) -> dict[str, Path]:
        """Where they are, by the names of encoders. Raises RequestError: one has no name."""
        if unnamed := [word for word in self.tower or () if "=" not in word]:
            raise RequestError(f"whose weights are {unnamed[0]!r}? write --tower NAME=PATH, such as clip={unnamed[0]}")
        return {name: Path(place) for name, _, place in (word.partition("=") for word in self.tower or ())}


@dataclass(frozen=True)
class FitOptions:
    """How encoders are fitted."""

    topics: int | None = option(None, "Number of topics; default: chosen by coherence.")
    language: list[str] | None = option(None, "Language of the texts: en, de … Repeat. Default: found.")
    seed: int | None = option(None, "Seed of every fit; default 0.")
    refit: bool = option(False, "Fit the encoders anew on the works as they are now.", "--refit")
    draft: bool | None = option(
        None,
        "Decode large JPEGs at a fraction, at least twice a model's input, or whole. Default draft.",
        "--draft/--no-draft",
        show_default=False,
    )


@dataclass(frozen=True)
class RowsOptions:
    """How many rows may be left out, and works be without their pictures."""

    without_pictures: bool = option(
        False, "Keep works with their texts if most pictures are missing.", "--without-pictures"
    )
    max_rejected: str = option("5%", "Rows that may be left out, as a share of all (three always may) or a number.")
    strict: bool = option(False, "Build nothing if anything is wrong with any row.", "--strict")
    skip_bad: bool = option(False, "Leave out all rows that have problems, however many.", "--skip-bad")

    def tolerance(self) -> Any:
        """What the build goes on with. Raises RequestError: the number of rows is none."""
        from vernissage.catalog.report import SKIP_BAD, Tolerance

        if self.skip_bad:
            return SKIP_BAD
        most = _number_or_share(self.max_rejected, "--max-rejected")
        return Tolerance(most, self.strict, self.without_pictures)


@dataclass(frozen=True)
class ReadingOptions(RowsOptions):
    """How a table is read."""

    column: list[str] | None = option(
        None, "Which column gives a field, as title=nom_objet; title= for none. Kept. Repeat.", metavar="FIELD=COLUMN"
    )
    text_column: list[str] | None = option(
        None, "A column that feeds the texts beside those that speak of the work; -NAME keeps one out. Kept. Repeat."
    )
    encoding: str = option("", "Of a table that is not UTF-8, as cp1250; guessed without. Kept.")
    pictures_from: Path | None = option(None, "The folder below which the pictures lie, if not the table's. Kept.")
    mapping: str = option(
        "",
        "A museum's shape by name (`vernissage mappings`), or a file of your own: .toml, or .json as table.json. Kept.",
    )
    works: Path | None = option(
        None, "For a file of ready-made vectors: a folder or table whose works are joined by their ids."
    )

    def table(self) -> Any:
        """What was said, as one value.

        Raises:
            RequestError: a column was named without a field.
            CollectionError: the file of fields and columns cannot be read.
        """
        from vernissage.catalog.sources.columns import TableOptions
        from vernissage.catalog.sources.mapping import mapping_place

        columns = {}
        for word in self.column or ():
            meaning, sign, column = word.partition("=")
            if not sign:
                raise RequestError(f"what does the column {word!r} give? write FIELD=COLUMN, as title={word}")
            columns[meaning.strip()] = column.strip()
        place = self.pictures_from.resolve().as_posix() if self.pictures_from else ""
        if self.pictures_from and not self.pictures_from.is_dir():
            raise RequestError(f"there is no folder {self.pictures_from}; name the one that holds the pictures")
        spoken = {word.removeprefix("-"): not word.startswith("-") for word in self.text_column or ()}
        said = TableOptions(columns=columns, encoding=self.encoding, text_columns=spoken, pictures=place)
        if self.mapping.endswith(".json"):
            return said.over(TableOptions.load(Path(self.mapping)))
        return replace(said, mapping=mapping_place(self.mapping) if self.mapping else "")


@dataclass(frozen=True)
class FetchingOptions:
    """What lies at web addresses."""

    fetch_pictures: bool = option(
        False, "Download pictures that are named by web addresses into the workspace.", "--fetch-pictures"
    )
    fetch_most: int = option(
        10_000, "Pictures to fetch at most, those of earlier builds included; of an interface records too."
    )
    contact: str = option("", "An address of yours that servers are told, as some wish.")
    rate: float | None = option(None, "Requests a second to one host; default 2 to those of the internet.")
    allow_private_hosts: bool = option(
        False, "Fetch from this machine and private networks too.", "--allow-private-hosts"
    )

    def options(self, source: str | Path) -> Any:
        """How what lies at web addresses is fetched; False where nothing is. Raises RequestError: no rate at all."""
        from vernissage.catalog.fetching import FetchOptions

        if self.rate is not None and not 0 < self.rate < math.inf:
            raise RequestError(f"--rate {self.rate:g} is no number of requests a second; write one above 0, such as 5")
        chosen = FetchOptions(
            most=self.fetch_most,
            private_hosts=self.allow_private_hosts,
            contact=self.contact,
            rate=self.rate,
            pictures=self.fetch_pictures,
        )
        return chosen if self.fetch_pictures or isinstance(source, str) else False


def build(
    source: Annotated[
        str,
        typer.Argument(help="A folder with a table, pictures, or both; a table; ready-made vectors; or a web address."),
    ],
    reading: ReadingOptions,
    fetching: FetchingOptions,
    weights: WeightsOptions,
    fit: FitOptions,
    out: Path | None = option(None, "The workspace; default NAME-workspace.", "--out", "-o"),
    encoder: list[str] | None = option(
        None, "An encoder to build; repeat. Default: all without weights but tfidf.", "--encoder", "-e"
    ),
    workers: str | None = option(
        None, "Who encodes: a number of processes, ray (a cluster on this machine), or ray:HOST:PORT. Default 1."
    ),
    report: Path | None = option(None, "Write the full report of the table here, as JSON."),
    dry_run: bool = option(False, "Say how the table is understood, and build nothing.", "--dry-run"),
    database: DatabasePlace = None,
    as_json: bool = option(False, "Print the outcome as JSON.", "--json"),
) -> None:
    """Read a collection and make its vectors; run it again after changes, and only what changed is encoded.

    \b
    Examples:
      vernissage build paintings -o workspace
      vernissage build export/metadata.xlsx -o workspace --skip-bad --report problems.json
      vernissage build vectors.parquet --works objects.csv -o workspace
      vernissage build objets.csv --column title=nom_objet --column artist=auteur --dry-run
      vernissage build https://museum.example/iiif/collection.json -o workspace --fetch-pictures
      vernissage build "https://museum.example/oai?verb=ListRecords&metadataPrefix=lido" -o workspace
      vernissage build paintings -o workspace --encoder clip --weights models/clip-vit-base-patch32
      vernissage build paintings -o workspace --encoder clip --weights clip --backend onnx --onnx clip-onnx
    """
    from vernissage.catalog.report import BadRowsError
    from vernissage.catalog.words import is_address
    from vernissage.gallery.building import build as make

    place = source if is_address(source) else Path(source)
    target = out if out is not None else Path(f"{_name_of(place)}-workspace")
    if dry_run:
        _understand(place, target, reading, fetching, report, as_json=as_json)
        return
    names = encoder or ()
    runtime, executions = computed_by(names, weights)
    try:
        with progress_bars() as progress:
            outcome = make(
                place,
                target,
                encoders=encoder,
                seed=fit.seed,
                topics=fit.topics,
                languages=fit.language,
                weights=weights_by_name(weights.weights or (), names),
                runtime=runtime,
                executions=executions,
                pairs=_pairs(weights.pairs),
                draft=fit.draft,
                towers=weights.towers(),
                workers=workers,
                works=reading.works,
                tolerance=reading.tolerance(),
                refit=fit.refit,
                table=reading.table(),
                fetch_pictures=fetching.options(place),
                database=database,
                progress=progress,
            )
    except BadRowsError as error:
        _write_report(report, error.report)
        raise
    _write_report(report, outcome.result.collection.report)
    _tell_outcome(outcome, target, as_json=as_json)


def sync(
    workspace: WorkspacePath,
    reading: RowsOptions,
    fetching: FetchingOptions,
    most_changed: str = option(
        "10%", "Of all works: if more are gone, nothing is changed without --yes; if more changed, the exit code is 8."
    ),
    yes: bool = option(False, "Let more works go than --most-changed says.", "--yes"),
    database: DatabasePlace = None,
    as_json: AsJson = False,
) -> None:
    """Take over what changed since the last time in what a workspace was built from: a folder, a table, or a server.

    Only what changed is encoded, and what is gone is taken out. Exit code 0; 8 where it did so and more works changed
    than --most-changed; 4 where more are gone, and nothing was changed.

    \b
    Examples:
      vernissage sync workspace
      vernissage sync workspace --most-changed 30% --yes
    """
    from vernissage.gallery.syncing import sync as keep_up

    with progress_bars() as progress:
        outcome = keep_up(
            workspace,
            most=float(_number_or_share(most_changed, "--most-changed", shares=True)),
            remove=yes,
            tolerance=reading.tolerance(),
            fetch_pictures=fetching.options(""),
            database=database,
            progress=progress,
        )
    print_json(outcome.to_dict()) if as_json else say(*outcome.lines())
    if outcome.alarming:
        note(f"more than {most_changed} of the works changed", kind="note")
        raise typer.Exit(_ALARMING)


_ALARMING = 8


def _number_or_share(word: str, name: str, *, shares: bool = False) -> float | int:
    """``10%`` as the share .1, and ``20`` as the number 20. Raises RequestError: it is neither, or must be a share."""
    number, share = word.rstrip("% "), "%" in word
    try:
        most = float(number) / 100 if share else int(number)
    except ValueError:
        most = -1
    if not (0 <= most < math.inf) or (shares and not share):
        raise RequestError(f"{name} {word!r} is no number; write {'' if shares else '20 (rows) or '}10% (of all)")
    return most


def _tell_outcome(outcome: "BuildOutcome", target: Path, *, as_json: bool) -> None:
    result, uploads = outcome.result, outcome.uploads
    if as_json:
        found = result.collection.report
        content = {"workspace": str(target), "works": len(result.collection), "encoded": dict(result.encoded)}
        content |= {"seconds": {step: round(seconds, 3) for step, seconds in result.seconds.items()}}
        content |= {"notes": list(result.notes), "coverage": [each.to_dict() for each in result.coverage]}
        content |= {"report": found and found.to_dict(), "uploads": uploads and asdict(uploads)}
        print_json(content)
        return
    _print_result(result, target)
    if uploads is not None:
        swept = f"; pictures without an upload deleted: {uploads.swept}" if uploads.swept else ""
        made = f"vectors of uploads made anew: {uploads.vectors}"
        say(f"Uploads: {uploads.uploads}, uploaders: {uploads.people}; {made}{swept}.")


def _name_of(place: str | Path) -> str:
    """What to call a workspace of it."""
    return urlsplit(place).hostname or "web" if isinstance(place, str) else place.resolve().stem


def _understand(
    place: str | Path,
    target: Path,
    reading: ReadingOptions,
    fetching: FetchingOptions,
    report: Path | None,
    *,
    as_json: bool,
) -> None:
    """Say how the table is understood, and whether a build would go on with it."""
    from vernissage.gallery.building import inspect

    with progress_bars() as progress:
        options, joined = fetching.options(place), reading.works
        there = inspect(place, target, table=reading.table(), works=joined, fetch_pictures=options, progress=progress)
        understood = there.report
    _write_report(report, understood)
    if understood is not None:
        print_json(understood.to_dict()) if as_json else say(*understood.lines())
        note(*understood.warnings, kind="warning")
        understood.require(reading.tolerance())


def _write_report(place: Path | None, found: "CollectionReport | None") -> None:
    from vernissage.files import write_json

    if place is not None and found is not None:
        write_json(place, found.to_dict())


def _print_result(result: "BuildResult", target: Path) -> None:
    """The report on the collection, the seconds of each step, and what was encoded."""
    report = result.collection.report
    say(*(report.lines() if report else ()), *[found.sentence for found in result.coverage if found.sentence], "")
    note(*result.notes, kind="note")
    total = sum(result.seconds.values())
    rows = [
        [step, f"{seconds:.2f}", f"{100 * seconds / total:.0f} %"]
        for step, seconds in result.seconds.items()
        if seconds >= 0.005
    ]
    print_table(["step", "seconds", "share"], rows, numbers=["seconds", "share"])
    anew = ", ".join(f"{count} with {key}" for key, count in result.encoded.items()) or "nothing"
    say("", f"Workspace {target}: {len(result.collection)} works; encoded anew: {anew}; {total:.1f} s.")
    note(*(report.warnings if report else ()), kind="warning")  # last, where nobody overlooks them


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


def _by_name(question: str, words: Sequence[str], encoders: Sequence[str]) -> dict[str, Path]:
    """Read ``NAME=PATH`` or, where one encoder with weights is asked for, ``PATH``."""
    from vernissage.encoders.register import names

    with_weights = names("takes_weights")
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


weights_by_name = partial(_by_name, "whose weights are {}? write NAME=PATH, with --encoder NAME")
exports_by_name = partial(_by_name, "of which encoder is the export {}? write NAME=FOLDER, with --encoder NAME")


def _pairs(word: str | None) -> int | None:
    if word is None:
        return None
    if word in ("all", "none"):
        return 0 if word == "all" else -1
    if not word.isdigit() or int(word) < 1:
        raise RequestError(f"pairs of {word!r} were asked for; give a number from 1, all, or none")
    return int(word)


def info(
    place: Place,
    text_of: str | None = option(None, "Show the text that encoders read of this work, and from where.", metavar="ID"),
    as_json: AsJson = False,
) -> None:
    """Say what is in a workspace: works, groups, people and uploads, encoders with fingerprints, coverage, sizes.

    \b
    Example:
      vernissage info workspace
      vernissage info workspace --text-of 1982.3
    """
    if text_of is not None:
        _show_text(place, text_of, as_json)
        return
    with place.gallery() as gallery:
        content = gallery.info()
    if as_json:
        print_json(content)
        return
    state = "complete" if content["complete"] else "unfinished: run the same build again to go on"
    shown = f" ({content['all_pictures']} pictures)" if content["all_pictures"] > content["pictures"] else ""
    say(
        f"{place.workspace}: {content['works']} works from {content['source']}, {state}",
        f"collection {content['collection']}, format {content['format']}, {readable_size(content['bytes'])} on disk",
        f"with a picture: {content['pictures']}{shown}, with a text: {content['texts']}"
        + (f", with the web address of a picture: {links}" if (links := content["picture_links"]) else ""),
    )
    if content["owners"] or content["uploads"]:
        say(f"owners of works: {content['owners']}, uploads: {content['uploads']}, uploaders: {content['people']}")
    if content["groups"]:
        say("groups: " + ", ".join(f"{name} ({size})" for name, size in content["groups"].items()))
    if content["vectors"]:
        say("")
        rows = [
            [each["encoder"], each["modality"], f"{each['works']} ({each['coverage']:.0%})", each["dim"]]
            + [each["fingerprint"], each["index"]["kind"], readable_size(each["bytes"])]
            for each in content["vectors"]
        ]
        heads = ["encoder", "modality", "works", "dim", "fingerprint", "index", "size"]
        print_table(heads, rows, numbers=["works", "dim", "size"])
        say(*filter(None, map(_tuned, content["vectors"])))
    _show_weights(content["weights"])
    for name, how in content["settings"].get("executions", {}).items():
        if how["backend"] != "torch":
            say(f"{name} is computed by {how['backend']} in {how['precision']}, from the export {how['export']}")
    if not content["settings"].get("draft", True):
        say("pictures are decoded whole, without drafts")
    say(*[found["sentence"] for found in content["coverage"] if found["sentence"]])
    say(*filter(None, [content["copies"]["sentence"]]))
    say(*[f"left out: {name}: {why}" for name, why in content["left_out"].items()])


def _tuned(vectors: dict[str, Any]) -> str:
    """What `tune` measured of an index that it chose; nothing of others."""
    measured = vectors["index"]["settings"].get("measured", {})
    told = [
        f"recall {each['least']:.3f} in {each['milliseconds']:.2f} ms at {each['k']}"
        for each in measured.get("points", ())
        if each["probes"]
    ]
    name = f"{vectors['encoder']}.{vectors['modality']}"
    return f"{name}, measured over {measured['works']} works: {', '.join(told)}" if told else ""


def _show_weights(weights: dict[str, dict[str, Any]]) -> None:
    """What each representation counts in the default fusion, and why."""
    if not weights:
        return
    numbers = ["weight", "spread", "own", "agreement", "owners"]
    rows = [
        [name, *("" if each[head] is None else f"{each[head]:.2f}" for head in numbers), each["why"]]
        for name, each in weights.items()
    ]
    say("", "what the default engine fuses, and how much each counts:")
    print_table(["engine", *numbers, "why"], rows, numbers=numbers)


def _show_text(place: Place, item_id: str, as_json: bool) -> None:
    """One work's text in full, which of its fields and attributes stand in it, and its pictures."""
    from vernissage.catalog.words import attribute_words, joined, without_markup

    with place.gallery() as gallery:
        item = gallery.snapshot.collection[item_id]
    fields = {name: getattr(item, name) for name in ("title", "artist", "year", "medium", "description")}
    known = {**fields, "keywords": ", ".join(item.keywords), **item.attributes}
    words = {
        name: joined([without_markup(value) if name in fields else attribute_words(value)]) or value
        for name, value in known.items()
        if value
    }
    parts = {name: value for name, value in words.items() if value in item.text}
    if as_json:
        shown = [path for path, _ in item.pictures]
        others = sorted(words.keys() - parts)
        print_json({"id": item.id, "text": item.text, "from": parts, "not_in_text": others, "pictures": shown})
        return
    say(item.text or "(no text)", "", *(f"{name}: {value}" for name, value in parts.items()))
    if others := sorted(words.keys() - parts):
        say(f"not in the text: {', '.join(others)}")
    if item.pictures:
        say(f"pictures, the leading one first: {', '.join(path for path, _ in item.pictures)}")


def mappings(
    name: str | None = argument(None, "Print this mapping, to start one of your own from.", metavar="NAME"),
    as_json: AsJson = False,
) -> None:
    """The shapes of museums' dumps and interfaces that `build --mapping` knows.

    \b
    Examples:
      vernissage mappings
      vernissage mappings met > ours.toml
    """
    from vernissage.catalog.sources.mapping import mapping_text, shipped_mappings

    if name is not None:
        say(mapping_text(name).decode().rstrip())
        return
    found = shipped_mappings()
    if as_json:
        told = ("museum", "note", "documentation")
        about = {name: {part: getattr(each, part) for part in told} for name, each in found.items()}
        print_json({name: each | {"address": (api := found[name].api) and api.address} for name, each in about.items()})
        return
    print_table(
        ["mapping", "museum", "what it reads"], [[name, each.museum, each.note] for name, each in found.items()]
    )


def purge(workspace: WorkspacePath, database: DatabasePlace = None) -> None:
    """Delete what is kept for readers of an earlier state, and the bytes of deleted rows; other readers open it again.

    \b
    Example:
      vernissage purge workspace
    """
    from vernissage.gallery.building import purge as purge_workspace

    purge_workspace(workspace, database)
    say(f"{workspace} holds its state in force alone.")


def check(workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """Check every byte of a workspace and of people's things: exit code 0 where all is whole, and 4 where it is not.

    \b
    Example:
      vernissage check workspace
    """
    from vernissage.workspace.checking import check_workspace

    with progress_bars() as progress:
        found = check_workspace(workspace, progress=progress, database=database)
    if as_json:
        print_json(found.to_dict())
    else:
        say(*found.faults)
        if found.is_sound:
            say(f"{workspace}: all {len(found.checked)} files are as they were written")
    if not found.is_sound:
        raise ProvenanceError(
            f"{len(found.faults)} of {len(found.checked)} files of {workspace} are damaged; do what is said of each",
            kind=Kind.CONFLICT,
        )
