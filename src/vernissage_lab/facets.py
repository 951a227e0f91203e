"""Figures and tables of methods compared by the recommendation protocol: tasks × classes, a line for each method."""

from collections.abc import Mapping, Sequence

from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.pages.grid_figure import GridMark, GridPoint, grid_figure
from vernissage_lab.readable import estimate, short, signed
from vernissage_lab.recipes.contract import MARKS, Picture, Tables
from vernissage_lab.tidy import Row, Value, distinct, where

WITH_MARKS = " Published values of the same data are open markers."
"""What the words of a figure say of them."""


def counted(classes: int) -> str:
    """``1 class``, ``5 classes``."""
    return "1 class" if classes == 1 else f"{classes} classes"


def arrow(task: object) -> str:
    """``text → image`` for ``text-to-image``."""
    return str(task).replace("-to-", " → ")


def method_pictures(tables: Tables, measures: Mapping[str, str]) -> dict[str, Picture]:
    """For each encoder and measure one figure; ``measures`` gives each its words."""
    found: dict[str, Picture] = {}
    rows = tables.get("means", ())
    for encoder in distinct(rows, "encoder"):
        for measure, words in measures.items():
            some = where(rows, encoder=encoder, measure=measure)
            points = [
                GridPoint(
                    down=arrow(row["task"]),
                    across=counted(int(row["classes"])),
                    line=str(row["method"]),
                    x=float(row["points"]),
                    mean=float(row["mean"]),
                    se=float(row["se"]),
                )
                for row in some
            ]
            heading = f"Recall@10 with {encoder}: {words}"
            marks = published_marks(where(tables.get(MARKS, ()), encoder=encoder, measure=measure), "method")
            figure = grid_figure(points, marks=marks, title=heading, x_label="uploads in each class", y_label="recall")
            found[f"{encoder}-{measure.replace('_', '-')}"] = Picture(
                figure, f"{heading}. {_told(some)}{WITH_MARKS if marks else ''}"
            )
    return found


def published_marks(rows: Sequence[Row], line: str) -> list[GridMark]:
    """What others published, as marks beside the lines that the column ``line`` names."""
    return [
        GridMark(
            down=arrow(row["task"]),
            across=counted(int(row["classes"])),
            line=str(row[line]),
            x=float(row["points"]),
            mean=float(row["mean"]),
            by=f"published, {row['by']}" if row["by"] else "published",
        )
        for row in rows
    ]


def method_views(tables: Tables) -> list[ReadTable]:
    """For each encoder and task, methods × classes at ten uploads in each class, or what is nearest to that."""
    rows = tables.get("means", ())
    if not rows:
        return []
    points = usual_points(rows)
    some = where(rows, points=points)
    classes = [int(each) for each in distinct(some, "classes")]
    tests = where(tables.get("differences", ()), points=points, measure="recall")
    found = []
    for encoder in distinct(some, "encoder"):
        for task in distinct(where(some, encoder=encoder), "task"):
            mine = where(some, encoder=encoder, task=task)
            against = where(tests, encoder=encoder, task=task)
            body = [row for method in distinct(mine, "method") for row in _lines(mine, against, method, classes)]
            found.append(
                ReadTable(
                    f"{encoder}, {arrow(task)}, {points} uploads in each class",
                    ("method", *map(counted, classes)),
                    tuple(body),
                    _note(against),
                )
            )
    return found


def usual_points(rows: Sequence[Row]) -> int:
    """Ten uploads in each class, or the number nearest to it."""
    return min((int(each) for each in distinct(rows, "points")), key=lambda each: abs(each - 10))


def _lines(rows: Sequence[Row], tests: Sequence[Row], method: Value, classes: Sequence[int]) -> list[tuple[str, ...]]:
    """One line of recall in one list, and where it was counted another of recall per seed."""
    mine = where(rows, method=method)
    lines = [(str(method), *(_budget(mine, where(tests, method=method, classes=each), each) for each in classes))]
    if where(mine, measure="recall_per_seed"):
        lines.append((f"{method}, per seed", *(_per_seed(mine, each) for each in classes)))
    return lines


def _budget(rows: Sequence[Row], tests: Sequence[Row], classes: int) -> str:
    found = where(rows, classes=classes, measure="recall")
    against = "".join(
        f" ({signed(float(row['difference']))}{'*' if float(row['p_holm']) < 0.05 else ''})" for row in tests
    )
    return f"{estimate(found[0])}{against}" if found else ""


def _per_seed(rows: Sequence[Row], classes: int) -> str:
    found = where(rows, classes=classes, measure="recall_per_seed")
    shown = where(rows, classes=classes, measure="shown")
    return f"{estimate(found[0])} in {float(shown[0]['mean']):.0f}" if found else ""


def _note(tests: Sequence[Row]) -> str:
    parts = ["recall in one list of ten ± standard error; per seed: in ten from every area, in so many works"]
    if tests:
        parts.append(f"(minus {tests[0]['reference']}, paired; * p after Holm below .05)")
    return " ".join(parts)


def _told(rows: Sequence[Row]) -> str:
    best = max(rows, key=lambda row: float(row["mean"]))
    return (
        f"Highest mean {short(float(best['mean']))}: {best['method']}, {best['task']}, {counted(int(best['classes']))}."
    )
