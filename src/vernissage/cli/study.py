"""The commands of a user study: vernissage study …"""

import typer

from vernissage.cli import study_analysis, study_password, study_power, study_report, study_running, study_simulation

study = typer.Typer(
    name="study",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="A user study of engines, from consent to the statistics.",
)

for module in (study_running, study_password, study_simulation, study_power, study_analysis, study_report):
    module.add_commands(study)


def add_commands(app: typer.Typer) -> None:
    """Register the commands of a study below ``vernissage study``."""
    app.add_typer(study)
