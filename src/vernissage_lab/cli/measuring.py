"""The commands that measure by themselves, without a folder of a run: evaluate, holdout."""

from collections.abc import Callable
from typing import Any

from vernissage.cli.options import AsJson
from vernissage.cli.output import note, print_json, progress_bars, say
from vernissage.progress import Progress
from vernissage_lab import recipes
from vernissage_lab.recipes.evaluate import EvaluateOptions
from vernissage_lab.recipes.holdout import HoldoutOptions
from vernissage_lab.tables import Told, print_table


def _telling(tell: Callable[[Any, Progress], Told], options: type) -> Callable[..., None]:
    """The command of these options, helped by the docstring of ``tell``, which prints what that returns."""

    def call(options: Any, as_json: AsJson = False) -> None:
        with progress_bars() as progress:
            found = tell(options, progress)
        for remark in found.remarks:
            note(remark)
        if as_json:
            print_json(found.content)
            return
        for each in found.shown:
            if isinstance(each, str):
                say(each)
            else:
                print_table(each)

    call.__doc__ = tell.__doc__
    call.__annotations__["options"] = options
    return call


evaluate = _telling(recipes.evaluate.evaluate, EvaluateOptions)
holdout = _telling(recipes.holdout.holdout, HoldoutOptions)
