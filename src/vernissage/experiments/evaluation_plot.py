"""The table of an evaluation as a picture: every engine in every metric, with its 95 % interval."""

from io import BytesIO
from pathlib import Path
from typing import Any

from scipy import stats

from vernissage.experiments.measures import METRICS
from vernissage.experiments.results import Evaluation, Row
from vernissage.files import write_bytes

_COLUMNS = 3
_INK, _BEST, _REFERENCE = "#30506d", "#b3402a", "#8a8578"
_ACCURACY = ("ndcg", "recall", "precision")


def save_evaluation_plot(evaluation: Evaluation, path: Path) -> None:
    """Draw one panel a metric, one line an engine: mean and 95 % interval (Student's t), as PNG; equal bytes again.

    The interval is that of each mean by itself. Engines are compared on the same visitors, so differences are surer
    than overlapping intervals suggest: see `Evaluation.differences`. In the metrics of accuracy, where more is
    better, the highest mean is red; references are grey and not counted.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    # Matplotlib takes half a second to import, and only this picture needs it.
    from matplotlib.figure import Figure  # noqa: PLC0415

    rows = evaluation.rows()
    engines = list(dict.fromkeys(row.engine for row in rows))
    lines = -(-len(METRICS) // _COLUMNS)
    figure = Figure(figsize=(10.5, lines * (1.0 + 0.26 * len(engines))), dpi=120, layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, sharey=True, squeeze=False).flat
    for axes, metric in zip(panels, METRICS, strict=False):
        shown = [row for row in rows if row.metric == metric]
        _draw(axes, shown, _title(metric, evaluation.protocol["n"]), evaluation.references)
    protocol = evaluation.protocol
    figure.supxlabel(
        f"means with 95 % intervals over {protocol['visitors']} simulated visitors, {protocol['candidates']} works",
        fontsize=9,
    )
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    write_bytes(path, picture.getvalue())


def _title(metric: str, n: int) -> str:
    if metric == "ndcg":
        return f"nDCG@{n}"
    return f"{metric}@{n}" if metric in _ACCURACY else metric


def _draw(axes: Any, rows: list[Row], title: str, references: frozenset[str]) -> None:
    judged = [row for row in rows if row.engine not in references and row.metric in _ACCURACY]
    best = max(judged, key=lambda row: row.mean, default=None)
    for place, row in enumerate(rows):
        colour = _REFERENCE if row.engine in references else _BEST if row is best else _INK
        reach = row.se * float(stats.t.ppf(0.975, row.visitors - 1))
        axes.errorbar(row.mean, place, xerr=reach, color=colour, marker="o", markersize=4, capsize=2, linewidth=1.2)
    axes.set_title(title, fontsize=10, loc="left")
    axes.set_yticks(range(len(rows)), [row.engine for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", color="#e9e4d8")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
