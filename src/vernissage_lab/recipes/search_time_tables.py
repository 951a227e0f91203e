"""The tables of `search-time`: from single calls to what people read."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from vernissage.analysis.paired import format_p
from vernissage_lab.analysis.welch import welch_test
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.pages.time_figure import TimeLine, time_figure
from vernissage_lab.readable import short
from vernissage_lab.recipes.contract import Picture, Tables
from vernissage_lab.tidy import Row, distinct, where

SPLIT, VANILLA = "one index or two", "vanilla or FAISS"
BASELINES = {SPLIT: "NumPy matmul + argpartition", VANILLA: "NumPy matmul + argsort"}
DEPTHS = (1, 5, 10)


def tables_of(rows: Sequence[Row]) -> Tables:
    """``times``: the rows of single calls; ``summary``: of each contender; ``welch``: one index against two."""
    return {"times": rows, "summary": _summary(rows), "welch": list(_welch(rows))} if rows else {}


def _summary(rows: Sequence[Row]) -> list[Row]:
    found: list[Row] = []
    for comparison in distinct(rows, "comparison"):
        mine = where(rows, comparison=comparison)
        base = _column(where(mine, contender=BASELINES[str(comparison)], indexes=1), "cpu_ms")
        pairs = dict.fromkeys((row["contender"], row["indexes"]) for row in mine)
        found += [
            _summarised(where(mine, contender=contender, indexes=indexes), float(np.median(base)))
            for contender, indexes in pairs
        ]
    return found


def _summarised(rows: Sequence[Row], baseline: float) -> Row:
    first = rows[0]
    wall, cpu = _column(rows, "wall_ms"), _column(rows, "cpu_ms")
    ranks, truth = _column(rows, "partner_rank"), _column(rows, "true_partner_rank")
    named = {column: first[column] for column in ("comparison", "vectors", "dim", "k", "contender", "indexes")}
    return (
        named
        | {
            "queries": len(rows),
            "wall_median_ms": float(np.median(wall)),
            "wall_p95_ms": float(np.quantile(wall, 0.95)),
        }
        | {"cpu_median_ms": float(np.median(cpu)), "cpu_p95_ms": float(np.quantile(cpu, 0.95))}
        | {"cpu_times_baseline": float(np.median(cpu)) / baseline}
        | {"missed": int(_column(rows, "missed").sum()), "of": len(rows) * int(first["k"])}
        | {f"recall_{depth}": _recall(ranks, depth) for depth in DEPTHS}
        | {f"drop_{depth}": _recall(truth, depth) - _recall(ranks, depth) for depth in DEPTHS}
    )


def _recall(ranks: np.ndarray, depth: int) -> float:
    return float(((ranks > 0) & (ranks <= depth)).mean())


def _welch(rows: Sequence[Row]) -> Iterator[Row]:
    """One index less two: what the mean times differ by."""
    split = where(rows, comparison=SPLIT)
    for contender in distinct(split, "contender"):
        for measure in ("cpu_ms", "wall_ms"):
            one, two = (_column(where(split, contender=contender, indexes=count), measure) for count in (1, 2))
            if min(len(one), len(two)) < 2:
                continue
            test = welch_test(one, two)
            yield {
                "contender": contender,
                "measure": measure,
                "one_mean": float(one.mean()),
                "two_mean": float(two.mean()),
                "two_times_one": float(np.median(two) / np.median(one)),
                "difference": test.difference,
                "t": test.t,
                "df": test.df,
                "p": test.p,
            }


def _column(rows: Sequence[Row], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def pictures_of(tables: Tables) -> Mapping[str, Picture]:
    """One figure: every contender's median and 95th percentile."""
    rows = tables.get("summary", ())
    if not rows:
        return {}
    lines = [
        TimeLine(
            _headed(row),
            _named(row),
            (float(row["cpu_median_ms"]), float(row["cpu_p95_ms"])),
            (float(row["wall_median_ms"]), float(row["wall_p95_ms"])),
        )
        for row in rows
    ]
    alt = "Median milliseconds of the processor for one query: " + "; ".join(
        f"{line.panel.partition(':')[0]}, {line.name} {line.cpu[0]:.3g}" for line in lines
    )
    return {"search-time": Picture(time_figure(lines, title="How long one search takes"), alt)}


def _headed(row: Row) -> str:
    comparison = str(row["comparison"])
    sizes = f"{int(row['vectors']):,} × {row['dim']}, the best {int(row['k']):,}"
    return f"{comparison[0].upper()}{comparison[1:]}: {sizes}"


def _named(row: Row) -> str:
    if row["comparison"] != SPLIT:
        return str(row["contender"])
    return f"{row['contender']}, {'one' if row['indexes'] == 1 else 'two'}"


def views_of(tables: Tables) -> list[ReadTable]:
    """A table for each comparison, and Welch's tests."""
    return [*_time_views(tables.get("summary", ())), *_welch_view(tables.get("welch", ()))]


def _time_views(rows: Sequence[Row]) -> Iterator[ReadTable]:
    heads = ("", "CPU", "clock", "× baseline", "missed", "recall@10", "drop")
    for comparison in distinct(rows, "comparison"):
        mine = where(rows, comparison=comparison)
        yield ReadTable(
            f"{_headed(mine[0])}, {mine[0]['queries']} queries, one thread",
            heads,
            tuple(_time_row(row) for row in mine),
            f"milliseconds for one query, median (95th percentile); × baseline: median CPU as a multiple of "
            f"{BASELINES[str(comparison)]}{', one index' if comparison == SPLIT else ''}; missed: of all the true best "
            f"in double precision; recall of partners, and its drop against the true best",
        )


def _time_row(row: Row) -> tuple[str, ...]:
    times = (f"{float(row[f'{kind}_median_ms']):.2f} ({float(row[f'{kind}_p95_ms']):.2f})" for kind in ("cpu", "wall"))
    missed = f"{int(row['missed']):,} of {int(row['of']):,}"
    recall = (short(float(row[column])) for column in ("recall_10", "drop_10"))
    return (_named(row), *times, f"{float(row['cpu_times_baseline']):.2f}", missed, *recall)


def _welch_view(rows: Sequence[Row]) -> Iterator[ReadTable]:
    if not rows:
        return
    heads = ("", "time", "one", "two", "two / one", "t", "df", "p")
    yield ReadTable(
        "One index less two: Welch's test",
        heads,
        tuple(
            (
                str(row["contender"]),
                "CPU" if row["measure"] == "cpu_ms" else "clock",
                f"{float(row['one_mean']):.2f}",
                f"{float(row['two_mean']):.2f}",
                f"{float(row['two_times_one']):.3f}",
                f"{float(row['t']):.2f}",
                f"{float(row['df']):.1f}",
                format_p(float(row["p"])),
            )
            for row in rows
        ),
        "mean milliseconds; two / one: ratio of the medians; p by the survival function",
        words=2,
    )
