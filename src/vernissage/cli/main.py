"""The command ``vernissage`` and how it ends: 0, or one line that says what is wrong and another code."""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

import typer

from vernissage import __version__
from vernissage.cli.groups import SETTINGS, LazyGroup, as_command
from vernissage.errors import VernissageError

# Without work, OpenBLAS's threads spin for about a tenth of a second, which is a fifth of a short command's CPU time.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def _plugins() -> dict[str, Any]:
    """Commands of other packages, by name: the entry-point group ``vernissage.commands`` names Typer applications."""
    from importlib.metadata import entry_points  # a tenth of the start of a command that needs no plug-in

    return {each.name: each for each in entry_points(group="vernissage.commands")}


_SECTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Workspaces": {
            "build": "Read a collection and make its vectors; again after changes.",
            "sync": "Take over what changed in what a workspace was built from.",
            "info": "Say what is in a workspace: works, people, encoders, sizes.",
            "check": "Check every byte of a workspace against what it should be.",
            "index": "What searches a workspace's vectors: exact, or another kind.",
            "tune": "Measure which kind of index serves best, and choose it.",
            "purge": "Delete what is left of works that were taken down.",
            "mappings": "The shapes of museums' dumps that build knows by name.",
            "doctor": "Say what is installed and what this machine can run.",
        },
        "Works": {
            "recommend": "Recommend works for ratings, or for what a person uploaded.",
            "similar": "The works that resemble one work most, or several.",
            "search": "Search by words or by a picture, in texts and pictures.",
            "map": "Draw all works as a map in which neighbours are alike.",
            "topics": "The topics of the texts, by their most telling words.",
        },
        "People": {
            "person": "People's uploads, ratings and areas of interest.",
            "watch": "Take in new files of a folder as they come.",
        },
        "Service": {
            "serve": "Serve a collection: REST API, and a study.",
            "mcp": "Let an assistant read a collection: Model Context Protocol.",
            "publish": "Write a collection as files for any web server.",
            "report": "What visitors opened: by engine and place, coverage, splits.",
            "admin": "Keys of the REST API.",
        },
        "More": {
            "study": "A user study of engines, from consent to the statistics.",
            "vectors": "Vectors of pictures and texts, for use elsewhere.",
            "encoders": "Encoders: what there is, exports, tags.",
        },
    }
)
_MODULES = {
    "admin": "admin",
    "building": "build sync info check purge mappings",
    "indexing": "index tune",
    "models": "doctor encoders export-onnx tag",
    "overview": "map topics",
    "people": "person upload remove owners areas",
    "publishing": "publish",
    "recommending": "recommend similar search",
    "serving": "serve mcp",
    "study": "study",
    "usage": "report",
    "vectors": "vectors encode",
    "watching": "watch",
}
"""Where commands are defined; those in no section are former names, which work on."""


class _Commands(LazyGroup):
    """The command's sub-commands; plug-ins stand in the last section."""

    sections = _SECTIONS
    places = MappingProxyType(
        {
            name: f"vernissage.cli.{module}:{'map_works' if name == 'map' else name.replace('-', '_')}"
            for module, names in _MODULES.items()
            for name in names.split()
        }
    )

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *_plugins()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        plugins = {name: as_command(each.load(), name) for name, each in _plugins().items()}
        if cmd_name in plugins:
            return plugins[cmd_name]
        # What is a plug-in's own command may be called without the plug-in's name.
        return next((found for each in plugins.values() if (found := each.get_command(ctx, cmd_name))), None)

    def headings(self) -> Mapping[str, Mapping[str, str]]:
        last = list(self.sections)[-1]
        plugins = {name: each.load().info.help or "" for name, each in _plugins().items()}
        return {**self.sections, last: {**self.sections[last], **plugins}}


app = typer.Typer(
    name="vernissage",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=SETTINGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vernissage {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Recommend works of a collection to a person, from a handful of ratings or from their uploads, with reasons.

    \b
    First steps:
      vernissage lab sample gallery                    paint a sample collection
      vernissage build gallery -o workspace            read it and make its vectors
      vernissage recommend workspace --rate ID=5       works for a visitor, with reasons
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; print an error as one line on standard error.

    Exit codes: 0; 2 misused; 70 a fault of the program; 130 stopped; else that of the error's kind
    (`vernissage.errors.Kind`), 1 for most.
    """
    gc.set_threshold(100_000, 20, 20)  # Python's 700 looks through all imported modules again and again
    try:
        code = _run(list(arguments) if arguments is not None else None)
        sys.stdout.flush()
    except VernissageError as error:
        _end(str(error), error.kind.exit_code)
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # Typer holds its own copy of Click, without a public name
            print(error, file=sys.stderr)
            sys.exit(2)
        formatted, context = getattr(error, "format_message", None), getattr(error, "ctx", None)
        message = str(formatted() if formatted is not None else error).rstrip(".")
        _end(f"{message}; see `{context.command_path if context is not None else 'vernissage'} --help`", 2)
    except (KeyboardInterrupt, typer.Abort):
        _end(
            "stopped; nothing half-written is left, and a build goes on from what it had finished when run again",
            _STOPPED,
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        import errno

        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        way_out = "free space and run the same command again" if full else "check the path and its permissions"
        _end(f"{error.filename or 'the system'}: {error.strerror or error}; {way_out}", 6 if full else 1)
    except MemoryError:
        _end("the memory is not enough for this; close other programs, or work on a smaller collection", 1)
    except (typer.Exit, SystemExit):
        raise
    except Exception as error:
        # A fault of the program's own, or of a library on a file that no check knows: its trace goes to a file.
        _end(_unexpected(error), _UNEXPECTED)
    sys.exit(code if isinstance(code, int) else 0)


def _run(arguments: list[str] | None) -> object:
    code = app(args=arguments, standalone_mode=False)
    if code == _STOPPED:  # Typer makes this of Ctrl-C, and says nothing
        raise KeyboardInterrupt
    return code


_STOPPED = 130
"""The exit code after Ctrl-C, 128 and the number of the signal."""
_LONGEST = 1000
"""Letters of an error."""
_UNEXPECTED = 70
"""The exit code of a fault in the program, EX_SOFTWARE of sysexits.h."""


def _unexpected(error: Exception) -> str:
    """What is said of an error that nothing foresees, with the place of its trace."""
    import tempfile
    import traceback

    said = f"{type(error).__name__}: {error}"[:200]
    with tempfile.NamedTemporaryFile("w", prefix="vernissage-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write("".join(traceback.format_exception(error)))
    return f"this should not have happened ({said}); please report it with {file.name}, after reading what is in it"


def _end(message: str, code: int) -> None:
    from vernissage.cli.output import visible

    said = " ".join(message.split())
    if len(said) > _LONGEST:  # a stranger's value; the way out stands at the end
        said = f"{said[: _LONGEST // 2]} … {said[-_LONGEST // 2 :]}"
    print(visible(f"error: {said}"), file=sys.stderr)
    sys.exit(code)
