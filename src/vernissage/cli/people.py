"""Commands about people: what they upload, rate and are interested in. ``vernissage person …`` and former names."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.answers import write_page
from vernissage.cli.groups import Group
from vernissage.cli.options import (
    AreaSeed,
    AreaWords,
    AsJson,
    DatabasePlace,
    EncoderName,
    Html,
    Place,
    argument,
    given,
    option,
)
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.cli.recommending import numbers_by_name
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.gallery.areas import AreaChanges, PersonAreas
    from vernissage.gallery.gallery import Gallery

_EXAMPLES = 3

person = Group("person", "People's uploads, ratings and areas of interest.", no_args_is_help=True)
PersonName = Annotated[str, typer.Argument(metavar="NAME", help="Who.")]


@dataclass(frozen=True)
class AskedAreas(AreaWords):
    """Which areas of interest are found, and how they are shown."""

    encoder: EncoderName = None
    seed: AreaSeed = 0
    as_json: AsJson = False
    html: Html = None


@dataclass(frozen=True)
class UploadWords:
    """What is said on the command line about one upload."""

    title: str = option("", "The title of the only file, or of --text.")
    text: str = option("", "Words about the only file, or a text by itself.")
    keywords: str = option("", "Keywords of the only upload, with commas between them.")
    item_id: str = option("", "The id of the only upload; default: drawn at random.", "--id")
    private: bool = option(False, "Show the uploads to nobody else.", "--private")


@dataclass(frozen=True)
class EditWords:
    """Changes of areas, each as it is written; all are about the areas as they are now."""

    mute: list[str] | None = option(None, "Do not listen to an area, as in --mute image:2; repeat.", metavar="AREA")
    unmute: list[str] | None = option(None, "Listen to it again.", metavar="AREA")
    weight: list[str] | None = option(None, "Let it count W times as much; 1 as found.", metavar="AREA=W")
    rename: list[str] | None = option(None, "Call it by another name.", metavar="AREA=NAME")
    merge: list[str] | None = option(None, "Make one area of several of one modality.", metavar="AREA,AREA")
    split: list[str] | None = option(
        None, "Give these uploads an area of their own; without ids, halve it.", metavar="AREA[=ID,ID]"
    )
    undo: bool = option(False, "Take the latest change back.", "--undo")

    def changes(self) -> "AreaChanges":
        """What the words stand for. Raises RequestError: one is not understood."""
        from vernissage.gallery.areas import AreaChanges

        splits: dict[str, list[list[str]]] = {}
        for word in self.split or ():
            key, _, ids = word.partition("=")
            splits.setdefault(key, []).append([each.strip() for each in ids.split(",") if each.strip()])
        return AreaChanges(
            self.mute or (),
            self.unmute or (),
            numbers_by_name(self.weight or (), "weight", "AREA=NUMBER, as in --weight image:2=0.5"),
            dict(_named(word) for word in self.rename or ()),
            [word.split(",") for word in self.merge or ()],
            splits,
        )


def _named(word: str) -> tuple[str, str]:
    key, sign, name = word.partition("=")
    if not sign or not name.strip():
        raise RequestError(f'{word!r} is not understood; write AREA=NAME, as in --rename "image:2=Sea and ships"')
    return key, name.strip()


@person.command("upload")
def upload(
    place: Place,
    words: UploadWords,
    owner: str | None = argument(None, "Who.", metavar="NAME"),
    files: list[Path] | None = argument(None, "Pictures, .txt files, or tables of uploads.", metavar="FILE"),
    former: str | None = option(None, "Former way to say NAME.", "--owner", hidden=True),
    as_json: AsJson = False,
) -> None:
    """Upload a person's pictures and texts: all of them at once, or, if anything is wrong with one, none.

    A table (.csv, .json, .xlsx …) has an upload in each row, in columns id, picture, title, text, keywords and time.
    The same picture with the same words is kept once for each person, so a script may be run twice.

    \b
    Examples:
      vernissage person upload workspace ann boat.jpg cat.png poem.txt
      vernissage person upload workspace ann boat.jpg --title "A boat" --keywords "sea, boat"
      vernissage person upload workspace ann --text "Fog over the harbour before sunrise"
      vernissage person upload workspace ann uploads.csv --json
    """
    from vernissage.catalog.words import keyword_separator, split_keywords
    from vernissage.gallery.upload_files import submissions_from
    from vernissage.workspace.uploading import Submission

    if former is not None:  # then all that stands behind the workspace are files
        files, owner = [*([Path(owner)] if owner else []), *(files or ())], former
    if owner is None or not owner.strip():
        raise RequestError("whose uploads are these? name the person, as in `person upload WORKSPACE NAME FILE`")
    keywords = split_keywords(words.keywords, keyword_separator([words.keywords]))
    about = Submission(None, words.title, words.text, keywords, words.item_id)
    submissions, remarks = submissions_from(files or (), about)
    given = [replace(each, visibility="private") for each in submissions] if words.private else submissions
    with place.gallery(writing=True) as gallery, progress_bars() as progress:
        kept, new = gallery.person(owner).upload(given, progress=progress)
    note(*remarks, kind="note")
    if repeated := len(kept) - len([each for each in kept if each.id in new]):
        were = "was" if repeated == 1 else "were"
        note(f"{_uploads(repeated)} of {owner} {were} there already, with the same content", kind="note")
    if as_json:
        listed = [
            {"id": each.id, "modality": each.modality, "title": each.title}
            | {"time": each.time.isoformat(), "new": each.id in new, "visibility": each.visibility}
            for each in kept
        ]
        print_json({"owner": owner, "uploads": listed})
        return
    say(*[each.id for each in kept])


@person.command("rate")
def rate(
    place: Place,
    owner: PersonName,
    ratings: Annotated[
        list[str], typer.Argument(metavar="ID=RATING…", help="Ratings from 1 to 5; ID= takes one back.")
    ],
    as_json: AsJson = False,
) -> None:
    """Keep a person's ratings, all or none; they join what the person uploaded when works are recommended.

    \b
    Examples:
      vernissage person rate workspace ann v012=5 v077=2
      vernissage person rate workspace ann v012=
    """
    values: dict[str, float | None] = {}
    for word in ratings:
        item_id, _, value = word.rpartition("=")
        try:
            values[item_id.strip()] = float(value) if value.strip() else None
        except ValueError:
            raise RequestError(f"the rating {word!r} is not understood; write ID=RATING, as in v012=5") from None
        if not item_id.strip():
            raise RequestError(f"the rating {word!r} names no work; write ID=RATING, as in v012=5")
    with place.gallery(writing=True) as gallery:
        rater = gallery.person(owner)
        rater.rate(values)
        kept = rater.ratings
    if as_json:
        print_json({"owner": owner, "ratings": kept})
    else:
        say(f"{owner} has rated {len(kept)} work{'s' * (len(kept) != 1)}.")


@person.command("list")
def owners(place: Place, as_json: AsJson = False) -> None:
    """Who owns works of the collection, uploaded or rated something, and how much; those with most first.

    \b
    Example:
      vernissage person list workspace
    """
    with place.gallery() as gallery:
        people = gallery.people()
    if as_json:
        print_json({"owners": people})
        return
    if not people:
        say("Nobody yet: no work of the collection names an owner, and nothing was uploaded or rated.")
        return
    heads = ["owner", "works", "uploads", "ratings"]
    print_table(heads, [[each[head] for head in heads] for each in people], numbers=heads[1:])
    say(f"{len(people)} {'person' if len(people) == 1 else 'people'}")


@person.command("remove")
def remove(
    place: Place,
    words: list[str] | None = argument(
        None, "Whose, and the ids of uploads; of anybody without NAME.", metavar="[NAME] ID…"
    ),
    whole: str | None = option(None, "Remove everything of this person: uploads, ratings, edits.", "--person"),
    former: str | None = option(None, "Former way to say NAME.", "--owner", hidden=True),
    yes: bool = option(False, "Do not ask before everything of a person goes.", "--yes", "-y"),
    as_json: AsJson = False,
) -> None:
    """Remove uploads, or everything of a person: rows, picture files and vectors. Nothing of it can be brought back.

    \b
    Examples:
      vernissage person remove workspace ann 5f2a9c01d3b47e68
      vernissage person remove workspace --person ann
    """
    if bool(words) == bool(whole):
        raise RequestError("name the uploads to remove, or with --person NAME somebody of whom everything goes")
    if whole and former:
        raise RequestError("--owner goes with the ids of uploads; for everything of a person --person is enough")
    with place.gallery() as gallery:
        owner, ids = _owner_and_ids(gallery, words or (), former)
        if gallery.repository.finished_erasures:
            note("a removal that was interrupted before is finished now: its files are gone as well", kind="note")
        if whole is None:
            removal = gallery.repository.remove(ids, owner=owner)
        else:
            theirs = _uploads(len(gallery.person(whole).uploads))
            if not yes and not sys.stdin.isatty():
                raise RequestError(f"{theirs} of {whole} and all that is kept of them would go; add --yes to agree")
            if not yes:
                typer.confirm(f"Remove {theirs} and everything else kept of {whole}, for good?", abort=True, err=True)
            removal = gallery.person(whole).delete()
        works = gallery.collection.owner_counts.get(whole or "", 0)
    if works:
        stay = "these stay until it is changed"
        note(f"the collection's table names {whole} as owner of {works} works; {stay}", kind="note")
    if as_json:
        print_json({"removed": list(removal.ids), "pictures": len(removal.pictures)})
        return
    said = f"Everything kept of {whole} was removed: " if whole else "Removed "
    say(f"{said}{_uploads(len(removal.ids))}, {len(removal.pictures)} of them with a picture.")


def _owner_and_ids(gallery: "Gallery", words: Sequence[str], former: str | None) -> tuple[str | None, Sequence[str]]:
    """Whose uploads are meant, None for anybody's, and their ids."""
    if former is not None or not words or all(each["owner"] != words[0] for each in gallery.people()):
        return former, words
    if len(words) == 1:
        raise RequestError(f"which uploads of {words[0]}? name their ids, or remove everything by --person {words[0]}")
    return words[0], words[1:]


