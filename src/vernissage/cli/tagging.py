"""The command that finds words for works: tag."""

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli.options import DatabasePlace, Place, argument, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.progress import Progress
    from vernissage.taggers.contract import Tags
    from vernissage.workspace.tagging import Tagging

_EXAMPLES = 8
_COMMONEST = 20


@dataclass(frozen=True)
class TaggedFiles:
    """What is tagged without a workspace."""

    images: Path | None = option(None, "Without a workspace: a folder of pictures, or one.")
    texts: Path | None = option(None, "Without a workspace: a .txt, .json or .csv of texts.")


@dataclass(frozen=True)
class TaggerOptions:
    """What finds tags, and how it is computed."""

    tagger: str = option(
        "words",
        "words, lexicon, spacy (texts); imagenet, caption, objects, scene, action (pictures and videos).",
        "--tagger",
        "-t",
    )
    weights: list[str] | None = option(None, "The folder of the model's weights; else the hub.", metavar="[NAME=]PATH")
    model: list[str] | None = option(None, "Another model than the usual, as rtdetr_v2_r50vd; repeat.")
    above: float | None = option(
        None, "objects, scene, imagenet, action: count scores above this; default 0.5, of the latter two 0.3."
    )
    device: str | None = option(None, "cpu, cuda or mps.")
    batch_size: int = option(16, "Pictures at once.", min=1)


def tag(
    files: TaggedFiles,
    how: TaggerOptions,
    workspace: Path | None = argument(None, "A workspace; or name --images or --texts."),
    again: bool = option(False, "Tag works anew that this tagger has read before.", "--again"),
    out: Path | None = option(None, "Write the tags here: .csv or .json.", "--out", "-o"),
    database: DatabasePlace = None,
    as_json: bool = option(False, "Print all tags as JSON.", "--json"),
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

    _check(workspace, files, how.tagger, out)
    if again and workspace is None:
        raise RequestError("--again is for workspaces, which keep tags; files are tagged anew each time")
    with progress_bars() as progress:
        runtime, names = Runtime(how.device, batch_size=how.batch_size), (how.weights or (), how.model or ())
        tell = partial(note, kind="note")
        loaded = load_tagger(how.tagger, *names, runtime, how.above, progress, tell=tell)
        if workspace is None:
            found = _tag_files(files, loaded, how.batch_size, progress)
        else:
            from vernissage.workspace.seeing import tagger_of
            from vernissage.workspace.tagging import tag_works

            with Place(workspace, database).gallery(writing=True) as gallery:
                repository = gallery.repository
                if how.tagger == "imagenet":
                    loaded = tagger_of(repository.workspace, loaded.above) or loaded
                found = tag_works(repository, loaded, batch_size=how.batch_size, again=again, progress=progress)
    record = {"tagger": loaded.name, "fingerprint": loaded.fingerprint, "method": loaded.method}
    record |= {"tags": {name: list(tags) for name, tags in found.tags.items()}}
    if out is not None:
        _write(out, loaded, record)
        note(f"Tags written: {out}")
    if as_json:
        print_json(record | {"anew": found.anew, "unread": found.unread})
    else:
        _print(loaded, found)


def _check(workspace: Path | None, files: TaggedFiles, tagger: str, out: Path | None) -> None:
    from vernissage.taggers.register import TAGGERS

    if sum(place is not None for place in (workspace, files.images, files.texts)) != 1:
        raise RequestError("name one of these to tag: a workspace, pictures with --images, or texts with --texts")
    if out is not None and out.suffix not in (".csv", ".json"):
        raise RequestError(f"tags cannot be written as {out.suffix or out.name!r}; end the name in .csv or .json")
    reads = TAGGERS[tagger].reads if tagger in TAGGERS else ""
    given = "pictures" if files.images is not None else "texts" if files.texts is not None else ""
    if given and reads and reads != given:
        able = ", ".join(name for name, kind in TAGGERS.items() if kind.reads == given)
        raise RequestError(f"the tagger {tagger} reads {reads}, but {given} were given; choose from {able}")


def _tag_files(files: TaggedFiles, tagger: Any, batch_size: int, progress: "Progress") -> "Tagging":
    from vernissage.workspace.encoding_files import picture_files, read_texts
    from vernissage.workspace.tagging import Tagging, tag_pictures, tag_texts

    tags: dict[str, Tags] = {}
    if files.images is not None:
        pictures = picture_files(files.images)
        count, parts = len(pictures), tag_pictures(tagger, pictures, batch_size)
    elif files.texts is not None:
        captions = read_texts(files.texts)
        count, parts = len(captions), tag_texts(tagger, captions)
    for found in parts:
        tags |= found
        progress(f"Tagging with {tagger.name}", len(tags), count)
    return Tagging(tags, len(tags), 0)


def _write(out: Path, tagger: Any, record: "dict[str, Any]") -> None:
    """A table with the tags as a museum's keywords, or JSON; either says by which method."""
    from vernissage.files import csv_bytes, write_bytes, write_json
    from vernissage.taggers.contract import tagger_key

    if out.suffix == ".json":
        write_json(out, record)
        return
    key = tagger_key(tagger)
    rows = ([name, "|".join(found), key, tagger.method] for name, found in record["tags"].items())
    write_bytes(out, csv_bytes(["id", "tags", "tagger", "method"], rows))


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
    say(f"{len(counts)} different tags, the commonest: " + ", ".join(f"{tag} ({n})" for tag, n in commonest), "")
    step = max(1, len(found.tags) // _EXAMPLES)
    print_table(["id", "tags"], [[name, ", ".join(found.tags[name])] for name in list(found.tags)[::step][:_EXAMPLES]])
