"""The command that sets the experimenter's password: vernissage study password."""

from pathlib import Path
from typing import Annotated

import typer

from vernissage.cli.output import say
from vernissage.cli.recommending import WorkspacePath


def password(
    workspace: WorkspacePath,
    password_file: Annotated[
        Path | None, typer.Option(help="Read it from the first line of this file instead of asking.")
    ] = None,
) -> None:
    """Set the password of the experimenter's pages; only its hash is kept, in a file that nobody else can read.

    A server that runs takes it in when it is started again; sessions begun before end then.

    \b
    Examples:
      vernissage study password workspace
      vernissage study password workspace --password-file secret.txt
    """
    from vernissage.cli.serving import read_password
    from vernissage.web.credentials import set_password
    from vernissage.workspace.workspace import open_workspace

    open_workspace(workspace)
    given = (
        read_password(password_file)
        if password_file is not None
        else typer.prompt("Password", hide_input=True, confirmation_prompt="Once more")
    )
    set_password(workspace, given)
    say("Password set.")


def add_commands(study: typer.Typer) -> None:
    """Register the command of this file."""
    study.command("password")(password)