@person.command("export")
def export(
    place: Place, owner: PersonName, out: Annotated[Path, typer.Option("--out", "-o", help="A new .zip file.")]
) -> None:
    """Write everything that is kept of a person into a .zip: uploads with their pictures, ratings, changes of areas.

    \b
    Example:
      vernissage person export workspace ann --out ann.zip
    """
    with place.gallery() as gallery:
        counts = gallery.person(owner).export(out)
    say(f"{out}: " + ", ".join(f"{number} {what}" for what, number in counts.items()))


@person.command("areas")
def person_areas(place: Place, owner: PersonName, asked: AskedAreas) -> None:
    """A person's areas of interest: which of their works and uploads belong together, with names, sizes and examples.

    Pictures and texts have areas of their own, called image:1, image:2 … and text:1 … as they are printed.

    \b
    Examples:
      vernissage person areas workspace ann --html areas.html
      vernissage person areas workspace ann --areas ward:2 --projection pca --json
    """
    _areas_of_person(place, owner, asked)


@person.command("edit")
def edit(place: Place, owner: PersonName, edits: EditWords, asked: AskedAreas) -> None:
    """Change a person's areas of interest, and show them as they are then.

    Changes are kept and made again when new uploads arrive; several in one command are all about the areas as they
    were printed.

    \b
    Examples:
      vernissage person edit workspace ann --mute image:3 --rename "image:1=Sea and ships"
      vernissage person edit workspace ann --merge text:1,text:4 --weight image:2=0.5
      vernissage person edit workspace ann --undo
    """
    if not given(edits):
        raise RequestError(
            "nothing is to be changed; say what, as in --mute image:2, or take a change back with --undo"
        )
    _areas_of_person(place, owner, asked, edits)


