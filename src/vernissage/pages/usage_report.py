"""What visitors opened of recommended works, as tables and as one page."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from math import isfinite
from typing import Any

from matplotlib.figure import Figure

from vernissage.analysis.shares import Share
from vernissage.gallery.usage import SplitUsage, Usage
from vernissage.pages.figures import LINE, drawing, embedded
from vernissage.pages.groups import LIGHT
from vernissage.pages.study_figures import contrast_figure, empty_figure
from vernissage.pages.study_tables import MISSING, SIGNIFICANT, Cell, DataTable, Field, p_in_words, p_value, signed
from vernissage.pages.templating import plain, shortened
from vernissage.pages.visitor.frame import report

_MOST_PLACES = 20
"""Places that are drawn, of the longest list; the table has all."""

_UNIT = "percentage points"


def usage_tables(usage: Usage) -> list[DataTable]:
    """Engines, coverage, differences where engines were compared, and places."""
    engines = [
        _words("Engine", "engine"),
        *(_count(head, head.lower()) for head in ("Answers", "Empty", "Shown", "Opened", "Kept", "Hidden")),
        *_shares(lambda row: row.opened_share),
    ]
    works = [
        _words("Engine", "engine"),
        *(
            field
            for head, name in (("Shown", "works_shown"), ("Opened", "works_opened"))
            for field in (_count(f"Works {head.lower()}", name), _percent("%", _of(usage.works, name)))
        ),
    ]
    places = [replace(_count("Place", "position"), numeric=False), _count("Shown", "shown"), _count("Opened", "opened")]
    places += _shares(lambda row: row.opened_share)
    return [
        DataTable("engines", "What became of recommended works", engines, usage.engines),
        DataTable("coverage", f"Coverage of the collection, {usage.works:,} works", works, usage.engines),
        *map(_split_table, usage.splits),
        DataTable("places", "By place in the list", places, usage.places, group="engine"),
    ]


def usage_findings(usage: Usage) -> list[str]:
    """What the comparisons of engines found, a sentence each."""
    sentences = list[str]()
    for split in usage.splits:
        for each, interval in zip(split.contrasts, split.intervals, strict=True):
            names = f"{each.engine_a} − {each.engine_b}, by {split.split_by}"
            if not isfinite(each.se):
                sentences.append(f"{names}: no test, too few visitors or no variation")
                continue
            low, high = signed(100 * interval.lower95, 1), signed(100 * interval.upper95, 1)
            found = "they differ" if each.p_holm < SIGNIFICANT else "no significant difference"
            sentences.append(
                f"{names}: {signed(100 * each.estimate, 1)} {_UNIT} (95 % interval {low} to {high}, p Holm "
                f"{p_in_words(each.p_holm)}, {split.visitors:,} visitors): {found}"
            )
        if split.unnamed:
            told = f"{split.unnamed:,} works shown are not in the comparison by {split.split_by}"
            sentences.append(f"{told}: their visitors' pseudonyms are erased")
    return sentences


def usage_report(usage: Usage) -> str:
    """One HTML document, complete in itself; equal input gives equal bytes."""
    tables = {each.anchor: each for each in usage_tables(usage)}
    told = "; ".join(f"{each.engine} {_shown(each.opened_share)}" for each in usage.engines)
    places = embedded(_places_figure(usage), f"Opened per shown by place in the list, for each engine: in all {told}.")
    sections = [("all", "Engines", places, [tables["engines"]])]
    for split in usage.splits:
        if not any(isfinite(each.estimate) for each in split.contrasts):
            continue
        contrasts = [_in_points(each, "estimate") for each in split.contrasts]
        intervals = [_in_points(each, "lower95", "upper95") for each in split.intervals]
        alt = "; ".join(f"{each.engine_a} minus {each.engine_b} {signed(each.estimate, 1)}" for each in contrasts)
        figure = embedded(contrast_figure(contrasts, intervals, _UNIT), f"Differences with 95 % intervals: {alt}.")
        heading = f"Comparison by {split.split_by}"
        sections.append((f"split-{split.split_by}", heading, figure, [tables[f"differences-{split.split_by}"]]))
    sections.append(("works", "Coverage", None, [tables["coverage"]]))  # type: ignore[arg-type]
    sections.append(("lists", "Places", None, [tables["places"]]))  # type: ignore[arg-type]
    days = " to ".join(dict.fromkeys(f"{each:%Y-%m-%d}" for each in (usage.first, usage.last)))
    whole = usage.engines[0]
    return report(
        "usage.html",
        usage.collection,
        contents=[],
        lead=f"{whole.answers:,} answers with {whole.shown:,} works were shown, {whole.opened:,} of them opened "
        f"({_shown(whole.opened_share)}), {whole.empty:,} answers were empty; {days}.",
        notes=usage_findings(usage),
        sections=sections,
    )


def _split_table(split: SplitUsage) -> DataTable:
    fields = [
        Field("Contrast", lambda row: Cell(f"{row[0].engine_a} − {row[0].engine_b}"), numeric=False),
        _percent("Difference", lambda row: row[0].estimate),
        _percent("from", lambda row: row[1].lower95),
        _percent("to", lambda row: row[1].upper95),
        Field("p Holm", lambda row: p_value(row[0].p_holm, strong=True)),
    ]
    who = f"{split.visitors:,} visitors" + (f", {split.several:,} with several engines" if split.several else "")
    caption = f"Differences in opened per shown, split by {split.split_by}: {who}"
    rows = list(zip(split.contrasts, split.intervals, strict=True))
    return DataTable(f"differences-{split.split_by}", caption, fields, rows, note="In percentage points.")


def _places_figure(usage: Usage) -> Figure:
    with drawing():
        figure, axes = empty_figure(4.6, 3.0)
        drawn = [each for each in usage.places if each.position <= _MOST_PLACES]
        groups = [(name, list(rows)) for name, rows in groupby(drawn, lambda each: each.engine)]
        for number, (name, rows) in enumerate(groups):
            colour, beside = LIGHT[number % len(LIGHT)], 0.12 * (number - (len(groups) - 1) / 2)
            at = [each.position + beside for each in rows]
            known = [(x, each.opened_share) for x, each in zip(at, rows, strict=True) if isfinite(each.opened_share.se)]
            axes.vlines(
                [x for x, _ in known],
                [100 * share.lower95 for _, share in known],
                [100 * share.upper95 for _, share in known],
                color=colour,
                linewidth=1.4,
            )
            heights = [100 * each.opened_share.estimate for each in rows]
            axes.plot(at, heights, color=colour, marker="o", markersize=4, linewidth=0.8, label=shortened(name, 30))
        last = max((each.position for each in drawn), default=1)
        axes.set_xticks(range(1, last + 1))
        axes.set(xlabel="place in the list", ylabel="opened per shown, %")
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color=LINE, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure


def _in_points(row: Any, *names: str) -> Any:
    return replace(row, **{name: 100 * getattr(row, name) for name in names})


def _of(works: int, name: str) -> Callable[[Any], float]:
    return lambda row: getattr(row, name) / works


def _shares(of: Callable[[Any], Share]) -> Sequence[Field]:
    heads = (("Opened %", "estimate"), ("from", "lower95"), ("to", "upper95"))
    return [_percent(head, lambda row, name=name: getattr(of(row), name)) for head, name in heads]  # type: ignore[misc]


def _shown(share: Share) -> str:
    return f"{100 * share.estimate:.1f} %" if isfinite(share.estimate) else MISSING


def _words(head: str, name: str) -> Field:
    return Field(head, lambda row: Cell(plain(getattr(row, name))), numeric=False)


def _count(head: str, name: str) -> Field:
    return Field(head, lambda row: Cell(f"{getattr(row, name):,}", str(getattr(row, name))))


def _percent(head: str, of: Callable[[Any], float]) -> Field:
    def cell(row: Any) -> Cell:
        value = 100 * of(row)
        return Cell(signed(value, 1), repr(value)) if isfinite(value) else Cell(MISSING, "NaN")

    return Field(head, cell)
