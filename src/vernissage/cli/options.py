"""Options that several commands share."""

from typing import Annotated

import typer

DatabasePlace = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="VERNISSAGE_DATABASE",
        help="Where uploads are kept: a PostgreSQL URL or a file; default vernissage.db in the workspace.",
    ),
]
AreaRuleWord = Annotated[
    str, typer.Option("--rule", help="coherence, ward:T (cut at distance T), silhouette or hdbscan.")
]
ProjectionWord = Annotated[
    str, typer.Option(help="Before clustering: none, pca (99 % of the variance), pca:N (N components) or tsne.")
]
HalfLife = Annotated[
    float | None,
    typer.Option("--half-life", metavar="DAYS", help="Days until an upload counts half; 0: never. Default 365."),
]
