"""The command ``vernissage`` and how it ends: 0, or one line that says what is wrong and another code."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Annotated

import typer

from vernissage import __version__
from vernissage.cli import (
    areas,
    encoding,
    models,
    onnx,
    overview,
    owners,
    recommending,
    serving,
    study,
    tagging,
    uploading,
    workspaces,
)
from vernissage.errors import VernissageError

_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="vernissage",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Recommend works of a collection to a person, from a handful of ratings, with reasons.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
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
    """Recommend works of a collection to a person, from a handful of ratings, with reasons.

    \b
    First steps:
      vernissage sample gallery                        paint a sample collection
      vernissage build gallery -o workspace            read it and make its vectors
      vernissage recommend workspace --rate ID=5       works for a visitor, with reasons
    """


for module in (
    workspaces,
    recommending,
    overview,
    uploading,
    owners,
    areas,
    tagging,
    study,
    serving,
    encoding,
    models,
    onnx,
):
    module.add_commands(app)
for plugin in entry_points(group="vernissage.commands"):
    plugin.load()(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; print an error as one line on standard error and exit with 1 (2: misused, 130: stopped)."""
    try:
        code = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        sys.stdout.flush()
    except VernissageError as error:
        _end(str(error), error.kind.exit_code)
    except _UsageError as error:
        _end(f"{_message(error)}{_help_hint(error)}", 2)
    except (KeyboardInterrupt, typer.Abort):
        _end("stopped; nothing half-written is left, and a build goes on from what it had finished when run again", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        _end(f"{error.filename or 'the system'}: {error.strerror or error}; check the path and its permissions", 1)
    except MemoryError:
        _end("the memory is not enough for this; close other programs, or work on a smaller collection", 1)
    sys.exit(code if isinstance(code, int) else 0)


def _end(message: str, code: int) -> None:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)


def _message(error: BaseException) -> str:
    formatted = getattr(error, "format_message", None)
    return str(formatted() if formatted is not None else error).rstrip(".")


def _help_hint(error: BaseException) -> str:
    context = getattr(error, "ctx", None)
    return f"; see `{context.command_path} --help`" if context is not None else "; see `vernissage --help`"
