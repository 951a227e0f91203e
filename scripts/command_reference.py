"""Write docs/commands.md: every command with its options, as `--help` prints them.

python scripts/command_reference.py           write it
python scripts/command_reference.py --check   end with 1 where it is not up to date
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from vernissage.cli.main import app

PLACE = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
HEAD = """# Commands

Every command and every option, made from the help texts by `python scripts/command_reference.py`.
"""


def commands(command: Any, name: str, context: Any = None) -> Iterator[tuple[str, Any, Any]]:
    """Every command below this one that is not hidden, with its full name and context."""
    here = command.context_class(command, info_name=name, parent=context)
    if hasattr(command, "list_commands"):
        for each in command.list_commands(here):
            below = command.get_command(here, each)
            if below is not None and not below.hidden:
                yield from commands(below, each, here)
    else:
        yield here.command_path, command, here


def reference() -> str:
    """The text of docs/commands.md."""
    parts = [HEAD]
    for path, command, context in commands(get_command(app), "vernissage"):
        parts.append(f"\n## `{path}`\n\n{_prose(command.help or '')}\n")
        rows = [record for option in command.params if (record := option.get_help_record(context)) is not None]
        if rows:
            parts.append("\n| option | meaning |\n|---|---|\n")
            parts += [f"| `{name}` | {_cell(meaning)} |\n" for name, meaning in rows]
    return "".join(parts)


def _prose(text: str) -> str:
    """A help text as Markdown: what click keeps as it is (after \\b) is a block of code."""
    blocks = []
    for block in inspect.cleandoc(text).split("\n\n"):
        kept, _, rest = block.partition("\b\n")
        if rest:
            head, _, lines = rest.partition("\n")
            blocks.append(f"{head}\n\n```\n{inspect.cleandoc(lines)}\n```")
        else:
            blocks.append(" ".join(kept.split()))
    return "\n\n".join(blocks)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write or check the reference."""
    text = reference()
    if "--check" in sys.argv[1:]:
        if not PLACE.is_file() or PLACE.read_text(encoding="utf-8") != text:
            sys.exit(f"{PLACE.name} is not up to date; run `python scripts/command_reference.py`")
        return
    PLACE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
