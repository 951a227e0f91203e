"""The command that measures engines on simulated visitors: evaluate."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Register the commands of this file."""
