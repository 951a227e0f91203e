"""`maps`: where each representation places the works of the story groups (first paper, Figs. 5 and 6)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan, nan

import numpy as np

from vernissage.analysis.projection import project
from vernissage.encoders.register import card, names
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.pages.map_figure import map_figure
from vernissage.progress import Progress
from vernissage.search.joint import join_modalities
from vernissage.values import Vectors
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
from vernissage_lab.material import IN_WORDS, Material, material_of_set, material_of_workspace, measured_part
from vernissage_lab.recipe import EXPERIMENTS, Outcome, Picture, Recipe, Tables
from vernissage_lab.set_encoders import checked_encoders, set_encoder
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
JOINT = "joint"
ALIKE, ON_MAP, SILHOUETTE, TRUST = "same group in ten", "same group in ten on the map", "silhouette", "trustworthiness"


@dataclass(frozen=True)
class MapOptions(WorkOptions):
    """How many works a map shows at most."""

    works: int = 2_500

    def __post_init__(self) -> None:
        self.require(works=FEWEST)


def compute(options: MapOptions, cells: Cells) -> Outcome:
    """Draw maps of the works by story group, one for each encoder and modality, and measure how tangled groups are.

    Without --encoder, by all encoders of the workspace, or with --kind by all that need no weights.

    \b
    Examples:
      vernissage lab experiment run maps workspace
      vernissage lab experiment run maps workspace -e lsa -e colour-texture -e aligned
      vernissage lab experiment run maps gallery.csv --kind national-gallery -e lsa
    """
    found = _of_workspace(options) if options.kind is None else _of_set(options, cells)
    return run_maps(list(found), options, cells)


def _of_workspace(options: MapOptions) -> Iterator[Material]:
    opened = options.workspace
    for name in dict.fromkeys(options.encoder or opened.encoder_names):
        yield material_of_workspace(opened, name)


def _of_set(options: MapOptions, cells: Cells) -> Iterator[Material]:
    found, folder, how = options.dataset, cells.place, cells.how
    there = any(image.path for image in found.images)
    usual = [name for name in names("fitted") if there or "image" not in card(name).modalities]
    for name in checked_encoders(options.encoder or usual, options.weights):
        by = set_encoder(found, name, folder, weights=options.weights, **how)
        yield material_of_set(measured_part(found), by, folder, **how)


def run_maps(works: Sequence[Material], options: MapOptions, cells: Cells) -> Outcome:
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
        _check(one, options.works, cells.seed)
        for of, vectors in representations(one).items():
            rows = drawn_rows(one, vectors, options.works, cells.seed)
            cell = partial(_map_of_groups, one, of, vectors, rows, cells.seed, cells.progress)
            grid.append(Part({**one.describe(), "of": of, "most": options.works}, cell))
            notes += _remarks(one, of, vectors, rows)
    tables = by_table([row for rows in rows_of(grid, cells, STEP, threads=True) for row in rows])
    tables["differences"] = _differences(tables.get("maps", ()))
    return Outcome(tables, tuple(notes), tuple(one.describe() for one in works))


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
    told = {"encoder": material.encoder, "of": of}
    shares = np.full(len(rows), nan)
    shares[named] = alike
    for row, group, (x, y), share in zip(rows.tolist(), groups, points.tolist(), shares.tolist(), strict=True):
        yield in_table("maps", {**told, "work": material.item_ids[row], "group": group, "x": x, "y": y, "alike": share})
    on_map = mean_with_error(neighbours_alike_on_map(points[named], known))
    silhouette = mean_with_error(silhouettes(space[named], known))
    yield _measured(told, ALIKE, mean_with_error(alike), chance)
    yield _measured(told, ON_MAP, on_map, chance)
    yield _measured(told, SILHOUETTE, silhouette, chance_silhouette(space[named], known, seed=seed))
    yield _measured(told, TRUST, Estimate(map_trust(space, points), nan, len(rows)), 0.5)


def _measured(told: Mapping[str, str], measure: str, found: Estimate, chance: float) -> Row:
    lift = found.mean / chance if measure in (ALIKE, ON_MAP) and chance > 0 else nan
    return in_table("measures", {**told, "measure": measure, **vars(found), "chance": chance, "lift": lift})


def _group(material: Material, row: int) -> str:
    number = int(material.classes[row])
    return material.class_names[number] if number != UNKNOWN else ""


def _differences(maps: Sequence[Row]) -> list[Row]:
    rows = [{**row, "representation": f"{row['encoder']} {row['of']}"} for row in maps if not isnan(row["alike"])]
    if not rows:
        return []
    reference = ((where(rows, of=JOINT) or rows)[0]["representation"],)
    found = differences(rows, (), ("representation",), reference, ("alike",), "work")
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
    """All maps side by side, and each of them large."""
    maps, measures = tables.get("maps", ()), tables.get("measures", ())
    # Groups, the largest first, each work counted once.
    sizes = Counter({row["work"]: row["group"] for row in maps if row["group"]}.values())
    order = sorted(sizes, key=lambda group: (-sizes[group], group))
    each = {key: _panel(rows, where(measures, encoder=key[0], of=key[1])) for key, rows in parts(maps, "encoder", "of")}
    if not each:
        return {}
    title = "Works by story group, as each representation places them"
    told = f"{title}. " + " ".join(f"{panel.title}: {_line(panel)}." for panel in each.values())
    found = {"maps": Picture(maps_figure(list(each.values()), title=title, order=order), told)}
    for (encoder, of), panel in each.items():
        title, line = f"{panel.title}: {len(panel.points):,} works by group", _line(panel)
        figure = map_figure(panel.points, panel.colour_by, title=title, note=line, order=order)
        found[f"{encoder}-{of}"] = Picture(figure, f"{title}. {line}.")
    return found


def _line(panel: MapPanel) -> str:
    return panel.note.replace("\n", " · ")


def _panel(rows: Sequence[Row], measures: Sequence[Row]) -> MapPanel:
    told = by_measure(measures)
    alike, silhouette, trust = told[ALIKE], told[SILHOUETTE], told[TRUST]
    note = (
        f"same group in ten {estimate(alike, 2)}, chance {short(alike['chance'], 2)}, lift {short(alike['lift'], 1)}\n"
        f"silhouette {short(silhouette['mean'])} · trust in the map {short(trust['mean'], 2)}"
    )
    points = np.array([[row["x"], row["y"]] for row in rows])
    return MapPanel(f"{rows[0]['encoder']}, {rows[0]['of']}", note, points, [row["group"] for row in rows])


def _views(tables: Tables) -> list[Table]:
    """How tangled groups are in each representation, and how far maps can be trusted."""
    rows = tables.get("measures", ())
    tangled, trusted = [], []
    for key, mine in parts(rows, "encoder", "of"):
        told = by_measure(mine)
        alike, silhouette, trust = told[ALIKE], told[SILHOUETTE], short(told[TRUST]["mean"])
        lift = (f"{alike['n']:,}", estimate(alike), short(alike["chance"]), short(alike["lift"], 1))
        tangled.append((*key, *lift, short(silhouette["mean"]), short(silhouette["chance"])))
        trusted.append((*key, estimate(alike), estimate(told[ON_MAP]), trust))
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
    ]
    return [each for each in found if each.rows]


RECIPE = Recipe(EXPERIMENTS["maps"], MapOptions, compute, _pictures, _views)
