"""The command that finds words for works: tag."""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vernissage.progress import Progress
    from vernissage.taggers.contract import Tags
    from vernissage.workspace.tagging import Tagging

_EXAMPLES = 8
_COMMONEST = 20


def tag(
    workspace: Annotated[Path | None, typer.Argument(help="A workspace; or name --images or --texts.")] = None,
    tagger: Annotated[
        str, typer.Option("--tagger", "-t", help="words, lexicon, spacy (texts); caption, objects, scene (pictures).")
    ] = "words",
    images: Annotated[Path | None, typer.Option(help="Without a workspace: a folder of pictures, or one.")] = None,
    texts: Annotated[Path | None, typer.Option(help="Without a workspace: a .txt, .json or .csv of texts.")] = None,
    weights: Annotated[
        list[str] | None,
        typer.Option("--weights", metavar="[NAME=]PATH", help="The folder of the model's weights; else the hub."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Another model than the usual, as rtdetr_v2_r50vd; repeat.")
    ] = None,
    above: Annotated[float | None, typer.Option(help="objects, scene: count scores above this; default 0.5.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps.")] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures at once.")] = 16,
    again: Annotated[bool, typer.Option("--again", help="Tag works anew that this tagger has read before.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the tags here: .csv or .json.")] = None,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="VERNISSAGE_DATABASE", help="URL or file of the database; default vernissage.db in the workspace."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all tags as JSON.")] = False,
) -> None:
    """Find tags for works: nouns and verbs of their texts, or what a model sees in their pictures.

    \b
    Examples:
      vernissage encoders tag workspace
      vernissage encoders tag workspace --tagger scene --weights objects=rtdetr --weights caption=blip-captioning
      vernissage encoders tag --texts captions.csv --out tags.csv
      vernissage encoders tag --images photos --tagger objects --out tags.json
    """
    from vernissage.encoders.runtime.devices import Runtime
    from vernissage.taggers.register import load_tagger

    _check(workspace, images, texts, tagger, out)
    if again and workspace is None:
        raise RequestError("--again is for workspaces, which keep tags; files are tagged anew each time")
    with progress_bars() as progress:
        runtime = Runtime(device, batch_size=batch_size)
        loaded = load_tagger(tagger, weights or (), model or (), runtime, above, progress, tell=_tell)
        if workspace is not None:
            found = _tag_workspace(workspace, database, loaded, batch_size, again, progress)
        else:
            found = _tag_files(images, texts, loaded, batch_size, progress)
    if out is not None:
        _write(out, loaded, found.tags)
        note(f"Tags written: {out}")
    if as_json:
        print_json(_record(loaded, found.tags) | {"anew": found.anew, "unread": found.unread})
    else:
        _print(loaded, found)


def _tell(line: str) -> None:
    note(f"note: {line}")


def _check(workspace: Path | None, images: Path | None, texts: Path | None, tagger: str, out: Path | None) -> None:
    from vernissage.taggers.register import TAGGERS

    if sum(place is not None for place in (workspace, images, texts)) != 1:
        raise RequestError("name one of these to tag: a workspace, pictures with --images, or texts with --texts")
    if out is not None and out.suffix not in (".csv", ".json"):
        raise RequestError(f"tags cannot be written as {out.suffix or out.name!r}; end the name in .csv or .json")
    reads = TAGGERS[tagger].reads if tagger in TAGGERS else ""
    given = "pictures" if images is not None else "texts" if texts is not None else ""
    if given and reads and reads != given:
        able = ", ".join(name for name, kind in TAGGERS.items() if kind.reads == given)
        raise RequestError(f"the tagger {tagger} reads {reads}, but {given} were given; choose from {able}")


def _tag_workspace(
    workspace: Path, database: str | None, tagger: Any, batch_size: int, again: bool, progress: "Progress"
) -> "Tagging":
    from vernissage.workspace.repository import open_repository
    from vernissage.workspace.tagging import tag_works

    repository = open_repository(workspace, database, writing=True)
    try:
        return tag_works(repository, tagger, batch_size=batch_size, again=again, progress=progress)
    finally:
        repository.close()


def _tag_files(
    images: Path | None, texts: Path | None, tagger: Any, batch_size: int, progress: "Progress"
) -> "Tagging":
    from vernissage.workspace.encoding_files import picture_files, read_texts
    from vernissage.workspace.tagging import Tagging, tag_pictures, tag_texts

    tags: dict[str, Tags] = {}
    if texts is not None:
        captions = read_texts(texts)
        for found in tag_texts(tagger, captions):
            tags |= found
            progress(f"Tagging with {tagger.name}", len(tags), len(captions))
    elif images is not None:
        files = picture_files(images)
        for found in tag_pictures(tagger, files, batch_size):
            tags |= found
            progress(f"Tagging with {tagger.name}", len(tags), len(files))
    return Tagging(tags, len(tags), 0)


def _record(tagger: Any, tags: "Mapping[str, Tags]") -> dict[str, Any]:
    return {
        "tagger": tagger.name,
        "fingerprint": tagger.fingerprint,
        "method": tagger.method,
        "tags": {name: list(found) for name, found in tags.items()},
    }


def _write(out: Path, tagger: Any, tags: "Mapping[str, Tags]") -> None:
    """A table with the tags as a museum's keywords, or JSON; either says by which method."""
    from vernissage.files import write_bytes, write_json
    from vernissage.taggers.contract import tagger_key

    if out.suffix == ".json":
        write_json(out, _record(tagger, tags))
        return
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["id", "tags", "tagger", "method"])
    key, method = tagger_key(tagger), tagger.method
    writer.writerows([name, "|".join(found), key, method] for name, found in tags.items())
    write_bytes(out, table.getvalue().encode())


def _print(tagger: Any, found: "Tagging") -> None:
    say(f"{tagger.method}; fingerprint {tagger.fingerprint}")
    untagged = sum(not tags for tags in found.tags.values())
    said = f"{len(found.tags)} tagged, {found.anew} of them now"
    said += f"; {untagged} without any tag" if untagged else ""
    say(said + (f"; {found.unread} have nothing that it reads" if found.unread else ""))
    if not found.tags:
        return
    counts = Counter(tag for tags in found.tags.values() for tag in tags)
    commonest = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_COMMONEST]
    say(f"{len(counts)} different tags, the commonest: " + ", ".join(f"{tag} ({n})" for tag, n in commonest))
    say("")
    step = max(1, len(found.tags) // _EXAMPLES)
    print_table(["id", "tags"], [[name, ", ".join(found.tags[name])] for name in list(found.tags)[::step][:_EXAMPLES]])