def areas(
    edits: EditWords,
    asked: AskedAreas,
    workspace: Path | None = argument(None, "A workspace; or, without it, --vectors."),
    owner: str | None = argument(None, "Whose areas."),
    vectors: Path | None = option(None, "Instead of a workspace: a .npy file, one row for each upload."),
    background: Path | None = option(
        None, "For --vectors, a .npy file: what will be searched, or the mean of its unit vectors."
    ),
    rule: str | None = option(None, "Former name of --areas.", hidden=True),
    database: DatabasePlace = None,
) -> None:
    """Former name of `person areas`, `person edit` and `vectors areas`, which works on."""
    if rule is not None:
        note(f"--rule is how ratings weigh; write --areas {rule}", kind="note")
        asked = replace(asked, area_rule=rule)
    if vectors is not None:
        if workspace is not None or given(edits) or asked.html is not None or asked.encoder is not None:
            raise RequestError(
                "--vectors goes without a workspace, an encoder, changes and --html; these need a person's uploads"
            )
        from vernissage.cli.vectors import areas_of_file

        areas_of_file(vectors, background, asked, asked.seed, as_json=asked.as_json)
        return
    if workspace is None or owner is None:
        raise RequestError(
            "whose areas? write `vernissage person areas WORKSPACE NAME` (`vernissage person list WORKSPACE` lists "
            "people), or give a file of vectors with --vectors"
        )
    if background is not None:
        raise RequestError("--background is for --vectors; in a workspace it is the mean of what will be searched")
    _areas_of_person(Place(workspace, database), owner, asked, edits)


