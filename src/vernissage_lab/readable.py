"""Numbers as tables of results show them: three decimals, no zero before the point."""

import re

from vernissage_lab.tidy import Row


def short(value: float, digits: int = 3) -> str:
    """A number with its decimals and without the zero before the point, as in ``.630``."""
    return re.sub(r"\b0\.", ".", f"{value:.{digits}f}")


def signed(value: float, digits: int = 3) -> str:
    """The same with its sign, as in ``+.042``."""
    return re.sub(r"\b0\.", ".", f"{value:+.{digits}f}")


def estimate(row: Row, digits: int = 3) -> str:
    """Mean and standard error of a row of means, as in ``.630 ±.049``."""
    return f"{short(float(row['mean']), digits)} ±{short(float(row['se']), digits)}"
