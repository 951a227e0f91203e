"""Figures and tables of methods compared by the recommendation protocol: tasks × classes, a line for each method."""

from collections.abc import Mapping, Sequence

from vernissage_lab.figures import GridMark, GridPoint, grid_figure
from vernissage_lab.recipe import MARKS, Picture, Tables
from vernissage_lab.tables import Row, Table, arrow, counted, distinct, estimate, parts, short, signed, table, where

WITH_MARKS = " Published values of the same data are open markers."
"""What the words of a figure say of them."""


def method_pictures(tables: Tables, measures: Mapping[str, str]) -> dict[str, Picture]:
    """For each encoder and measure one figure; ``measures`` gives each its words."""
    found: dict[str, Picture] = {}
    for (encoder,), mine in parts(tables.get("means", ()), "encoder"):
        for measure, words in measures.items():
            some = where(mine, measure=measure)
            heading = f"Recall@10 with {encoder}: {words}"
            marks = published_marks(where(tables.get(MARKS, ()), encoder=encoder, measure=measure), "method")
            figure = grid_figure(
                grid_points(some, "method"),
                marks=marks,
                title=heading,
                x_label="uploads in each class",
                y_label="recall",
            )
            best = max(some, key=lambda row: row["mean"])
            place = f"{best['method']}, {best['task']}, {counted(best['classes'])}"
            alt = f"{heading}. Highest mean {short(best['mean'])}: {place}.{WITH_MARKS if marks else ''}"
            found[f"{encoder}-{measure.replace('_', '-')}"] = Picture(figure, alt)
    return found


def grid_points(rows: Sequence[Row], line: str, dashed: str = "") -> list[GridPoint]:
    """Means, task by classes, on the lines that the column ``line`` names; rows of the seed ``dashed`` are dashed."""
    return [
        GridPoint(
            arrow(row["task"]),
            counted(row["classes"]),
            row[line],
            row["points"],
            row["mean"],
            row["se"],
            bool(dashed) and row["seed"] == dashed,
        )
        for row in rows
    ]


def published_marks(rows: Sequence[Row], line: str) -> list[GridMark]:
    """What others published, as marks beside the lines that the column ``line`` names."""
    return [
        GridMark(
            arrow(row["task"]),
            counted(row["classes"]),
            row[line],
            row["points"],
            row["mean"],
            f"published, {row['by']}" if row["by"] else "published",
        )
        for row in rows
    ]


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
