"""Figures and tables of methods compared by the recommendation protocol: tasks × classes, a line for each method."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vernissage_lab.figures import GridPoint, grid_figure
from vernissage_lab.recipe import MARKS, Picture, Tables
from vernissage_lab.tables import Row, Table, arrow, counted, distinct, estimate, parts, short, signed, table, where

WITH_MARKS = " Published values of the same data are open markers."
"""What the words of a figure say of them."""


def method_pictures(tables: Tables, measures: Mapping[str, str]) -> dict[str, Picture]:
    """For each encoder and measure one figure; ``measures`` gives each its words."""
    found: dict[str, Picture] = {}
    for (encoder,), mine in parts(tables.get("means", ()), "encoder"):
        for measure, words in measures.items():
            published = where(tables.get(MARKS, ()), encoder=encoder, measure=measure)
            heading = f"Recall@10 with {encoder}: {words}"
            picture = grid_picture(where(mine, measure=measure), published, "method", heading, _highest)
            found[f"{encoder}-{measure.replace('_', '-')}"] = picture
    return found


def grid_picture(
    rows: Sequence[Row],
    published: Sequence[Row],
    line: str,
    heading: str,
    highest: Callable[[Row], str],
    *,
    down: str = "task",
    dashed: str = "",
    **how: Any,
) -> Picture:
    """Means, ``down`` by classes, on the lines of the column ``line``; ``published`` ones are marks beside these.

    Args:
        down: the column whose values are the rows of panels.
        highest: words for the highest mean.
        dashed: the seed whose rows are dashed.
        how: further arguments of `grid_figure`.
    """
    points, marks = ([_point(row, down, line, dashed) for row in some] for some in (rows, published))
    figure = grid_figure(points, marks=marks, title=heading, x_label="uploads in each class", y_label="recall", **how)
    told = highest(max(rows, key=lambda row: row["mean"]))
    return Picture(figure, f"{heading}. Highest mean {told}.{WITH_MARKS if marks else ''}")


def _point(row: Row, down: str, line: str, dashed: str) -> GridPoint:
    by = ", ".join(filter(None, ("published", row["by"]))) if "by" in row else ""
    shown = arrow(row[down]) if down == "task" else f"{down} {row[down]}"
    panel, is_dashed = (shown, counted(row["classes"])), bool(dashed) and row["seed"] == dashed
    return GridPoint(*panel, row[line], row["points"], row["mean"], row["se"], is_dashed, by)


def _highest(row: Row) -> str:
    return f"{short(row['mean'])}: {row['method']}, {row['task']}, {counted(row['classes'])}"


def method_views(tables: Tables) -> list[Table]:
    """For each encoder and task, methods × classes at ten uploads in each class, or what is nearest to that."""
    found = []
    rows, tests = tables.get("means", ()), where(tables.get("differences", ()), measure="recall")
    for points in usual_points(rows):
        some = where(rows, points=points)
        classes = distinct(some, "classes")
        for (encoder, task), mine in parts(some, "encoder", "task"):
            against = where(tests, points=points, encoder=encoder, task=task)
            body = [
                line
                for (method,), own in parts(mine, "method")
                for line in _lines(own, where(against, method=method), method, classes)
            ]
            note = "recall in one list of ten ± standard error; per seed: in ten from every area, in so many works"
            if against:
                note += f" (minus {against[0]['reference']}, paired; * p after Holm below .05)"
            caption = f"{encoder}, {arrow(task)}, {points} uploads in each class"
            found.append(table(caption, ("method", *map(counted, classes)), body, note))
    return found


def usual_points(rows: Sequence[Row]) -> list[int]:
    """Ten uploads in each class, or the number nearest to it; nothing where there are no rows."""
    return sorted(distinct(rows, "points"), key=lambda each: abs(each - 10))[:1]


def _lines(rows: Sequence[Row], tests: Sequence[Row], method: str, classes: Sequence[int]) -> list[tuple[str, ...]]:
    """One line of recall in one list, and where it was counted another of recall per seed."""
    lines = [(method, *(_budget(where(rows, classes=each), where(tests, classes=each)) for each in classes))]
    if where(rows, measure="recall_per_seed"):
        lines.append((f"{method}, per seed", *(_per_seed(where(rows, classes=each)) for each in classes)))
    return lines


def _budget(rows: Sequence[Row], tests: Sequence[Row]) -> str:
    against = "".join(f" ({signed(row['difference'])}{'*' if row['p_holm'] < 0.05 else ''})" for row in tests)
    return "".join(f"{estimate(row)}{against}" for row in where(rows, measure="recall"))


def _per_seed(rows: Sequence[Row]) -> str:
    shown = where(rows, measure="shown")
    return "".join(f"{estimate(row)} in {shown[0]['mean']:.0f}" for row in where(rows, measure="recall_per_seed"))
