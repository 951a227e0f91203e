"""The tables of `encoding-time`: from single calls to what people read."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from vernissage_lab.encoding_bench import ONE
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.pages.time_figure import TimeLine, time_figure
from vernissage_lab.recipes.contract import Picture, Tables
from vernissage_lab.tidy import Row, distinct, where

NOUNS = {"image": "Pictures", "text": "Texts"}

_OF_CONTENDER = ("contender", "encoder", "weights", "backend", "precision", "device", "dim", "parameters")


def tables_of(rows: Sequence[Row]) -> Tables:
    """``times``: the rows of calls; ``summary``: one row for each modality, contender and way."""
    return {"times": rows, "summary": list(_summary(rows))} if rows else {}


def _summary(rows: Sequence[Row]) -> Iterator[Row]:
    for modality in NOUNS:
        mine = where(rows, modality=modality)
        for contender in distinct(mine, "contender"):
            calls = where(mine, contender=contender)
            for way in distinct(calls, "way"):
                yield _summarised(where(calls, way=way))


def _summarised(rows: Sequence[Row]) -> Row:
    """Milliseconds are for one work; a batch counts as one call."""
    first, works = rows[0], _column(rows, "works")
    decoding, encoding = (
        {clock: _column(rows, f"{step}_{clock}_ms") for clock in ("cpu", "wall")} for step in ("decode", "encode")
    )
    whole = {clock: decoding[clock] + encoding[clock] for clock in ("cpu", "wall")}
    found: dict[str, str | int | float] = {name: first[name] for name in _OF_CONTENDER}
    found |= {"modality": first["modality"], "way": first["way"], "at_once": int(_column(rows, "at_once").max())}
    found |= {"works": len({int(row["first"]) + place for row in rows for place in range(int(row["works"]))})}
    found |= {"calls": len(rows)}
    for clock in ("cpu", "wall"):
        each = whole[clock] / works
        found |= {f"{clock}_median_ms": float(np.median(each)), f"{clock}_p95_ms": float(np.quantile(each, 0.95))}
    for step, parts in (("decode", decoding), ("encode", encoding)):
        found |= {f"{step}_{clock}_median_ms": float(np.median(parts[clock] / works)) for clock in ("cpu", "wall")}
    found |= {"works_per_cpu_second": 1e3 * float(works.sum() / whole["cpu"].sum())}
    found |= {"works_per_second": 1e3 * float(works.sum() / whole["wall"].sum())}
    found |= {"tokens_per_work": float(_column(rows, "tokens").sum() / works.sum())}
    return found | {"apart": float(_column(rows, "apart").max())}


def _column(rows: Sequence[Row], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def pictures_of(tables: Tables) -> Mapping[str, Picture]:
    """One figure: pictures and texts, every contender's median and 95th percentile, one by one and in batches."""
    rows = tables.get("summary", ())
    if not rows:
        return {}
    lines = [_line(row) for row in rows]
    caption = (
        "Milliseconds for one work on a logarithmic scale. Mark: median; bar: to the 95th percentile; number: the "
        "processor's median,\non a GPU the clock's. Upright stroke: decoding the picture alone. Contenders in turns."
    )
    alt = "Median milliseconds for one work: " + "; ".join(
        f"{line.panel}, {line.name} {(line.wall if line.told == 'wall' else line.cpu)[0]:.3g}" for line in lines
    )
    return {"encoding-time": Picture(time_figure(lines, title="How long encoding takes", caption=caption), alt)}


def _line(row: Row) -> TimeLine:
    cpu, wall = ((float(row[f"{clock}_median_ms"]), float(row[f"{clock}_p95_ms"])) for clock in ("cpu", "wall"))
    on_gpu = row["device"] != "cpu"
    decoding = float(row[f"decode_{'wall' if on_gpu else 'cpu'}_median_ms"])
    return TimeLine(
        "Pictures, from file to vector" if row["modality"] == "image" else "Texts, to vectors",
        f"{row['contender']}, {_way(row)}",
        cpu,
        wall,
        part=decoding or None,
        told="wall" if on_gpu else "CPU",
    )


def _way(row: Row) -> str:
    return ONE if row["way"] == ONE else f"{row['at_once']} at once"


def views_of(tables: Tables) -> list[ReadTable]:
    """A table for pictures and one for texts, and the encoders."""
    rows = tables.get("summary", ())
    return [*_time_views(rows), *_encoder_view(rows)]


def _time_views(rows: Sequence[Row]) -> Iterator[ReadTable]:
    for modality in distinct(rows, "modality"):
        mine = where(rows, modality=modality)
        decoded = modality == "image"
        heads = ("encoder", "way", "CPU", *(("decoding",) if decoded else ()), "clock", "per CPU s", "per s", "gain")
        yield ReadTable(
            f"{NOUNS[str(modality)]}: {max(int(row['works']) for row in mine)} works",
            heads,
            tuple(_time_row(row, where(mine, contender=row["contender"], way=ONE)[0], decoded) for row in mine),
            f"milliseconds for one work, median (95th percentile){', decoding the median of its CPU' * decoded}; works "
            f"per second of CPU and of the clock; gain: {'clock on a GPU, else ' * _on_gpu(mine)}CPU, over one by one",
            words=2,
        )


def _on_gpu(rows: Sequence[Row]) -> bool:
    return any(row["device"] != "cpu" for row in rows)


def _time_row(row: Row, alone: Row, decoded: bool) -> tuple[str, ...]:
    rate = "works_per_second" if row["device"] != "cpu" else "works_per_cpu_second"
    cpu, wall = (
        f"{_digits(float(row[f'{clock}_median_ms']))} ({_digits(float(row[f'{clock}_p95_ms']))})"
        for clock in ("cpu", "wall")
    )
    decoding = (_digits(float(row["decode_cpu_median_ms"])),) if decoded else ()
    rates = (_digits(float(row[name])) for name in ("works_per_cpu_second", "works_per_second"))
    return (
        str(row["contender"]),
        _way(row),
        cpu,
        *decoding,
        wall,
        *rates,
        f"{float(row[rate]) / float(alone[rate]):.2f}",
    )


def _digits(value: float) -> str:
    """Three digits that count, as in 128, 12.8, 1.28, .13."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def _encoder_view(rows: Sequence[Row]) -> Iterator[ReadTable]:
    if not rows:
        return
    heads = ("encoder", "weights", "by", "dim", "parameters", "tokens", "apart")
    yield ReadTable(
        "Encoders",
        heads,
        tuple(_encoder_row(where(rows, contender=contender)) for contender in distinct(rows, "contender")),
        "tokens: of a text in the mean, where texts are cut into any; apart: the largest difference, in any number of "
        "any vector, from those that the encoder's first contender makes one by one",
        words=3,
    )


def _encoder_row(rows: Sequence[Row]) -> tuple[str, ...]:
    first = rows[0]
    computed = f"{first['backend']} {first['precision']}" if first["weights"] != "fitted" else str(first["backend"])
    how = f"{computed}, {first['device']}"
    tokens = max(float(row["tokens_per_work"]) for row in rows)
    return (
        str(first["contender"]),
        str(first["weights"]),
        how,
        str(first["dim"]),
        f"{int(first['parameters']):,}",
        f"{tokens:.1f}" if tokens else "",
        f"{max(float(row['apart']) for row in rows):.1e}",
    )
