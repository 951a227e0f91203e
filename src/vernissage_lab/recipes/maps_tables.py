"""The tables of `maps` as people read them, and its figures."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from vernissage.pages.map_figure import map_figure
from vernissage_lab.pages.experiment_report import ReadTable
from vernissage_lab.pages.maps_figure import MapPanel, maps_figure
from vernissage_lab.readable import estimate, short
from vernissage_lab.recipes.contract import Picture, Tables
from vernissage_lab.tidy import Row, distinct, where

PICTURES, TEXTS, JOINT, PAIRS = "pictures", "texts", "joint", "pictures and texts"
KINDS = (PICTURES, TEXTS)
AS_THEY_ARE, BEFORE, AFTER = "as they are", "before", "means removed"
ALIKE, ON_MAP, SILHOUETTE, TRUST = "same group in ten", "same group in ten on the map", "silhouette", "trustworthiness"
GAP, TOLD_APART, OWN_KIND = "gap", "told apart", "own kind in ten"


def pictures_of(tables: Tables) -> Mapping[str, Picture]:
    """All maps side by side, each of them large, and for encoders of both kinds pictures and texts in one space."""
    maps, measures = tables.get("maps", ()), tables.get("measures", ())
    of_groups = where(maps, method=AS_THEY_ARE)
    order = _order(of_groups)
    found: dict[str, Picture] = {}
    panels = [_panel(of_groups, measures, encoder, of) for encoder, of in _representations(of_groups)]
    if panels:
        title = "Works by story group, as each representation places them"
        found["maps"] = _picture(maps_figure(panels, title=title, order=order), title, panels)
    for (name, of), panel in zip(_representations(of_groups), panels, strict=True):
        title = f"{panel.title}: {len(panel.points):,} works by group"
        line = _line(panel)
        figure = map_figure(panel.points, panel.colour_by, title=title, note=line, order=order)
        found[f"{name}-{of}"] = Picture(figure, f"{title}. {line}.")
    for encoder in map(str, distinct(where(maps, of=PAIRS), "encoder")):
        sides = [_gap_panel(maps, measures, encoder, method) for method in (BEFORE, AFTER)]
        title = f"{encoder}: pictures and texts of {len(sides[0].points) // 2:,} works in one space"
        found[f"{encoder}-gap"] = _picture(maps_figure(sides, title=title, order=KINDS, side=4.2), title, sides)
    return found


def views_of(tables: Tables) -> list[ReadTable]:
    """How tangled groups are in each representation, how far maps can be trusted, and the gap of the two kinds."""
    rows = tables.get("measures", ())
    return [*_tangle_view(where(rows, method=AS_THEY_ARE)), *_gap_view(where(rows, of=PAIRS))]


def _representations(rows: Sequence[Row]) -> list[tuple[str, str]]:
    return list(dict.fromkeys((str(row["encoder"]), str(row["of"])) for row in rows))


def _order(rows: Sequence[Row]) -> list[str]:
    """Groups, the largest first, each work counted once."""
    group_of = {row["work"]: str(row["group"]) for row in rows if row["group"]}
    sizes = Counter(group_of.values())
    return sorted(sizes, key=lambda group: (-sizes[group], group))


def _picture(figure: Figure, title: str, panels: Sequence[MapPanel]) -> Picture:
    told = " ".join(f"{panel.title}: {_line(panel)}." for panel in panels)
    return Picture(figure, f"{title}. {told}")


def _line(panel: MapPanel) -> str:
    return panel.note.replace("\n", " · ")


def _panel(maps: Sequence[Row], measures: Sequence[Row], encoder: str, of: str) -> MapPanel:
    mine = where(measures, encoder=encoder, of=of)
    alike, silhouette, trust = (where(mine, measure=each)[0] for each in (ALIKE, SILHOUETTE, TRUST))
    note = (
        f"same group in ten {estimate(alike, 2)}, chance {_number(alike, 'chance')}, lift {_number(alike, 'lift', 1)}\n"
        f"silhouette {_number(silhouette, digits=3)} · trust in the map {_number(trust)}"
    )
    rows = where(maps, encoder=encoder, of=of)
    return MapPanel(f"{encoder}, {of}", note, _points(rows), [str(row["group"]) for row in rows])


def _gap_panel(maps: Sequence[Row], measures: Sequence[Row], encoder: str, method: str) -> MapPanel:
    mine = where(measures, encoder=encoder, of=PAIRS, method=method)
    gap, apart, alike, trust = (where(mine, measure=each)[0] for each in (GAP, TOLD_APART, OWN_KIND, TRUST))
    note = (
        f"gap {_number(gap)} (by sampling {_number(gap, 'chance')}) · told apart {estimate(apart, 2)} (chance .50)\n"
        f"own kind in ten {estimate(alike, 2)} (chance {_number(alike, 'chance')}) · trust in the map {_number(trust)}"
    )
    rows = where(maps, encoder=encoder, of=PAIRS, method=method)
    title = method[0].upper() + method[1:]
    return MapPanel(title, note, _points(rows), [str(row["side"]) for row in rows])


def _points(rows: Sequence[Row]) -> npt.NDArray[np.float64]:
    return np.array([[float(row["x"]), float(row["y"])] for row in rows])


def _number(row: Row, column: str = "mean", digits: int = 2) -> str:
    return short(float(row[column]), digits)


def _tangle_view(rows: Sequence[Row]) -> Iterator[ReadTable]:
    tangled, trusted = [], []
    for encoder, of in _representations(rows):
        alike, on_map, silhouette, trust = (
            where(rows, encoder=encoder, of=of, measure=each)[0] for each in (ALIKE, ON_MAP, SILHOUETTE, TRUST)
        )
        numbers = (f"{int(alike['n']):,}", estimate(alike), _number(alike, "chance", 3), _number(alike, "lift", 1))
        tangled.append((encoder, of, *numbers, _number(silhouette, digits=3), _number(silhouette, "chance", 3)))
        trusted.append((encoder, of, estimate(alike), estimate(on_map), _number(trust, digits=3)))
    if tangled:
        yield ReadTable(
            "How tangled the groups are",
            ("encoder", "of", "works", "alike", "chance", "lift", "silh.", "chance"),
            tuple(tangled),
            "alike: the share of a work's ten nearest others that are of its group, ± standard error over works; "
            "silh.: silhouette by cosine",
            words=2,
        )
        yield ReadTable(
            "How far the maps can be trusted",
            ("encoder", "of", "alike", "on the map", "trust"),
            tuple(trusted),
            "on the map: alike among the ten nearest there; trust: trustworthiness, 1 where whoever is near on the map "
            "is near in the space, .5 for a random map",
            words=2,
        )


def _gap_view(rows: Sequence[Row]) -> Iterator[ReadTable]:
    if not rows:
        return
    body = []
    for encoder, method in dict.fromkeys((str(row["encoder"]), str(row["method"])) for row in rows):
        gap, apart, alike = (
            where(rows, encoder=encoder, method=method, measure=each)[0] for each in (GAP, TOLD_APART, OWN_KIND)
        )
        numbers = (f"{int(gap['n']):,}", _number(gap, digits=3), _number(gap, "chance", 3))
        body.append((encoder, method, *numbers, estimate(apart), estimate(alike), _number(alike, "chance", 3)))
    yield ReadTable(
        "Pictures and texts in one space",
        ("encoder", "method", "pairs", "gap", "sampling", "told apart", "own kind", "chance"),
        tuple(body),
        "gap: distance of the means; sampling: what is left of it where there is none; told apart: by a straight line, "
        ".5 by guessing; own kind: the share of the ten nearest others that are of the same kind",
        words=2,
    )
