"""Commands that show a collection as a whole: topics, map."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.options import AsJson, WorkspacePath, command
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError


@command
def topics(
    workspace: WorkspacePath,
    words: Annotated[int, typer.Option(help="How many words of each topic to print.")] = 8,
    works: Annotated[int, typer.Option(help="How many example works of each topic to print.")] = 3,
    curve: Annotated[Path | None, typer.Option(help="Write the coherence curve here, as PNG.")] = None,
    as_json: AsJson = False,
) -> None:
    """The topics that LDA found in the texts, by their most telling words, with example works.

    \b
    Examples:
      vernissage topics workspace
      vernissage topics workspace --curve coherence.png
    """
    from vernissage.gallery.gallery import open_gallery

    with open_gallery(workspace, writing=False) as gallery:
        found = gallery.topics(words, works)
        titles = [[gallery.collection[item_id].title or item_id for item_id in each.works] for each in found.topics]
    if curve is not None:
        if found.curve is None:
            raise RequestError("there is no coherence curve: only one number of topics was tried (given, or few texts)")
        _copy(found.curve, curve)
        note(f"Curve written: {curve}")
    if as_json:
        coherence = {str(number): value for number, value in found.coherence.items()}
        print_json({"topics": [topic.to_dict() for topic in found.topics], "coherence": coherence})
        return
    rows = [
        [str(topic.number), f"{topic.share:.0%}", " ".join(topic.words), " · ".join(shown)]
        for topic, shown in zip(found.topics, titles, strict=True)
    ]
    print_table(["topic", "share", "words", "works"], rows, numbers=["topic", "share"])
    if len(found.coherence) > 1:
        best = f"coherence (NPMI) {found.coherence[len(found.topics)]:.3f}"
        say(f"{len(found.topics)} topics, chosen by {best} among {', '.join(map(str, found.coherence))}")


@command
def map_works(
    workspace: WorkspacePath,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the picture here: .png, .svg or .pdf.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page here that shows works on hover.")] = None,
    encoder: Annotated[
        str | None,
        typer.Option("--encoder", "-e", help="What places works: lda, lsa, colour-texture, or some with +."),
    ] = None,
    by: Annotated[str, typer.Option(help="What colours the works: group, artist, or another field.")] = "group",
    thumbnails: Annotated[bool, typer.Option(help="Draw some of the pictures on the map.")] = True,
    seed: Annotated[int, typer.Option(help="Equal seeds draw equal maps.")] = 0,
) -> None:
    """Draw all works as a map in which neighbours are alike (t-SNE), coloured by group.

    \b
    Examples:
      vernissage map workspace -o map.png --html map.html
      vernissage map workspace -o words.svg --encoder lda --by artist
    """
    from vernissage.files import write_bytes
    from vernissage.gallery.gallery import open_gallery
    from vernissage.pages.figures import save_figure
    from vernissage.pages.map_figure import map_figure, map_thumbnails
    from vernissage.pages.map_page import map_page

    if out is None and html is None:
        raise RequestError("nothing would be written; name a picture (-o map.png) or a page (--html map.html)")
    with open_gallery(workspace, writing=False) as gallery, progress_bars() as progress:
        found, collection = gallery.map(encoder, by, seed, progress=progress), gallery.collection
        title = f"{gallery.name} by {found.words}"
        if out is not None:
            pictures = map_thumbnails(found.points, found.items, collection, progress=progress) if thumbnails else None
            save_figure(map_figure(found.points, found.labels, title=title, thumbnails=pictures), out)
            note(f"Picture written: {out}")
        if html is not None:
            page = map_page(
                found.points, found.items, collection, title=title, colour_by=found.labels, progress=progress
            )
            write_bytes(html, page.encode())
            note(f"Page written: {html}")
    left = f"; {found.left_out} have nothing that {encoder or 'its encoder'} reads" if found.left_out else ""
    say(f"{len(found.items)} works drawn{left}")


def _copy(source: Path, target: Path) -> None:
    from vernissage.files import writing

    with source.open("rb") as read, writing(target) as written:
        shutil.copyfileobj(read, written)
