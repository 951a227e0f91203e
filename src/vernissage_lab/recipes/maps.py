"""`maps`: where each representation places the works of the story groups (first paper, Figs. 5 and 6)."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan, nan

import numpy as np
from matplotlib.figure import Figure

from vernissage.analysis.projection import project
from vernissage.encoders.centring import without_mean
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS
from vernissage.encoders.register import card, names
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.pages.map_figure import map_figure
from vernissage.progress import Progress
from vernissage.search.joint import join_modalities
from vernissage.values import Vectors
from vernissage_lab.analysis.gap import Method, gap_report
from vernissage_lab.analysis.paired import Estimate, mean_with_error
from vernissage_lab.analysis.tangle import (
    FEWEST,
    chance_alike,
    chance_silhouette,
    map_trust,
    neighbours_alike,
    neighbours_alike_on_map,
    silhouettes,
)
from vernissage_lab.cells import Cells, Part, rows_of
from vernissage_lab.figures import MapPanel, maps_figure
from vernissage_lab.material import (
    IN_WORDS,
    Material,
    PairedWorks,
    in_halves,
    material_of_set,
    material_of_workspace,
    measured_part,
    pairs_of_set,
    pairs_of_workspace,
)
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables
from vernissage_lab.set_encoders import SetEncoder, checked_encoders, fit_set_encoder, set_encoder
from vernissage_lab.tables import (
    Row,
    Table,
    by_measure,
    by_table,
    differences,
    estimate,
    in_table,
    parts,
    short,
    table,
    where,
)
from vernissage_lab.users import UNKNOWN, Rows
from vernissage_lab.works import WorkOptions

STEP = "Drawing maps"
JOINT, PAIRS = "joint", "pictures and texts"
KINDS = ("pictures", "texts")
AS_THEY_ARE, BEFORE, AFTER = "as they are", "before", "means removed"
ALIKE, ON_MAP, SILHOUETTE, TRUST = "same group in ten", "same group in ten on the map", "silhouette", "trustworthiness"
GAP, TOLD_APART, OWN_KIND = "gap", "told apart", "own kind in ten"


@dataclass(frozen=True)
class MapOptions(WorkOptions):
    """How many works a map shows at most, and how many pairs a map of pictures and texts."""

    works: int = 2_500
    pairs: int = 1_000

    def __post_init__(self) -> None:
        self.require(works=FEWEST, pairs=FEWEST)


@dataclass(frozen=True, eq=False)
class MapWorks:
    """Works by one encoder.

    Attributes:
        material: with groups and vectors.
        pairs: works whose pictures and texts share a space, some of them to fit means on; None where there are none.
        remark: why there are none, where there might be some.
    """

    material: Material
    pairs: PairedWorks | None = None
    remark: str = ""


def compute(options: MapOptions, cells: Cells) -> Outcome:
    """Draw maps of the works by story group, one for each encoder and modality, and measure how tangled groups are.

    Without --encoder, by all encoders of the workspace, or with --kind by all that need no weights.

    \b
    Examples:
      vernissage lab experiment run maps workspace
      vernissage lab experiment run maps workspace -e lsa -e colour-texture -e aligned
      vernissage lab experiment run maps gallery.csv --kind national-gallery -e lsa
    """
    works = _of_workspace(options, cells) if options.kind is None else _of_set(options, cells)
    return run_maps(list(works), options, cells)


def _of_workspace(options: MapOptions, cells: Cells) -> Iterator[MapWorks]:
    opened = options.workspace
    for name in dict.fromkeys(options.encoder or opened.encoder_names):
        material = material_of_workspace(opened, name)
        too_few = name == "aligned" and (len(material) + 1) // 2 < FEWEST_PAIRS
        pairs = partial(pairs_of_workspace, opened, material, **cells.how)
        yield _with_pairs(material, too_few, len(material), pairs)


def _of_set(options: MapOptions, cells: Cells) -> Iterator[MapWorks]:
    found, folder, how = options.dataset, cells.place, cells.how
    there = any(image.path for image in found.images)
    usual = [name for name in names("fitted") if there or "image" not in card(name).modalities]
    halves = in_halves(found, seed=cells.seed)

    def pairs(name: str, by: SetEncoder) -> PairedWorks:
        if by.workspace is not None:
            by = fit_set_encoder(halves, name, folder, part="train", **how)
        return pairs_of_set(halves, by, folder, pairs=options.pairs, **how)

    for name in checked_encoders(options.encoder or usual, options.weights):
        by = set_encoder(found, name, folder, weights=options.weights, **how)
        material = material_of_set(measured_part(found), by, folder, **how)
        too_few = by.workspace is not None and halves.splits.get("train", 0) < FEWEST_PAIRS
        yield _with_pairs(material, too_few, len(found.images), partial(pairs, name, by))


def _with_pairs(material: Material, too_few: bool, works: int, pairs: Callable[[], PairedWorks]) -> MapWorks:
    """The works with pairs, where the encoder reads both kinds and half of the works are enough to fit it anew."""
    if len(material.modalities) < 2:
        return MapWorks(material)
    if not too_few:
        return MapWorks(material, pairs())
    remark = (
        f"{material.encoder}: no map of pictures beside texts, because half of {works} works are too few to fit it "
        f"anew; it takes {FEWEST_PAIRS}"
    )
    return MapWorks(material, remark=remark)


def run_maps(works: Sequence[MapWorks], options: MapOptions, cells: Cells) -> Outcome:
    """Place the works of each encoder by its pictures, its texts, and both joined; measure how tangled groups are.

    Returns:
        ``maps``: places of works by t-SNE; ``measures``: what is true of the spaces, beside what chance gives;
        ``differences``: of the share of neighbours of the same group, each representation minus the first joint one, or
        minus the first where none is joint, paired over works.

    Raises:
        RequestError: fewer than 2 groups, or fewer than 21 works.
    """
    grid: list[Part] = []
    notes: list[str] = []
    for one in works:
        _check(one.material, options.works, cells.seed)
        for of, vectors in representations(one.material).items():
            rows = drawn_rows(one.material, vectors, options.works, cells.seed)
            cell = partial(_map_of_groups, one.material, of, vectors, rows, cells.seed, cells.progress)
            grid.append(Part({**one.material.describe(), "of": of, "most": options.works}, cell))
            notes += _remarks(one.material, of, vectors, rows)
        if (pairs := one.pairs) is not None:
            others, name = int((~pairs.fitting).sum()), pairs.material.encoder
            if others < FEWEST:
                notes.append(
                    f"{name}: no map of pictures beside texts, which needs {FEWEST} works, but there are {others}"
                )
            else:
                cell = partial(_map_of_pairs, pairs, options.pairs, cells.seed, cells.progress)
                grid.append(Part({**pairs.material.describe(), "of": PAIRS, "most": options.pairs}, cell))
                notes.append(
                    f"{name} for the maps of pictures and texts was fitted on {pairs.fitted_on}; means were fitted on "
                    f"{int(pairs.fitting.sum()):,} works, and others are shown"
                )
        notes += [one.remark] if one.remark else []
    tables = by_table([row for rows in rows_of(grid, cells, STEP, threads=True) for row in rows])
    tables["differences"] = _differences(tables.get("maps", ()))
    return Outcome(tables, tuple(notes), tuple(one.material.describe() for one in works))


def representations(material: Material) -> dict[str, Vectors]:
    """The vectors of pictures, of texts, and where there are both, joint ones: by what they are of."""
    found = {IN_WORDS[modality]: vectors for modality, vectors in material.vectors.items()}
    if len(found) == len(IN_WORDS):
        image, text = (material.table(each, material.vectors[each], material.item_ids) for each in IN_WORDS)
        found[JOINT] = join_modalities(image, text).vectors
    return found


def drawn_rows(material: Material, vectors: Vectors, most: int, seed: int) -> Rows:
    """Rows with a vector, at most so many: by a digest of seed and id, so that all representations show the same."""
    there = np.flatnonzero(vectors.any(axis=1))
    if len(there) <= most:
        return there
    ids = material.item_ids
    drawn = sorted(there.tolist(), key=lambda row: digest(str(seed).encode(), ids[row].encode()))[:most]
    return np.array(sorted(drawn), dtype=np.int64)


def _map_of_groups(
    material: Material, of: str, vectors: Vectors, rows: Rows, seed: int, progress: Progress
) -> Iterator[Row]:
    """The places of works by one representation, and what is true of its groups in the space itself.

    Works without a group are on the map, and not measured.
    """
    groups = [_group(material, row) for row in rows.tolist()]
    named = np.array([bool(group) for group in groups])
    known = [group for group in groups if group]
    space = vectors[rows]
    points = project(space, seed=seed, progress=progress)
    alike, chance = neighbours_alike(space[named], known), chance_alike(known)
    told = {"encoder": material.encoder, "of": of, "method": AS_THEY_ARE}
    shares = np.full(len(rows), nan)
    shares[named] = alike
    for row, group, (x, y), share in zip(rows.tolist(), groups, points.tolist(), shares.tolist(), strict=True):
        yield in_table("maps", told | _place(material.item_ids[row], of, group, x, y, share))
    on_map = mean_with_error(neighbours_alike_on_map(points[named], known))
    silhouette = mean_with_error(silhouettes(space[named], known))
    yield _measured(told, ALIKE, mean_with_error(alike), chance)
    yield _measured(told, ON_MAP, on_map, chance)
    yield _measured(told, SILHOUETTE, silhouette, chance_silhouette(space[named], known, seed=seed))
    yield _measured(told, TRUST, Estimate(map_trust(space, points), nan, len(rows)), 0.5)


def _map_of_pairs(pairs: PairedWorks, most: int, seed: int, progress: Progress) -> Iterator[Row]:
    """Pictures and texts of at most ``most`` works in one map, before and after the means of each kind are removed."""
    material = pairs.material
    both = material.vectors["image"], material.vectors["text"]
    report = gap_report(*both, pairs.fitting, pool=most, seed=seed, progress=progress)
    raw = [vectors[report.measured] for vectors in both]
    closed = [without_mean(vectors, mean) for vectors, mean in zip(raw, report.means, strict=True)]
    rows = report.measured.tolist()
    ways: tuple[tuple[Method, str, list[Vectors]], ...] = (("raw", BEFORE, raw), ("means", AFTER, closed))
    for method, words, vectors in ways:
        told = {"encoder": material.encoder, "of": PAIRS, "method": words}
        space, kinds = np.concatenate(vectors), np.repeat(KINDS, len(rows)).tolist()
        points = project(space, seed=seed, progress=progress)
        alike = neighbours_alike(space, kinds)
        for row, kind, (x, y), share in zip(rows * 2, kinds, points.tolist(), alike.tolist(), strict=True):
            yield in_table("maps", told | _place(material.item_ids[row], kind, _group(material, row), x, y, share))
        measures = report.methods[method]
        if measures.gap is not None and measures.separability is not None:
            yield _measured(told, GAP, Estimate(measures.gap, nan, len(rows)), report.level)
            yield _measured(told, TOLD_APART, measures.separability, 0.5)
        yield _measured(told, OWN_KIND, mean_with_error(alike), chance_alike(kinds))
        yield _measured(told, TRUST, Estimate(map_trust(space, points), nan, len(space)), 0.5)


def _place(work: str, kind: str, group: str, x: float, y: float, alike: float) -> dict[str, str | float]:
    return {"side": kind, "work": work, "group": group, "x": x, "y": y, "alike": alike}


def _measured(told: Mapping[str, str], measure: str, found: Estimate, chance: float) -> Row:
    lift = found.mean / chance if measure in (ALIKE, ON_MAP, OWN_KIND) and chance > 0 else nan
    return in_table("measures", {**told, "measure": measure, **vars(found), "chance": chance, "lift": lift})


def _group(material: Material, row: int) -> str:
    number = int(material.classes[row])
    return material.class_names[number] if number != UNKNOWN else ""


def _differences(maps: Sequence[Row]) -> list[Row]:
    rows = [
        {**row, "representation": f"{row['encoder']} {row['of']}"}
        for row in where(maps, method=AS_THEY_ARE)
        if not isnan(row["alike"])
    ]
    if not rows:
        return []
    reference = ((where(rows, of=JOINT) or rows)[0]["representation"],)
    found = differences(rows, (), ("representation",), reference, "alike", "work")
    return [{**row, "measure": ALIKE} for row in found]


def _check(material: Material, most: int, seed: int) -> None:
    known = material.class_names
    if len(known) < 2:
        what = f"only one group, {known[0]}" if known else "no groups"
        raise RequestError(
            f"{material.name} has {what} among the {len(material)} works that {material.encoder} reads, but maps need "
            f"2 or more; give the collection a column group and build it again, or with --kind name a column of "
            f"classes by --class-column"
        )
    for of, vectors in representations(material).items():
        classes = material.classes[drawn_rows(material, vectors, most, seed)]
        classes = classes[classes != UNKNOWN]
        if len(classes) < FEWEST or not 1 < len(np.unique(classes)) < len(classes):
            raise RequestError(
                f"{len(classes)} works of {material.name} in {len(np.unique(classes))} groups have a vector of "
                f"{material.encoder}'s {of}; maps need {FEWEST} works or more, in 2 groups or more but not one each"
            )


def _remarks(material: Material, of: str, vectors: Vectors, rows: Rows) -> Iterator[str]:
    there, name = int(vectors.any(axis=1).sum()), f"{material.encoder}, {of}"
    if len(rows) < there:
        yield f"{name}: a map of {len(rows):,} works, drawn from {there:,}; --works shows more"
    without = int((material.classes[rows] == UNKNOWN).sum())
    if without:
        yield f"{name}: {without:,} of {len(rows):,} works have no group; they are on the map, and not measured"


def _pictures(tables: Tables) -> Mapping[str, Picture]:
    """All maps side by side, each of them large, and for encoders of both kinds pictures and texts in one space."""
    maps, measures = tables.get("maps", ()), tables.get("measures", ())
    of_groups = where(maps, method=AS_THEY_ARE)
    # Groups, the largest first, each work counted once.
    sizes = Counter({row["work"]: row["group"] for row in of_groups if row["group"]}.values())
    order = sorted(sizes, key=lambda group: (-sizes[group], group))
    found: dict[str, Picture] = {}
    each = {
        key: _panel(rows, where(measures, encoder=key[0], of=key[1])) for key, rows in parts(of_groups, "encoder", "of")
    }
    if each:
        title = "Works by story group, as each representation places them"
        found["maps"] = _picture(maps_figure(list(each.values()), title=title, order=order), title, list(each.values()))
    for (encoder, of), panel in each.items():
        title, line = f"{panel.title}: {len(panel.points):,} works by group", _line(panel)
        figure = map_figure(panel.points, panel.colour_by, title=title, note=line, order=order)
        found[f"{encoder}-{of}"] = Picture(figure, f"{title}. {line}.")
    for (encoder,), rows in parts(where(maps, of=PAIRS), "encoder"):
        mine = where(measures, encoder=encoder, of=PAIRS)
        panels = [_gap_panel(where(rows, method=way), where(mine, method=way), way) for way in (BEFORE, AFTER)]
        title = f"{encoder}: pictures and texts of {len(panels[0].points) // 2:,} works in one space"
        found[f"{encoder}-gap"] = _picture(maps_figure(panels, title=title, order=KINDS, width=4.2), title, panels)
    return found


def _picture(figure: Figure, title: str, panels: Sequence[MapPanel]) -> Picture:
    return Picture(figure, f"{title}. " + " ".join(f"{panel.title}: {_line(panel)}." for panel in panels))


def _line(panel: MapPanel) -> str:
    return panel.note.replace("\n", " · ")


def _panel(rows: Sequence[Row], measures: Sequence[Row]) -> MapPanel:
    told = by_measure(measures)
    alike, silhouette, trust = told[ALIKE], told[SILHOUETTE], told[TRUST]
    note = (
        f"same group in ten {estimate(alike, 2)}, chance {short(alike['chance'], 2)}, lift {short(alike['lift'], 1)}\n"
        f"silhouette {short(silhouette['mean'])} · trust in the map {short(trust['mean'], 2)}"
    )
    return _drawn(f"{rows[0]['encoder']}, {rows[0]['of']}", note, rows, "group")


def _gap_panel(rows: Sequence[Row], measures: Sequence[Row], method: str) -> MapPanel:
    told = by_measure(measures)
    gap, apart, alike, trust = (told[each] for each in (GAP, TOLD_APART, OWN_KIND, TRUST))
    note = (
        f"gap {short(gap['mean'], 2)} (by sampling {short(gap['chance'], 2)}) · told apart {estimate(apart, 2)} "
        f"(chance .50)\nown kind in ten {estimate(alike, 2)} (chance {short(alike['chance'], 2)}) · trust in the map "
        f"{short(trust['mean'], 2)}"
    )
    return _drawn(method[0].upper() + method[1:], note, rows, "side")


def _drawn(title: str, note: str, rows: Sequence[Row], by: str) -> MapPanel:
    return MapPanel(title, note, np.array([[row["x"], row["y"]] for row in rows]), [row[by] for row in rows])


def _views(tables: Tables) -> list[Table]:
    """How tangled groups are in each representation, how far maps can be trusted, and the gap of the two kinds."""
    rows = tables.get("measures", ())
    tangled, trusted, gaps = [], [], []
    for key, mine in parts(where(rows, method=AS_THEY_ARE), "encoder", "of"):
        told = by_measure(mine)
        alike, silhouette, trust = told[ALIKE], told[SILHOUETTE], short(told[TRUST]["mean"])
        lift = (f"{alike['n']:,}", estimate(alike), short(alike["chance"]), short(alike["lift"], 1))
        tangled.append((*key, *lift, short(silhouette["mean"]), short(silhouette["chance"])))
        trusted.append((*key, estimate(alike), estimate(told[ON_MAP]), trust))
    for key, mine in parts(where(rows, of=PAIRS), "encoder", "method"):
        told = by_measure(mine)
        gap, alike = told[GAP], told[OWN_KIND]
        shown = (f"{gap['n']:,}", short(gap["mean"]), short(gap["chance"]), estimate(told[TOLD_APART]))
        gaps.append((*key, *shown, estimate(alike), short(alike["chance"])))
    found = [
        table(
            "How tangled the groups are",
            ("encoder", "of", "works", "alike", "chance", "lift", "silh.", "chance"),
            tangled,
            "alike: the share of a work's ten nearest others that are of its group, ± standard error over works; "
            "silh.: silhouette by cosine",
            words=2,
        ),
        table(
            "How far the maps can be trusted",
            ("encoder", "of", "alike", "on the map", "trust"),
            trusted,
            "on the map: alike among the ten nearest there; trust: trustworthiness, 1 where whoever is near on the map "
            "is near in the space, .5 for a random map",
            words=2,
        ),
        table(
            "Pictures and texts in one space",
            ("encoder", "method", "pairs", "gap", "sampling", "told apart", "own kind", "chance"),
            gaps,
            "gap: distance of the means; sampling: what is left of it where there is none; told apart: by a straight "
            "line, .5 by guessing; own kind: the share of the ten nearest others that are of the same kind",
            words=2,
        ),
    ]
    return [each for each in found if each.rows]


RECIPE = Recipe(EXPERIMENTS["maps"], MapOptions, compute, _pictures, _views)
