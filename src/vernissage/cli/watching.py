"""The command that takes works in from a folder while a service answers: ``vernissage watch``."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import AsJson, Place
from vernissage.cli.output import note, print_json, progress_bars, say
from vernissage.errors import Kind, RequestError, VernissageError

if TYPE_CHECKING:
    from vernissage.gallery.watching import FolderWatch

_LONGEST_WAIT = 60.0


def watch(
    place: Place,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where pictures, videos and .txt files are put.")],
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="Whose uploads they become.")],
    once: Annotated[bool, typer.Option("--once", help="Take in what is there, and end.")] = False,
    private: Annotated[bool, typer.Option("--private", help="Show the uploads to nobody else.")] = False,
    each: Annotated[float, typer.Option("--each", metavar="SECONDS", help="How often to look.")] = 0.5,
    as_json: AsJson = False,
) -> None:
    """Take in new files of a folder as they come: encoded, and in the answers of every server within seconds.

    A file's name is the id of the upload, and a file is read once it stays the same from one look to the next; write it
    under another name and rename it. Nothing is lost by a kill: the next watch goes on with what is left. What cannot
    be read is listed. End it with Ctrl-C.

    \b
    Examples:
      vernissage watch workspace incoming --owner newsroom
      vernissage watch workspace incoming --owner newsroom --once --json
    """
    from vernissage.gallery.watching import FolderWatch

    if not each > 0:
        raise RequestError(f"--each is {each}; give a number of seconds above 0")
    with place.gallery(writing=True) as gallery:
        watching = FolderWatch(gallery.person(owner), folder, "private" if private else "shared")
        if once:
            with progress_bars() as progress:
                watching.look(at_once=True, progress=progress)
        else:
            _until_stopped(watching, each)
    if as_json:
        print_json({"owner": owner, "taken": watching.taken, "problems": dict(watching.problems)})
        return
    if once:
        note(*watching.problems.values(), kind="left out")
    say(f"{watching.taken} file{'s' * (watching.taken != 1)} taken in; {len(watching.problems)} left out.")


def _until_stopped(watching: "FolderWatch", each: float) -> None:
    """Look until Ctrl-C; while the database is away, ever more seldom."""
    told, wait = frozenset[str](), each
    note("watching; end with Ctrl-C")
    try:
        while True:
            started, before = time.monotonic(), watching.taken
            try:
                watching.look()
            except VernissageError as error:
                if error.kind is not Kind.UNAVAILABLE:
                    raise
                wait = min(_LONGEST_WAIT, 2 * wait)
                note(f"{error}; looking again in {wait:.0f} s", kind="waiting")
            else:
                wait, problems = each, watching.problems
                note(*(problems[name] for name in problems.keys() - told), kind="left out")
                told = frozenset(problems)
                if new := watching.taken - before:
                    rate = new / (time.monotonic() - started)
                    note(f"{new} taken in at {rate:,.0f} a second, {watching.taken} in all")
            time.sleep(wait)
    except KeyboardInterrupt:
        return
