"""Commands about people: what they upload, rate and are interested in. ``vernissage person …`` and former names."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vernissage.cli.answers import write_page
from vernissage.cli.options import AreaWords, AsJson, DatabasePlace, EncoderName, Html, WorkspacePath, command
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.cli.recommending import numbers_by_name
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.gallery.areas import AreaChanges, AreaOptions, PersonAreas
    from vernissage.gallery.person import Person

_EXAMPLES = 3
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

person = typer.Typer(
    name="person",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="People's uploads, ratings and areas of interest.",
    context_settings=_SETTINGS,
)
PersonName = Annotated[str, typer.Argument(metavar="NAME", help="Who.")]


@dataclass(frozen=True)
class UploadWords:
    """What is said on the command line about one upload."""

    title: Annotated[str, typer.Option(help="The title of the only file, or of --text.")] = ""
    text: Annotated[str, typer.Option(help="Words about the only file, or a text by itself.")] = ""
    keywords: Annotated[str, typer.Option(help="Keywords of the only upload, with commas between them.")] = ""
    item_id: Annotated[str, typer.Option("--id", help="The id of the only upload; default: drawn at random.")] = ""


@dataclass(frozen=True)
class EditWords:
    """Changes of areas, each as it is written; all are about the areas as they are now."""

    mute: Annotated[
        list[str] | None, typer.Option(metavar="AREA", help="Do not listen to an area, as in --mute image:2; repeat.")
    ] = None
    unmute: Annotated[list[str] | None, typer.Option(metavar="AREA", help="Listen to it again.")] = None
    weight: Annotated[
        list[str] | None, typer.Option(metavar="AREA=W", help="Let it count W times as much; 1 as found.")
    ] = None
    rename: Annotated[list[str] | None, typer.Option(metavar="AREA=NAME", help="Call it by another name.")] = None
    merge: Annotated[
        list[str] | None, typer.Option(metavar="AREA,AREA", help="Make one area of several of one modality.")
    ] = None
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="AREA[=ID,ID]", help="Give these uploads an area of their own; without ids, halve it."),
    ] = None
    undo: Annotated[bool, typer.Option("--undo", help="Take the latest change back.")] = False

    def __bool__(self) -> bool:
        return self != EditWords()

    def changes(self) -> "AreaChanges":
        """What the words stand for.

        Raises:
            RequestError: one is not understood.
        """
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


@command
def upload(
    workspace: WorkspacePath,
    words: UploadWords,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Pictures, .txt files, or tables of uploads.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", "-o", help="Whose they are.")] = "",
    database: DatabasePlace = None,
    as_json: AsJson = False,
) -> None:
    """Upload a person's pictures and texts: all of them at once, or, if anything is wrong with one, none.

    A table (.csv, .json, .xlsx …) has an upload in each row, in columns id, picture, title, text, keywords and time.
    The same picture with the same words is kept once for each person, so a script may be run twice.

    \b
    Examples:
      vernissage person upload workspace --owner ann boat.jpg cat.png poem.txt
      vernissage person upload workspace --owner ann boat.jpg --title "A boat" --keywords "sea, boat"
      vernissage person upload workspace --owner ann --text "Fog over the harbour before sunrise"
      vernissage person upload workspace --owner ann uploads.csv --json
    """
    from vernissage.gallery.gallery import open_gallery
    from vernissage.gallery.upload_files import UploadText, submissions_from

    if not owner.strip():
        raise RequestError("whose uploads are these? name the person with --owner NAME")
    given = UploadText(words.item_id, words.title, words.text, words.keywords)
    submissions, remarks = submissions_from(files or (), given)
    with open_gallery(workspace, database=database) as gallery, progress_bars() as progress:
        kept, new = gallery.person(owner).upload(submissions, progress=progress)
    for line in remarks:
        note(f"note: {line}")
    if repeated := len(kept) - len([each for each in kept if each.id in new]):
        were = "was" if repeated == 1 else "were"
        note(f"note: {_uploads(repeated)} of {owner} {were} there already, with the same content")
    if as_json:
        listed = [
            {"id": each.id, "modality": each.modality, "title": each.title}
            | {"time": each.time.isoformat(), "new": each.id in new}
            for each in kept
        ]
        print_json({"owner": owner, "uploads": listed})
        return
    for each in kept:
        say(each.id)


@command
def rate(
    workspace: WorkspacePath,
    owner: PersonName,
    given: Annotated[list[str], typer.Argument(metavar="ID=RATING…", help="Ratings from 1 to 5; ID= takes one back.")],
    database: DatabasePlace = None,
    as_json: AsJson = False,
) -> None:
    """Keep a person's ratings, all or none; they join what the person uploaded when works are recommended.

    \b
    Examples:
      vernissage person rate workspace ann v012=5 v077=2
      vernissage person rate workspace ann v012=
    """
    from vernissage.gallery.gallery import open_gallery

    ratings = {word.rpartition("=")[0].strip(): word for word in given}
    values: dict[str, float | None] = {}
    for item_id, word in ratings.items():
        value = word.rpartition("=")[2].strip()
        try:
            values[item_id] = float(value) if value else None
        except ValueError:
            raise RequestError(f"the rating {word!r} is not understood; write ID=RATING, as in v012=5") from None
        if not item_id:
            raise RequestError(f"the rating {word!r} names no work; write ID=RATING, as in v012=5")
    with open_gallery(workspace, database=database) as gallery:
        rater = gallery.person(owner)
        rater.rate(values)
        kept = rater.ratings
    if as_json:
        print_json({"owner": owner, "ratings": kept})
    else:
        say(f"{owner} has rated {len(kept)} work{'s' * (len(kept) != 1)}.")


@command
def owners(workspace: WorkspacePath, database: DatabasePlace = None, as_json: AsJson = False) -> None:
    """Who owns works of the collection, or uploaded something, and how much; those with most first.

    \b
    Example:
      vernissage person list workspace
    """
    from vernissage.gallery.gallery import open_gallery

    with open_gallery(workspace, database=database, writing=False) as gallery:
        people = gallery.people()
    if as_json:
        print_json({"owners": people})
        return
    if not people:
        say("Nobody yet: no work of the collection names an owner, and nothing was uploaded.")
        return
    rows = [[each["owner"], str(each["works"]), str(each["uploads"])] for each in people]
    print_table(["owner", "works", "uploads"], rows, numbers=["works", "uploads"])
    say(f"{len(people)} {'person' if len(people) == 1 else 'people'}")


@command
def remove(
    workspace: WorkspacePath,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Uploads.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", "-o", help="Remove only what is this person's.")] = None,
    whole: Annotated[
        str | None, typer.Option("--person", help="Remove everything of this person: uploads, ratings, edits.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before everything of a person goes.")] = False,
    database: DatabasePlace = None,
    as_json: AsJson = False,
) -> None:
    """Remove uploads, or everything of a person: rows, picture files and vectors. Nothing of it can be brought back.

    \b
    Examples:
      vernissage person remove workspace 5f2a9c01d3b47e68 --owner ann
      vernissage person remove workspace --person ann
    """
    from vernissage.gallery.gallery import open_gallery

    if bool(ids) == bool(whole):
        raise RequestError("name the uploads to remove, or with --person NAME somebody of whom everything goes")
    if whole and owner:
        raise RequestError("--owner goes with the ids of uploads; for everything of a person --person is enough")
    with open_gallery(workspace, database=database, writing=False) as gallery:
        if whole is None:
            removal = gallery.repository.remove(ids or (), owner=owner)
        else:
            _confirm(whole, len(gallery.person(whole).uploads), yes=yes)
            removal = gallery.person(whole).delete()
        works = gallery.collection.owner_counts.get(whole or "", 0)
    if works:
        note(f"note: the collection's table names {whole} as owner of {works} works; these stay until it is changed")
    if as_json:
        print_json({"removed": list(removal.ids), "pictures": len(removal.pictures)})
        return
    said = f"Everything kept of {whole} was removed: " if whole else "Removed "
    say(f"{said}{_uploads(len(removal.ids))}, {len(removal.pictures)} of them with a picture.")


@command
def export(
    workspace: WorkspacePath,
    owner: PersonName,
    out: Annotated[Path, typer.Option("--out", "-o", help="A new .zip file.")],
    database: DatabasePlace = None,
) -> None:
    """Write everything that is kept of a person into a .zip: uploads with their pictures, ratings, changes of areas.

    \b
    Example:
      vernissage person export workspace ann --out ann.zip
    """
    from vernissage.gallery.gallery import open_gallery

    with open_gallery(workspace, database=database, writing=False) as gallery:
        counts = gallery.person(owner).export(out)
    say(f"{out}: " + ", ".join(f"{number} {what}" for what, number in counts.items()))


@command
def person_areas(
    workspace: WorkspacePath,
    owner: PersonName,
    words: AreaWords,
    encoder: EncoderName = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")] = 0,
    database: DatabasePlace = None,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """A person's areas of interest: which of their works and uploads belong together, with names, sizes and examples.

    Pictures and texts have areas of their own, called image:1, image:2 … and text:1 … as they are printed.

    \b
    Examples:
      vernissage person areas workspace ann --html areas.html
      vernissage person areas workspace ann --areas ward:2 --projection pca --json
    """
    _areas_of_person(workspace, owner, words, EditWords(), encoder, seed, database, as_json=as_json, html=html)


@command
def edit(
    workspace: WorkspacePath,
    owner: PersonName,
    edits: EditWords,
    words: AreaWords,
    encoder: EncoderName = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")] = 0,
    database: DatabasePlace = None,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """Change a person's areas of interest, and show them as they are then.

    Changes are kept and made again when new uploads arrive; several in one command are all about the areas as they
    were printed.

    \b
    Examples:
      vernissage person edit workspace ann --mute image:3 --rename "image:1=Sea and ships"
      vernissage person edit workspace ann --merge text:1,text:4 --weight image:2=0.5
      vernissage person edit workspace ann --undo
    """
    if not edits:
        raise RequestError(
            "nothing is to be changed; say what, as in --mute image:2, or take a change back with --undo"
        )
    _areas_of_person(workspace, owner, words, edits, encoder, seed, database, as_json=as_json, html=html)


@command
def areas(
    edits: EditWords,
    words: AreaWords,
    workspace: Annotated[Path | None, typer.Argument(help="A workspace; or, without it, --vectors.")] = None,
    owner: Annotated[str | None, typer.Argument(help="Whose areas.")] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="Instead of a workspace: a .npy file, one row for each upload.")
    ] = None,
    background: Annotated[
        Path | None,
        typer.Option(help="For --vectors: what will be searched, or the mean of its unit vectors, a .npy file."),
    ] = None,
    encoder: EncoderName = None,
    rule: Annotated[str | None, typer.Option(hidden=True, help="Former name of --areas.")] = None,
    seed: Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")] = 0,
    database: DatabasePlace = None,
    as_json: AsJson = False,
    html: Html = None,
) -> None:
    """Former name of `person areas`, `person edit` and `vectors areas`, which works on."""
    from dataclasses import replace

    if rule is not None:
        note(f"note: --rule is how ratings weigh; write --areas {rule}")
        words = replace(words, area_rule=rule)
    if vectors is not None:
        if workspace is not None or edits or html is not None or encoder is not None:
            raise RequestError(
                "--vectors goes without a workspace, an encoder, changes and --html; these need a person's uploads"
            )
        from vernissage.cli.vectors import areas_of_file

        areas_of_file(vectors, background, words, seed, as_json=as_json)
        return
    if workspace is None or owner is None:
        raise RequestError(
            "whose areas? write `vernissage person areas WORKSPACE NAME` (`vernissage person list WORKSPACE` lists "
            "people), or give a file of vectors with --vectors"
        )
    if background is not None:
        raise RequestError("--background is for --vectors; in a workspace it is the mean of what will be searched")
    _areas_of_person(workspace, owner, words, edits, encoder, seed, database, as_json=as_json, html=html)


def _areas_of_person(
    workspace: Path,
    owner: str,
    words: AreaWords,
    edits: EditWords,
    encoder: str | None,
    seed: int,
    database: str | None,
    *,
    as_json: bool,
    html: Path | None,
) -> None:
    from vernissage.gallery.areas import area_options, found_words
    from vernissage.gallery.gallery import open_gallery

    options = area_options(words.area_rule, words.projection, words.half_life, seed)
    with open_gallery(workspace, database=database, writing=bool(edits)) as gallery:
        whose = gallery.person(owner)
        with progress_bars() as progress:
            found = _edited(whose, edits, encoder, options, progress)
        if html is not None:
            from vernissage.pages.areas import areas_page

            pictures, seen = gallery.snapshot.picture_path, found_words(found)
            write_page(
                html,
                lambda progress: areas_page(found, pictures, title=gallery.name, engine=seen, progress=progress),
            )
    for line in found.notes:
        note(f"note: {line}")
    if as_json:
        print_json(found.to_dict())
    else:
        _print_areas(found)


def _edited(
    whose: "Person", edits: EditWords, encoder: str | None, options: "AreaOptions", progress: Any
) -> "PersonAreas":
    """The areas after the changes, if any."""
    if edits.undo:
        note(f"Taken back: {whose.undo()}")
    if changes := edits.changes():
        return whose.edit(changes, encoder=encoder, areas=options, progress=progress)
    return whose.areas(encoder, options, progress=progress)


def _print_areas(found: "PersonAreas") -> None:
    from vernissage.gallery.areas import area_key
    from vernissage.gallery.selecting import title_or_text
    from vernissage.pages.areas import typical

    for modality, each in found.by_modality.items():
        uploads, total = each.uploads, float(each.uploads.weights.sum()) or 1.0
        rows = []
        for number, area in enumerate(uploads.areas):
            examples = [uploads.item_ids[row] for row in typical(uploads, number, _EXAMPLES)]
            named = ", ".join(f"{title_or_text(found.items[item_id])} ({item_id})" for item_id in examples)
            weight = f"{uploads.weights[number] / total:.0%}" if uploads.weights[number] else "muted"
            rows.append([area_key(modality, number), uploads.names[number], str(len(area)), weight, named])
        print_table(["area", "name", "uploads", "weight", "such as"], rows, numbers=["uploads", "weight"])
        kind = {"image": "picture", "text": "text"}[modality] + "s" * (len(uploads) != 1)
        say(f"{len(uploads)} {kind} of {found.owner} in {len(rows)} area{'s' * (len(rows) != 1)}, by {found.encoder}")
        say("")


def _confirm(name: str, uploads: int, *, yes: bool) -> None:
    """Ask whether everything of a person shall go.

    Raises:
        RequestError: there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise RequestError(f"{_uploads(uploads)} of {name} and all that is kept of them would go; add --yes to agree")
    typer.confirm(f"Remove {_uploads(uploads)} and everything else kept of {name}, for good?", abort=True, err=True)


def _uploads(number: int) -> str:
    return f"{number} upload{'s' * (number != 1)}"


def _register(commands: Sequence[tuple[str, Any]]) -> None:
    for name, function in commands:
        person.command(name)(function)


_register(
    [
        ("upload", upload),
        ("rate", rate),
        ("list", owners),
        ("areas", person_areas),
        ("edit", edit),
        ("remove", remove),
        ("export", export),
    ]
)
