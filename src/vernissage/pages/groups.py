"""The groups of a map: which get a colour and a shape of their own, and what all others are called."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vernissage.errors import RequestError
from vernissage.pages.templating import plain

MOST_COLOURS = 11
SHAPES = ("circle", "square", "triangle", "diamond")
"""Group g has shape g mod 4, so that no two groups depend on their colours alone unless these differ clearly."""

# Found by a random search for the largest smallest distance in Oklab, over all pairs, as seen with full colour vision
# (distances divided by 1.7) and with protanopia, deuteranopia and tritanopia (Machado et al. 2009, doi
# 10.1109/TVCG.2009.113); pairs of one shape must be 1.8 times as far apart. At least 3:1 against the page.
LIGHT = (
    "#1467c0", "#1ba161", "#af340c", "#c16da6", "#df6b15", "#814493", "#857ff1", "#156e42",
    "#780839", "#093a03", "#411a8a",
)  # fmt: skip
_NAMED_FROM = 100
LIGHT_OTHER = "#767672"


@dataclass(frozen=True)
class Group:
    """One entry of the legend; ``style`` is its place among colours and shapes, or -1 for all that have none."""

    name: str
    size: int
    style: int

    @property
    def shape(self) -> str:
        return SHAPES[self.style % len(SHAPES)] if self.style >= 0 else "circle"


@dataclass(frozen=True, eq=False)
class Grouping:
    """The legend, largest first, and for each point the place of its group in it, int64 (n,)."""

    groups: tuple[Group, ...]
    place: npt.NDArray[np.int64]


def grouping(colour_by: Sequence[str], order: Sequence[str] = ()) -> Grouping:
    """Give the 11 largest groups a colour each and put the rest together; an empty name belongs to no group.

    Equal sizes go by name. Where nothing has a group, all works are one. With ``order``, the first 11 groups named
    there have the colours, in that order, so that several maps show a group alike.
    """
    names = [plain(name) for name in colour_by]
    counts = Counter(name for name in names if name)
    if not counts:
        return Grouping((Group("all works", len(names), 0),), np.zeros(len(names), dtype=np.int64))
    ordered = [plain(name) for name in order] or sorted(counts, key=lambda name: (-counts[name], name))
    coloured = [(style, name) for style, name in enumerate(ordered[:MOST_COLOURS]) if counts[name]]
    groups = [Group(name, counts[name], style) for style, name in coloured]
    rest = len(names) - sum(group.size for group in groups)
    if rest:
        groups.append(Group(_rest_name(len(counts) - len(coloured), names.count("")), rest, -1))
    place = {name: number for number, (_, name) in enumerate(coloured)}
    return Grouping(tuple(groups), np.array([place.get(name, len(coloured)) for name in names], dtype=np.int64))


def framed(points: npt.ArrayLike, *, width: float, margin: float) -> tuple[npt.NDArray[np.float64], float]:
    """Points (n, 2) brought into a frame of ``width``, one scale for both axes, y downwards; and the frame's height.

    The height follows the points and lies between 0.6 and 1.1 widths.

    Raises:
        RequestError: not two finite numbers for each point.
    """
    raw = np.asarray(points, dtype=np.float64)
    if raw.ndim != 2 or raw.shape[1] != 2 or not len(raw) or not np.isfinite(raw).all():
        raise RequestError(
            f"a map needs two finite numbers for each of one or more works, but got an array of shape {raw.shape}"
            f"{'' if np.isfinite(raw).all() else ' with values that are not finite'}; give x and y for each work"
        )
    low, spread = raw.min(axis=0), np.ptp(raw, axis=0)
    inner = width - 2 * margin
    ratio = float(spread[1] / spread[0]) if spread[0] > 0 else 1.0
    height = float(np.clip(inner * ratio + 2 * margin, 0.6 * width, 1.1 * width))
    room = np.array([inner, height - 2 * margin])
    scale = min((side / size for side, size in zip(room, spread, strict=True) if size > 0), default=1.0)
    placed = margin + (raw - low) * scale + (room - spread * scale) / 2
    placed[:, 1] = height - placed[:, 1]
    return placed, height


def label_places(points: npt.NDArray[np.float64], groups: Grouping, *, line: float) -> dict[int, tuple[float, float]]:
    """Where each coloured group's name stands: at the median of its points, moved up or down from other names.

    Larger groups keep their place; a smaller one moves by steps of half a ``line``, the height of a name, until no
    name stands within a line above or below it. Names are taken to be 0.55 lines wide per letter. A group of less
    than 1 % of the works has no name on the map, which would seem to name the works of others around it.
    """
    placed: dict[int, tuple[float, float]] = {}
    for number, group in enumerate(groups.groups):
        if group.style < 0 or group.size * _NAMED_FROM < len(points):
            continue
        x, y = np.median(points[groups.place == number], axis=0).tolist()
        taken = [(place, len(groups.groups[other].name)) for other, place in placed.items()]
        for step in range(60):
            moved = y + (step + 1) // 2 * (line / 2) * (1 if step % 2 else -1)
            if not any(_meet((x, moved), len(group.name), place, length, line) for place, length in taken):
                break
        placed[number] = (x, moved)
    return placed


def _meet(one: tuple[float, float], length: int, other: tuple[float, float], other_length: int, line: float) -> bool:
    reach = 0.55 * line * (length + other_length) / 2
    return abs(one[0] - other[0]) < reach and abs(one[1] - other[1]) < line


def _rest_name(groups: int, without: int) -> str:
    others = f"{groups} other groups" if groups > 1 else "another group" if groups else ""
    return " and ".join(part for part in (others, "no group" if without else "") if part)
