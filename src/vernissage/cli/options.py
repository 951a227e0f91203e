"""Options that several commands share, and how options that travel together become one value."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from vernissage.gallery.areas import AreaOptions
    from vernissage.gallery.gallery import Gallery


def option(default: Any, about: str, *names: str, **settings: Any) -> Any:
    """An option of a command, as a parameter's default or a field's; ``about`` is its help."""
    return typer.Option(default, *names, help=about, **settings)


def argument(default: Any, about: str, **settings: Any) -> Any:
    """An argument that may be left out, as `option`."""
    return typer.Argument(default, help=about, **settings)


def given(options: Any) -> bool:
    """Whether any field of a dataclass of options is not at its default."""
    return any(
        getattr(options, each.name) != getattr(each.default, "default", each.default) for each in fields(options)
    )


WorkspacePath = Annotated[Path, typer.Argument(help="A workspace.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Count = Annotated[int | None, typer.Option("-n", "--number", help="How many works; default 9, or all if fewer.")]
DatabasePlace = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="VERNISSAGE_DATABASE",
        help="Where people are kept: a PostgreSQL URL or a file; default vernissage.db, or study.db, in the workspace.",
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option("--engine", help="What judges works: lda, lsa, colour-texture, clip …, late-total, some with +."),
]
RuleName = Annotated[
    str | None,
    typer.Option(
        "--rule",
        help="How ratings weigh: signed, linear or minmax; default: linear for the papers' engines, else signed.",
    ),
]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="Whose vectors; default: the best that is here for the purpose.")
]
WeightsPlace = Annotated[Path | None, typer.Option(help="Folder or file of the weights; else the hub.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with pictures and reasons.")]
AreaSeed = Annotated[int, typer.Option(help="Equal seeds give equal areas, where chance has a part.")]


@dataclass(frozen=True)
class Place:
    """A workspace, and where its people are kept."""

    workspace: WorkspacePath
    database: DatabasePlace = None

    def gallery(self, *, writing: bool = False, people: bool = True) -> "Gallery":
        """The workspace, opened; a database is made only for ``writing``, and not looked at without ``people``."""
        from vernissage.gallery.gallery import open_gallery

        return open_gallery(self.workspace, database=self.database, writing=writing, people=people)


@dataclass(frozen=True)
class Selection:
    """What may come back."""

    n: Count = None
    where: list[str] | None = option(None, "Only works that fit: artist=NAME, medium~oil, year>=1850; repeat.")
    exclude: list[str] | None = option(None, "Not this work; repeat.", metavar="ID")
    per: list[str] | None = option(None, "At most N works of one artist, owner, year …; repeat.", metavar="COLUMN=N")
    diversity: float = option(0.0, "0: relevance alone; towards 1: works that differ.")
    show_copies: bool = option(False, "Give works that show the same picture a place each.", "--show-copies")


@dataclass(frozen=True)
class AreaWords:
    """How areas of interest are found."""

    area_rule: str | None = option(
        None, "Areas are found by coherence (default), ward:T (cut at T), silhouette or hdbscan.", "--areas"
    )
    projection: str | None = option(
        None, "Before clustering: none (default), pca (99 % of the variance), pca:N (N), tsne or tsne-standardised."
    )
    half_life: float | None = option(None, "Days until an upload counts half; 0: never. Default 365.", metavar="DAYS")

    def options(self, seed: int = 0, *, engine: str | None = None) -> "AreaOptions":
        """What the words stand for."""
        from vernissage.gallery.areas import area_options

        return area_options(self.area_rule, self.projection, self.half_life, seed, engine=engine)


_OUTPUTS = frozenset({"out", "html", "curve", "figure", "report", "vikus", "atlas"})
_INTO_FOLDERS = frozenset({"build", "export_onnx", "sample"})
"""Commands whose ``out`` is a folder that they check themselves."""


def _check_outputs(places: Iterable[Path | None], *, force: bool) -> None:
    from vernissage.workspace.state import check_output

    for place in places:
        if place is not None:
            check_output(place, force=force)


def with_options(function: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters may be frozen dataclasses: each of their fields becomes an option of its own.

    Typer makes options of a function's parameters; what travels together is one value here, so that a command takes few
    parameters and hands none on one by one. Field names must not repeat within a command. A command that writes files
    has ``--force``, which it may take as a parameter of its own.
    """
    hints = get_type_hints(function, include_extras=True)
    grouped = {name: hints[name] for name in inspect.signature(function).parameters if is_dataclass(hints[name])}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in grouped:
            parameters.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        inner = get_type_hints(grouped[name], include_extras=True)
        for each in fields(grouped[name]):
            default = inspect.Parameter.empty if each.default is MISSING else each.default
            kind = inspect.Parameter.KEYWORD_ONLY
            parameters.append(inspect.Parameter(each.name, kind, default=default, annotation=inner[each.name]))

    own = _OUTPUTS - {"out"} if function.__name__ in _INTO_FOLDERS else _OUTPUTS
    outputs = [each.name for each in parameters if each.name in own]
    takes_force = "force" in hints
    if outputs and not takes_force:
        about = typer.Option("--force", help="Replace a file that is there already.")
        parameters.append(
            inspect.Parameter("force", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Annotated[bool, about])
        )
    # Few need another database, so that option comes last in the help.
    rare = [each for each in parameters if each.annotation == DatabasePlace]
    parameters = [each for each in parameters if each not in rare] + rare

    @wraps(function)
    def call(**given: Any) -> None:
        if outputs:
            _check_outputs(
                (given[name] for name in outputs), force=given["force"] if takes_force else given.pop("force")
            )
        values = {
            name: kind(**{each.name: given.pop(each.name) for each in fields(kind)}) for name, kind in grouped.items()
        }
        function(**values, **given)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del call.__wrapped__  # else Typer would look through to the dataclasses
    return call
