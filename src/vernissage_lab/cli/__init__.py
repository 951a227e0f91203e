"""The laboratory's commands, ``vernissage lab …``; the entry-point group ``vernissage.commands`` names `lab`."""

from types import MappingProxyType

import typer

from vernissage.cli.groups import SETTINGS, LazyGroup


class _Commands(LazyGroup):
    sections = MappingProxyType(
        {
            "Commands": {
                "sample": "Paint a sample gallery: pictures, texts, owners, ratings.",
                "experiment": "Experiments of the papers and of this software, with reports.",
                "evaluate": "How well engines find what a set of people liked.",
                "holdout": "How well rules for uploads find what people own.",
            }
        }
    )
    places = MappingProxyType(
        {
            "sample": "vernissage_lab.cli.sample:sample",
            "experiment": "vernissage_lab.cli.experiment:experiment",
            "evaluate": "vernissage_lab.cli.measuring:evaluate",
            "holdout": "vernissage_lab.cli.measuring:holdout",
        }
    )


lab = typer.Typer(
    name="lab",
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings=SETTINGS,
    help="The laboratory: a sample gallery, data sets, experiments, evaluation.",
)


@lab.callback()
def _lab() -> None:
    pass
