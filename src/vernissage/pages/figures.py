"""Figures for print and for pages: how they look, and how they are saved so that equal figures give equal bytes."""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from vernissage.errors import RequestError
from vernissage.files import write_bytes
from vernissage.pages.templating import data_uri

INK, MUTED, LINE = "#1c1c1a", "#5b5b56", "#d9d9d2"
ACCENT, SURFACE = "#1467c0", "#cfcfc7"
_DARK = {INK: "#ededea", MUTED: "#aaaaa3", LINE: "#3a3a36", ACCENT: "#7fb0ea", SURFACE: "#4d4d46"}
"""What a colour becomes on a dark screen; every other colour stays."""

_DOTS_PER_INCH = 200

# DejaVu comes with matplotlib and holds Latin, Greek and Cyrillic; the others lend the letters that it lacks, where
# they are installed.
_FURTHER_FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "Arial Unicode MS",
)

_METADATA: Mapping[str, Mapping[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True)
class EmbeddedFigure:
    """A figure as an image's address, ``data:image/svg+xml;…``, its size in CSS pixels, and what it shows in words."""

    uri: str
    width: int
    height: int
    alt: str


@contextmanager
def drawing() -> Iterator[None]:
    """The look of all figures. Text is shown as it stands: a dollar sign in a title starts no formula."""
    installed = set(font_manager.get_font_names())
    style: dict[Any, Any] = {
        "font.family": ["DejaVu Sans", *(name for name in _FURTHER_FONTS if name in installed)],
        "font.size": 9,
        "text.parse_math": False,
        "text.color": INK,
        "axes.edgecolor": LINE,
        "axes.labelcolor": MUTED,
        "axes.linewidth": 0.8,
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "xtick.color": MUTED,
        "ytick.color": INK,
        "svg.hashsalt": "vernissage",
        "pdf.fonttype": 42,
    }
    with mpl.rc_context(style):
        yield


def require_figure(path: Path) -> Path:
    """Return the path if a figure can be saved there: to be asked before what is drawn takes long.

    Raises:
        RequestError: its suffix is another than a figure's.
    """
    if path.suffix.lower() not in _METADATA:
        raise RequestError(
            f"a figure cannot be saved as {path.name!r}; end the name with one of {', '.join(sorted(_METADATA))}"
        )
    return path


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (200 dots per inch), SVG or PDF, as the suffix says; equal figures give equal bytes.

    Raises:
        RequestError: another suffix.
        WorkspaceError: the file cannot be written.
    """
    suffix = require_figure(path).suffix.lower()
    target = io.BytesIO()
    with drawing():
        figure.savefig(target, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[suffix]))
    write_bytes(path, target.getvalue())


def embedded(figure: Figure, alt: str) -> EmbeddedFigure:
    """``figure`` as SVG, its letters as shapes, so that it needs no font; equal figures give equal bytes."""
    target = io.StringIO()
    with drawing():
        figure.savefig(target, format="svg", dpi=72, transparent=True, metadata=dict(_METADATA[".svg"]))
    width, height = figure.get_size_inches() * 96
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
