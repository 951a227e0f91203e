"""The tables of `gap` as people read them, and its figures."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import isfinite

import numpy as np
import numpy.typing as npt

from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.pages.gap_figure import GapPanel, gap_figure
from vernissage_lab.readable import estimate, short
from vernissage_lab.recipes.contract import Picture, Tables
from vernissage_lab.tidy import Row, distinct, where

SIDES = ("pictures", "texts")
CROSS, CAPTIONS = "picture and text", "two captions of one work"


def pictures_of(tables: Tables) -> Mapping[str, Picture]:
    """For each encoder the cosines and maps before and after the means are removed; and those of captions."""
    found: dict[str, Picture] = {}
    maps = tables.get("maps", ())
    for encoder, pairs in product(distinct(maps, "encoder"), distinct(maps, "pairs")):
        mine = where(maps, encoder=encoder, pairs=pairs)
        if not mine:
            continue
        sides = [str(each) for each in distinct(mine, "side")]
        panels = [_panel(tables, str(encoder), str(pairs), str(method)) for method in distinct(mine, "method")]
        title = f"{encoder}: {sides[0]} and {sides[1]} in one space" if pairs == CROSS else f"{encoder}: {pairs}"
        figure = gap_figure(panels, (sides[0], sides[1]), title=title)
        alt = f"{title}. " + " ".join(f"{panel.title}: {panel.summary}." for panel in panels)
        found[f"{encoder}-{'gap' if pairs == CROSS else 'captions'}"] = Picture(figure, alt)
    return found


def views_of(tables: Tables) -> list[ReadTable]:
    """For each encoder what was measured by every method, and the cosines."""
    return [*_measure_views(tables.get("measures", ())), *_cosine_view(tables.get("cosines", ()))]


def _panel(tables: Tables, encoder: str, pairs: str, method: str) -> GapPanel:
    named = {"encoder": encoder, "pairs": pairs, "method": method}
    points = np.array([[float(row["x"]), float(row["y"])] for row in where(tables["maps"], **named)])
    bars = where(tables["histograms"], **named)
    title = method[0].upper() + method[1:]
    return GapPanel(title, _summary(tables, named), _counts(bars, "together"), _counts(bars, "apart"), points)


def _counts(bars: Sequence[Row], kind: str) -> npt.NDArray[np.int64]:
    return np.array([int(row["count"]) for row in where(bars, kind=kind)], dtype=np.int64)


def _summary(tables: Tables, named: Mapping[str, str]) -> str:
    together, apart = (where(tables["cosines"], **named, kind=kind)[0] for kind in ("together", "apart"))
    cosines = (
        f"mean cosine {short(float(together['mean']), 2)} and {short(float(apart['mean']), 2)} · "
        f"nearer {float(together['nearer']):.0%}"
    )
    if named["pairs"] != CROSS:
        return cosines
    mine = where(tables["measures"], encoder=named["encoder"], method=named["method"])
    gap, apart_by = (where(mine, measure=measure)[0] for measure in ("gap", "told apart"))
    return f"gap {short(float(gap['mean']))} · told apart {float(apart_by['mean']):.0%} · {cosines}"


def _measure_views(rows: Sequence[Row]) -> Iterator[ReadTable]:
    for encoder in distinct(rows, "encoder"):
        mine = where(rows, encoder=encoder)
        methods = distinct(mine, "method")
        lines = dict.fromkeys((row["measure"], row["space"], row["task"]) for row in mine)
        body = tuple(_line(mine, line, methods) for line in lines)
        yield ReadTable(
            f"{encoder}: pictures and texts in one space",
            ("measure", "space", "task", *map(str, methods), "chance"),
            body,
            "± one standard error; chance: what no gap, or mere guessing, gives; for the gap what sampling leaves",
            words=3,
        )


def _line(rows: Sequence[Row], line: tuple[object, ...], methods: Sequence[object]) -> tuple[str, ...]:
    measure, space, task = (str(each) for each in line)
    mine = where(rows, measure=measure, space=space, task=task)
    told = {row["method"]: estimate(row) if isfinite(float(row["se"])) else short(float(row["mean"])) for row in mine}
    cells = (told.get(str(method), "–") for method in methods)
    return (measure, space, task.replace("-to-", " → "), *cells, short(float(mine[0]["chance"])))


def _cosine_view(rows: Sequence[Row]) -> Iterator[ReadTable]:
    if not rows:
        return
    yield ReadTable(
        "Cosines of pairs",
        ("encoder", "pairs", "method", "kind", "n", "mean", "sd", "nearer"),
        tuple(
            (
                *(str(row[column]) for column in ("encoder", "pairs", "method", "kind")),
                f"{int(row['n']):,}",
                *(short(float(row[column])) for column in ("mean", "sd", "nearer")),
            )
            for row in rows
        ),
        "together: pairs that belong together; nearer: how often these have the higher cosine",
        words=4,
    )
