"""Commands that show a collection as a whole: topics, map."""

from dataclasses import asdict
from pathlib import Path

from vernissage.cli.answers import write_page
from vernissage.cli.options import AsJson, Place, WorkspacePath, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError


def topics(
    workspace: WorkspacePath,
    words: int = option(8, "How many words of each topic to print."),
    works: int = option(3, "How many example works of each topic to print."),
    curve: Path | None = option(None, "Write the coherence curve here, as PNG."),
    as_json: AsJson = False,
) -> None:
    """The topics that LDA found in the texts, by their most telling words, with example works.

    \b
    Examples:
      vernissage topics workspace
      vernissage topics workspace --curve coherence.png
    """
    from vernissage.files import write_bytes

    with Place(workspace).gallery(people=False) as gallery:
        found = gallery.topics(words, works)
        titles = [[gallery.collection[item_id].title or item_id for item_id in each.works] for each in found.topics]
    if curve is not None:
        if found.curve is None:
            raise RequestError("there is no coherence curve: only one number of topics was tried (given, or few texts)")
        write_bytes(curve, found.curve())
        note(f"Curve written: {curve}")
    note(*found.notes, kind="note")
    if as_json:
        coherence = {str(number): value for number, value in found.coherence.items()}
        print_json(
            {"topics": [asdict(topic) for topic in found.topics], "coherence": coherence, "notes": list(found.notes)}
        )
        return
    rows = [
        [topic.number, f"{topic.share:.0%}", " ".join(topic.words), " · ".join(shown)]
        for topic, shown in zip(found.topics, titles, strict=True)
    ]
    print_table(["topic", "share", "words", "works"], rows, numbers=["topic", "share"])
    if len(found.coherence) > 1:
        best = f"coherence (NPMI) {found.coherence[len(found.topics)]:.3f}"
        say(f"{len(found.topics)} topics, chosen by {best} among {', '.join(map(str, found.coherence))}")


def map_works(
    workspace: WorkspacePath,
    out: Path | None = option(None, "Write the picture here: .png, .svg or .pdf.", "--out", "-o"),
    html: Path | None = option(None, "Write a page here, one file, that zooms and shows works on hover."),
    tiles: bool = option(False, "Draw the map of the pages that serve shows, before anybody asks for it."),
    encoder: str | None = option(
        None, "What places works: lda, lsa, colour-texture, or some with +.", "--encoder", "-e"
    ),
    by: str = option("group", "What colours the works: group, artist, or another field."),
    vikus: Path | None = option(None, "Write the data folder of VIKUS Viewer here: table, map, sprites."),
    atlas: Path | None = option(None, "Write x, y and the works' fields here, as Parquet for Embedding Atlas."),
    thumbnails: bool = option(True, "Draw some of the pictures on the map."),
    seed: int = option(0, "Equal seeds draw equal maps."),
) -> None:
    """Draw all works as a map in which neighbours are alike (t-SNE), coloured by group.

    \b
    Examples:
      vernissage map workspace -o map.png --html map.html
      vernissage map workspace -o words.svg --encoder lda --by artist
      vernissage map workspace --tiles
      vernissage map workspace --vikus viewer/data --atlas works.parquet
    """
    from vernissage.pages.figures import require_figure, save_figure
    from vernissage.pages.map_exports import write_atlas, write_vikus
    from vernissage.pages.map_figure import map_figure, map_thumbnails
    from vernissage.pages.map_tiles import keep_map
    from vernissage.pages.visitor.map import map_in_one_file

    if not (drawn := any((out, html, vikus, atlas))) and not tiles:
        raise RequestError(
            "nothing would be written; name a picture (-o map.png) or a page (--html map.html), or give --tiles"
        )
    if out is not None:
        require_figure(out)
    with Place(workspace).gallery(people=False) as gallery:
        if tiles:
            with progress_bars() as progress:
                folder, notes = keep_map(gallery, progress)
            note(*notes, kind="warning")
            note(f"Map of the pages: {folder}")
        if not drawn:
            return
        works, title = gallery.collection, gallery.name
        with progress_bars() as progress:
            found = gallery.map(encoder, by, seed, progress=progress)
            title += f" by {found.words}"
            if vikus is not None:
                count = write_vikus(found, vikus, gallery.name, gallery.snapshot.picture_path, progress)
                note(f"Data folder of VIKUS Viewer written: {vikus}, {count} works with a picture")
            if out is not None:
                pictures = map_thumbnails(found.points, found.items, works, progress=progress) if thumbnails else None
                save_figure(map_figure(found.points, found.labels, title=title, thumbnails=pictures), out)
                note(f"Picture written: {out}")
        if atlas is not None:
            write_atlas(found, atlas)
            note(f"Table for Embedding Atlas written: {atlas}; open it with --x x --y y --text text")
        if html is not None:
            write_page(html, map_in_one_file, found, gallery.snapshot.picture_path, title=title)
    left = f"; {found.left_out} have nothing that {encoder or 'its encoder'} reads" if found.left_out else ""
    beside = f"; {found.beside} of them beside the most similar of those that t-SNE placed" if found.beside else ""
    say(f"{len(found.items)} works drawn{beside}{left}")
