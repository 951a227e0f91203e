"""Commands that show a collection as a whole: topics, map."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.cli.recommending import AsJson, WorkspacePath
from vernissage.errors import RequestError


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
    from vernissage.encoders.fitted.lda import LDA
    from vernissage.workspace.workspace import open_workspace

    if words < 1 or works < 0:
        raise RequestError(f"{words} words and {works} works were asked for; ask for at least 1 word and 0 works")
    opened = open_workspace(workspace)
    model = opened.encoder("lda")
    if not isinstance(model, LDA):
        raise RequestError(f"the workspace's lda is a {type(model).__name__}; build it again")
    table = opened.table("lda", "text")
    examples = [
        [table.item_ids[row] for row in sorted(range(len(table)), key=lambda r: -table.vectors[r, column])[:works]]
        for column in range(table.dim)
    ]
    if curve is not None:
        drawn = opened.path / "models" / opened.manifest.models["lda"] / "coherence.png"
        if not drawn.exists():
            raise RequestError("there is no coherence curve: only one number of topics was tried (given, or few texts)")
        _copy(drawn, curve)
        note(f"Curve written: {curve}")
    if as_json:
        print_json(
            {
                "topics": [
                    {
                        "number": topic.number,
                        "name": topic.name,
                        "share": topic.share,
                        "words": list(topic.words[:words]),
                        "works": shown,
                    }
                    for topic, shown in zip(model.topics, examples, strict=True)
                ],
                "coherence": {str(number): value for number, value in sorted(model.coherence.items())},
            }
        )
        return
    titles = [[opened.collection[item_id].title or item_id for item_id in shown] for shown in examples]
    rows = [
        [str(topic.number), f"{topic.share:.0%}", " ".join(topic.words[:words]), " · ".join(shown)]
        for topic, shown in zip(model.topics, titles, strict=True)
    ]
    print_table(["topic", "share", "words", "works"], rows, numbers=["topic", "share"])
    if len(model.coherence) > 1:
        best = f"coherence (NPMI) {model.coherence[len(model.topics)]:.3f}"
        say(f"{len(model.topics)} topics, chosen by {best} among {', '.join(map(str, sorted(model.coherence)))}")


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
    from vernissage.analysis.projection import project
    from vernissage.cli.engines import PAPER_IMAGE, PAPER_TEXT, encoder_index, in_words
    from vernissage.files import write_bytes
    from vernissage.pages.figures import save_figure
    from vernissage.pages.map_figure import map_figure, map_thumbnails
    from vernissage.pages.map_page import map_page
    from vernissage.recommenders.filters import values
    from vernissage.search.vectors import side_by_side
    from vernissage.workspace.workspace import open_workspace

    if out is None and html is None:
        raise RequestError("nothing would be written; name a picture (-o map.png) or a page (--html map.html)")
    opened = open_workspace(workspace)
    collection = opened.collection
    name = encoder or (PAPER_IMAGE if PAPER_IMAGE in opened.encoder_names else PAPER_TEXT)
    tables = [encoder_index(opened, part.strip()).table for part in name.split("+")]
    item_ids, vectors = side_by_side(tables)
    items = [collection[item_id] for item_id in item_ids]
    colours = ["; ".join(values(item, by.casefold())) for item in items]
    if by.casefold() != "group" and not any(colours):
        raise RequestError(f"no work has a field {by!r}; colour by group, artist, or a column of the table")
    title = f"{opened.collection_name} by {in_words(name, opened)}"
    with progress_bars() as progress:
        points = project(vectors, seed=seed, progress=progress)
        if out is not None:
            pictures = map_thumbnails(points, items, collection, progress=progress) if thumbnails else None
            save_figure(map_figure(points, colours, title=title, thumbnails=pictures), out)
            note(f"Picture written: {out}")
        if html is not None:
            page = map_page(points, items, collection, title=title, colour_by=colours, progress=progress)
            write_bytes(html, page.encode())
            note(f"Page written: {html}")
    left = len(collection) - len(items)
    say(f"{len(items)} works drawn" + (f"; {left} have nothing that {name} reads" if left else ""))


def _copy(source: Path, target: Path) -> None:
    from vernissage.files import writing

    with source.open("rb") as read, writing(target) as written:
        shutil.copyfileobj(read, written)


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command()(topics)
    app.command("map")(map_works)