def _areas_of_person(place: Place, owner: str, asked: AskedAreas, edits: EditWords | None = None) -> None:
    """Show areas after the changes, if any."""
    options = asked.options(asked.seed)
    with place.gallery(writing=edits is not None and given(edits)) as gallery:
        whose = gallery.person(owner)
        with progress_bars() as progress:
            if edits is not None and edits.undo:
                note(f"Taken back: {whose.undo()}")
            if edits is not None and (changes := edits.changes()):
                found = whose.edit(changes, encoder=asked.encoder, areas=options, progress=progress)
            else:
                found = whose.areas(asked.encoder, options, progress=progress)
        if asked.html is not None:
            from vernissage.pages.visitor.areas import areas_file

            told = {"title": gallery.name, "seen": gallery.snapshot.seen}
            write_page(asked.html, areas_file, found, gallery.snapshot.picture_path, **told)
    note(*found.notes, kind="note")
    if asked.as_json:
        print_json(found.to_dict())
    else:
        _print_areas(found)


def _print_areas(found: "PersonAreas") -> None:
    from vernissage.gallery.areas import area_key
    from vernissage.pages.visitor.areas import typical
    from vernissage.taggers.contract import marked
    from vernissage.values import MODALITY_CARDS

    for modality, each in found.by_modality.items():
        uploads, total = each.uploads, float(each.uploads.weights.sum()) or 1.0
        rows = []
        for number, area in enumerate(uploads.areas):
            examples = [uploads.item_ids[row] for row in typical(uploads, number, _EXAMPLES)]
            named = ", ".join(f"{found.called(item_id)} ({item_id})" for item_id in examples)
            weight = f"{uploads.weights[number] / total:.0%}" if uploads.weights[number] else "muted"
            name = marked(uploads.names[number], found.by_software(modality, number))
            rows.append([area_key(modality, number), name, len(area), weight, named])
        print_table(["area", "name", "uploads", "weight", "such as"], rows, numbers=["uploads", "weight"])
        kind = MODALITY_CARDS[modality].one if len(uploads) == 1 else MODALITY_CARDS[modality].many
        areas = f"{len(rows)} area{'s' * (len(rows) != 1)}"
        say(f"{len(uploads)} {kind} of {found.owner} in {areas}, by {found.encoder}", "")


def _uploads(number: int) -> str:
    return f"{number} upload{'s' * (number != 1)}"
