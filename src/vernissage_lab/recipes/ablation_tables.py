"""What the grid of the ablation becomes: means and paired differences, tasks × classes as figures, tables to read."""

from collections.abc import Sequence
from itertools import product

from vernissage_lab.facets import WITH_MARKS, arrow, counted, published_marks, usual_points
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.pages.grid_figure import GridPoint, grid_figure
from vernissage_lab.readable import estimate, short
from vernissage_lab.recipes.contract import MARKS, Picture, Tables
from vernissage_lab.tidy import Row, differences, distinct, means, where

MEASURES = ("recall", "recall_per_seed", "shown", "areas")
CONFIGURATION = ("projection", "clustering", "seed")
GROUP = ("encoder", "task", "classes", "points")


def ablation_tables(values: Sequence[Row]) -> Tables:
    if not values:
        return {}
    by = (*GROUP[:3], GROUP[3], *CONFIGURATION)
    reference = tuple(values[0][column] for column in CONFIGURATION)
    compared = [
        row for measure in MEASURES[:2] for row in differences(values, GROUP, CONFIGURATION, reference, measure, "user")
    ]
    return {"values": values, "means": means(values, by, MEASURES), "differences": compared}


def ablation_pictures(tables: Tables) -> dict[str, Picture]:
    """For each encoder and projection, tasks × classes: one figure by list of ten, one as the paper counts."""
    found: dict[str, Picture] = {}
    rows = tables.get("means", ())
    for encoder, projection in product(distinct(rows, "encoder"), distinct(rows, "projection")):
        for measure, title in (("recall", "one list of ten"), ("recall_per_seed", "ten works from every area")):
            some = where(rows, encoder=encoder, projection=projection, measure=measure)
            if not some:
                continue
            points = [
                GridPoint(
                    down=arrow(row["task"]),
                    across=counted(int(row["classes"])),
                    line=str(row["clustering"]),
                    dashed=row["seed"] == "medoid",
                    x=float(row["points"]),
                    mean=float(row["mean"]),
                    se=float(row["se"]),
                )
                for row in some
            ]
            heading = f"Recall@10 with {encoder}, projection {projection}: {title}"
            others = {"encoder": encoder, "projection": projection, "measure": measure, "seed": "centroid"}
            marks = published_marks(where(tables.get(MARKS, ()), **others), "clustering")
            figure = grid_figure(
                points,
                marks=marks,
                title=heading,
                x_label="uploads in each class",
                y_label="recall",
                styles=("centroid", "medoid"),
                lines=[str(each) for each in distinct(rows, "clustering")],
                top=max(float(row["mean"]) for row in where(rows, measure=measure)),
            )
            best = max(some, key=lambda row: float(row["mean"]))
            alt = f"{heading}. Highest mean {float(best['mean']):.3f}, {best['task']}, {counted(int(best['classes']))}."
            alt += WITH_MARKS if marks else ""
            found[f"{encoder}-{projection}-{measure.replace('_', '-')}"] = Picture(figure, alt)
    return found


def ablation_views(tables: Tables) -> list[ReadTable]:
    """For each encoder and task, configurations × classes at ten uploads a class, or what is nearest to it."""
    rows = tables.get("means", ())
    if not rows:
        return []
    points = usual_points(rows)
    some = where(rows, points=points)
    classes = [int(each) for each in distinct(some, "classes")]
    found = []
    for encoder, task in product(distinct(some, "encoder"), distinct(some, "task")):
        mine = where(some, encoder=encoder, task=task)
        names = dict.fromkeys(tuple(str(row[column]) for column in CONFIGURATION) for row in mine)
        body = tuple((*name, *(_shown(mine, name, each) for each in classes)) for name in names)
        found.append(
            ReadTable(
                f"{encoder}, {arrow(task)}, {points} uploads in each class",
                (*CONFIGURATION, *map(counted, classes)),
                body,
                "recall in one list of ten ± standard error | recall in ten from every area, in so many works",
                words=len(CONFIGURATION),
            )
        )
    return found


def _shown(rows: Sequence[Row], name: tuple[str, ...], classes: int) -> str:
    wanted = [
        row for row in rows if row["classes"] == classes and tuple(str(row[column]) for column in CONFIGURATION) == name
    ]
    told = {str(row["measure"]): row for row in wanted}
    if not told:
        return ""
    shown = f"{short(float(told['recall_per_seed']['mean']))} in {float(told['shown']['mean']):.0f}"
    return f"{estimate(told['recall'])} | {shown}"
