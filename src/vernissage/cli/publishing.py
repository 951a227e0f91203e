"""The command that writes a collection as files for any web server: publish."""

import os
from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.options import Place, WorkspacePath, option
from vernissage.cli.output import note, progress_bars, say

_SHOWN_NOTES = 5


def publish(
    workspace: WorkspacePath,
    out: Annotated[Path, typer.Argument(help="The folder to write into: empty, new, or an earlier publication.")],
    related: int = option(6, "How many works like each one.", min=1, max=100),
    width: list[int] | None = option(None, "Width of pictures in pixels; repeat. Default 320, 640.", min=16, max=4000),
    base_url: str = option("", "Where the files will lie on the web; IIIF manifests need it.", metavar="URL"),
    per: list[str] | None = option(None, "At most N related works of one artist, owner …; repeat.", metavar="COLUMN=N"),
    look: Path | None = option(None, "A settings file whose table [look] is the museum's own look.", metavar="FILE"),
    workers: int | None = option(None, "Processes that work side by side; default: one for each core.", min=1),
) -> None:
    """Write a collection as files: related works with reasons, pages, pictures, IIIF manifests, the widget.

    Any web server can serve them, and pages open from disk. Run again after a build, it writes what changed alone.

    \b
    Examples:
      vernissage publish workspace site
      vernissage publish workspace site --base-url https://museum.example/works --per artist=2
      vernissage publish workspace site --look museum.toml
    """
    from vernissage.cli.recommending import read_caps
    from vernissage.pages import publishing
    from vernissage.pages.look import Look, read_look

    own = read_look(look) if look is not None else Look()
    options = publishing.PublishOptions(related, tuple(width or publishing.WIDTHS), base_url, read_caps(per or []), own)
    processes = workers or os.cpu_count() or 1
    with Place(workspace).gallery(people=False) as gallery, progress_bars() as progress:
        done = publishing.publish(gallery, out, options, processes=processes, progress=progress)
    note(*done.notes[:_SHOWN_NOTES], kind="note")
    if len(done.notes) > _SHOWN_NOTES:
        note(f"… and {len(done.notes) - _SHOWN_NOTES} more", kind="note")
    counts = f"{done.written:,} files written, {done.unchanged:,} unchanged, {done.removed:,} removed"
    say(f"{done.works:,} works in {out}: {counts}")
    say(f"Open {out / 'index.html'}")
