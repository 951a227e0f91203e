"""Figures inside a page: drawn once, in the colours of the reader's light or dark screen, and of print."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from matplotlib.figure import Figure

from vernissage.pages.figures import INK, LINE, MUTED, drawing
from vernissage.pages.templating import data_uri

ACCENT = "#1467c0"
SURFACE = "#cfcfc7"

_DARK: Mapping[str, str] = MappingProxyType(
    {INK: "#ededea", MUTED: "#aaaaa3", LINE: "#3a3a36", ACCENT: "#7fb0ea", SURFACE: "#4d4d46"}
)
"""What a colour becomes on a dark screen; every other colour stays."""

_DOTS_PER_INCH = 72
_CSS_PER_DOT = 96 / 72


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure as an image's address.

    Attributes:
        uri: ``data:image/svg+xml;…``.
        width, height: in CSS pixels.
        alt: what it shows, in words.
    """

    uri: str
    width: int
    height: int
    alt: str


def embedded(figure: Figure, alt: str) -> EmbeddedFigure:
    """``figure`` as SVG, its letters as shapes, so that it needs no font; equal figures give equal bytes."""
    target = io.StringIO()
    with drawing():
        figure.savefig(
            target, format="svg", dpi=_DOTS_PER_INCH, transparent=True, metadata={"Date": None, "Creator": None}
        )
    width, height = figure.get_size_inches() * _DOTS_PER_INCH * _CSS_PER_DOT
    return EmbeddedFigure(
        data_uri(_themed(target.getvalue()).encode(), "image/svg+xml"), round(width), round(height), alt
    )


def _themed(svg: str) -> str:
    """The same drawing with variables for the colours that change in the dark."""
    for light in _DARK:
        svg = svg.replace(f": {light}", f": var(--c{light[1:]})")
    light_values = "".join(f"--c{light[1:]}:{light};" for light in _DARK)
    dark_values = "".join(f"--c{light[1:]}:{dark};" for light, dark in _DARK.items())
    style = (
        f"<style>:root{{{light_values}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark_values}}}}}</style>"
    )
    return re.sub(r"(<svg[^>]*>)", lambda found: found[1] + style, svg, count=1)
