"""Options that several commands share, and how options that travel together become one value."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

WorkspacePath = Annotated[Path, typer.Argument(help="A workspace.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Count = Annotated[int | None, typer.Option("-n", "--number", help="How many works; default 9, or all if fewer.")]
DatabasePlace = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="VERNISSAGE_DATABASE",
        help="Where people are kept: a PostgreSQL URL or a file; default vernissage.db in the workspace.",
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine", "-e", help="What judges works: lda, lsa, colour-texture, clip …, late-total, or some with +."
    ),
]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="Whose vectors; default: the best that is here for the purpose.")
]
Html = Annotated[Path | None, typer.Option(help="Write a page with pictures and reasons.")]


@dataclass(frozen=True)
class Selection:
    """What may come back."""

    n: Count = None
    where: Annotated[
        list[str] | None,
        typer.Option("--where", help="Only works that fit: artist=NAME, medium~oil, year>=1850; repeat."),
    ] = None
    exclude: Annotated[list[str] | None, typer.Option("--exclude", metavar="ID", help="Not this work; repeat.")] = None
    per: Annotated[
        list[str] | None,
        typer.Option("--per", metavar="COLUMN=N", help="At most N works of one artist, owner, year …; repeat."),
    ] = None
    diversity: Annotated[float, typer.Option(help="0: relevance alone; towards 1: works that differ.")] = 0.0


@dataclass(frozen=True)
class AreaWords:
    """How areas of interest are found."""

    area_rule: Annotated[
        str, typer.Option("--areas", help="How areas are found: coherence, ward:T (cut at T), silhouette or hdbscan.")
    ] = "coherence"
    projection: Annotated[
        str, typer.Option(help="Before clustering: none, pca (99 % of the variance), pca:N (N components) or tsne.")
    ] = "none"
    half_life: Annotated[
        float | None,
        typer.Option("--half-life", metavar="DAYS", help="Days until an upload counts half; 0: never. Default 365."),
    ] = None


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters may be frozen dataclasses: each of their fields becomes an option of its own.

    Typer makes options of a function's parameters; what travels together is one value here, so that a command takes few
    parameters and hands none on one by one. Field names must not repeat within a command.
    """
    hints = get_type_hints(function, include_extras=True)
    grouped: dict[str, type] = {}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(function).parameters.items():
        hint = hints[name]
        if is_dataclass(hint) and isinstance(hint, type):
            grouped[name] = hint
            parameters += _of_fields(hint)
        else:
            parameters.append(parameter.replace(annotation=hint, kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(function)
    def call(**given: Any) -> None:
        values = {
            name: kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            for name, kind in grouped.items()
        }
        function(**values, **given)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del call.__wrapped__  # else Typer would look through to the dataclasses
    return call


def _of_fields(kind: type) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in fields(kind)
    ]
