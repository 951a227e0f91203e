"""Groups of commands that are imported one at a time, when they are called."""

from collections import Counter
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from vernissage.cli.options import with_options

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(TyperGroup):
    """A group that knows its commands by words; a subclass names them.

    Attributes:
        sections: headings of the group's help, and below each its commands with a line on what they do.
        places: where each command is defined, as ``module:name``; those in no section work, but are not shown.
    """

    sections: ClassVar[Mapping[str, Mapping[str, str]]]
    places: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for section in self.sections.values() for name in section]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name].partition(":")
        return as_command(getattr(import_module(module), name), cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except Exception as error:
            # Typer looks for commands that look alike only among those that are imported.
            near = get_close_matches(args[0], [*self.list_commands(ctx), *self.places])
            if near and hasattr(error, "message") and "such command" in error.message:
                error.message = f"{error.message.rstrip('.')}; did you mean {' or '.join(dict.fromkeys(near))}?"
            raise

    def headings(self) -> Mapping[str, Mapping[str, str]]:
        """What the group's help shows, as `sections`."""
        return self.sections

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for heading, commands in self.headings().items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()))


class Group(typer.Typer):
    """A group of commands that are defined in one file; ``about`` is its help."""

    def __init__(self, name: str, about: str, **settings: Any) -> None:
        settings |= {"add_completion": False, "rich_markup_mode": None, "context_settings": SETTINGS}
        super().__init__(name=name, help=about, **settings)

    def command(self, *arguments: Any, **settings: Any) -> Callable[[Any], Any]:
        """As Typer's, for functions whose parameters may be dataclasses of options (see `with_options`)."""
        register = super().command(*arguments, **settings)

        def add(function: Any) -> Any:
            register(with_options(function))
            return function

        return add


class OnceCommand(TyperCommand):
    """A command that refuses an option given twice where one value is read: click would take the last, silently."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for each, count in Counter(order).items():
            if count > 1 and isinstance(each, TyperOption) and not (each.multiple or each.count or each.is_flag):
                told = f"{each.opts[0]} is given {count} times, and one value is read; give it once"
                raise typer.BadParameter(told, ctx)
        return super().parse_args(ctx, args)


def as_command(found: Any, name: str) -> Any:
    """A function or a Typer application as a command of that name."""
    if isinstance(found, typer.Typer):
        return get_command(found)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=SETTINGS)
    app.command(name, cls=OnceCommand)(with_options(found))
    return get_command(app)
