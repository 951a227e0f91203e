"""Figures for print: how they look, and how they are saved so that equal figures give equal bytes."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.figure import Figure

from vernissage.errors import RequestError
from vernissage.files import write_bytes

INK, MUTED, LINE = "#1c1c1a", "#5b5b56", "#d9d9d2"
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


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG (200 dots per inch), SVG or PDF, as the suffix says; equal figures give equal bytes.

    Raises:
        RequestError: another suffix.
        WorkspaceError: the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise RequestError(
            f"a figure cannot be saved as {path.name!r}; end the name with one of {', '.join(sorted(_METADATA))}"
        )
    target = io.BytesIO()
    with drawing():
        figure.savefig(target, format=suffix[1:], dpi=_DOTS_PER_INCH, metadata=dict(_METADATA[suffix]))
    write_bytes(path, target.getvalue())
