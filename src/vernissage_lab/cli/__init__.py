"""The laboratory's commands, found by `vernissage` through the entry-point group ``vernissage.commands``."""

import typer


def add_commands(app: typer.Typer) -> None:
    """Register every command of the laboratory."""
    from vernissage_lab.cli import evaluation, experiment, gap, holdout, sample

    for module in (sample, gap, evaluation, holdout, experiment):
        module.add_commands(app)
