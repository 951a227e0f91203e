"""`holdout`: a third of each person's works is hidden from every rule, which recommends from the rest."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from vernissage.cli.options import WorkspacePath
from vernissage.encoders.contract import TextEncoder
from vernissage.errors import RequestError
from vernissage.files import digest, write_bytes
from vernissage.gallery.person import areas_encoder
from vernissage.pages.figures import save_figure
from vernissage.profiles.areas import areas_of_interest, surroundings_of
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.progress import Progress, silent
from vernissage.recommenders.tags import Tags
from vernissage.recommenders.upload_rules import FusionRule
from vernissage.recommenders.uploads import UploadAnswer
from vernissage.values import ENCODED, Allow, Modality, Ranking, WritableIndex
from vernissage.workspace.repository import Snapshot, open_repository
from vernissage_lab.analysis.paired import mean_with_error
from vernissage_lab.analysis.ranking_metrics import Numbers
from vernissage_lab.evaluation import finite
from vernissage_lab.figures import Dot, dot_figure
from vernissage_lab.lists import BASELINES, RULES, Lister, Trial, listers, works_of
from vernissage_lab.material import reader_of_tags
from vernissage_lab.recipe import MEASURED, Options, Words, versions
from vernissage_lab.tables import Row, Table, Told, as_csv, paired_tests, short, signed, table, tidy, where

STEP = "Hiding works and asking for them"
FEWEST_WORKS = 3
"""Of fewer works no third can be hidden."""

REFERENCE = "knn3z"
POSSIBLE = "possible"
"""Named like a rule: the most that any list of that length could reach."""

METRICS: Mapping[str, str] = MEASURED["holdout"]["metrics"]
_HEADS = {"recall": "recall", "group-recall": "group-rec", "group-precision": "group-prec", "areas": "areas"}
_WORDS = {"image": "pictures", "text": "texts", "both": "both"}

Asked = Mapping[str, tuple[Modality, ...]]
"""Names of sources or targets, ``image``, ``text`` and ``both``, and the modalities that each stands for."""


class Cell(NamedTuple):
    """What was uploaded and what is shown, each ``image``, ``text`` or ``both``."""

    source: str
    target: str


class Measured(NamedTuple):
    """One metric of one rule's lists of length k in one cell."""

    cell: Cell
    rule: str
    metric: str
    k: int

    @property
    def columns(self) -> dict[str, Any]:
        """The same as columns of a table."""
        return {**self.cell._asdict(), "rule": self.rule, "metric": self.metric, "k": self.k}


@dataclass(frozen=True, eq=False)
class Holdout:
    """What came out.

    Attributes:
        owners: ``owner``, their ``works``, and how many are ``hidden`` at a time; in alphabetical order.
        values: for each thing measured a value for each of ``owners``, float64 (owners,): the mean over repetitions;
            NaN for people who have nothing of that source or hide nothing of that target.
        rules: in the order of the table.
        references: what is there to compare with, not to recommend by.
        unanswered: lists that a rule could not make, which count as nothing found.
        protocol: how it was measured; JSON values.
    """

    owners: tuple[Row, ...]
    values: Mapping[Measured, Numbers]
    rules: tuple[str, ...]
    references: frozenset[str]
    unanswered: Mapping[str, int]
    protocol: Mapping[str, Any]

    def rows(self) -> list[Row]:
        """The mean over people, and its error, of every cell, rule, metric and length that two people or more have."""
        found: list[Row] = []
        for measured, values in self.values.items():
            known = values[~np.isnan(values)]
            if len(known) > 1:
                estimate = mean_with_error(known)
                found.append({**measured.columns, "mean": estimate.mean, "se": estimate.se, "owners": len(known)})
        return found

    def differences(self, reference: str = REFERENCE) -> list[Row]:
        """Every other rule minus ``reference``, paired by person; Holm's p over the rules of a cell, metric and length.

        Raises:
            RequestError: that rule was not measured.
        """
        if reference not in self.rules:
            raise RequestError(f"no rule {reference!r} was measured; choose one of {', '.join(self.rules)}")
        found: list[Row] = []
        for base in (measured for measured in self.values if measured.rule == reference):
            known = ~np.isnan(self.values[base])
            if known.sum() < 2:
                continue
            others = [base._replace(rule=rule) for rule in self.rules if rule != reference]
            others = [other for other in others if other in self.values]
            pairs = {other: (self.values[other][known], self.values[base][known]) for other in others}
            for other, test, p_holm in paired_tests(pairs):
                place = {**base.cell._asdict(), "rule": other.rule, "reference": reference}
                found.append({**place, "metric": base.metric, "k": base.k, **vars(test), "p_holm": p_holm})
        return found

    def people(self, encoder: str) -> list[Row]:
        """Every person's values, one a row."""
        return [
            {"encoder": encoder, **owner, **measured.columns, "value": value}
            for measured, values in self.values.items()
            for owner, value in zip(self.owners, values.tolist(), strict=True)
            if not np.isnan(value)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Protocol, people, table and differences from knn3z, or the first rule, as JSON values."""
        reference = REFERENCE if REFERENCE in self.rules else self.rules[0]
        return {
            "protocol": dict(self.protocol),
            "metrics": dict(METRICS),
            "owners": list(self.owners),
            "unanswered": dict(self.unanswered),
            "rows": self.rows(),
            "differences": [finite(row) for row in self.differences(reference)],
        }


@dataclass(frozen=True)
class HoldoutOptions(Options):
    """Whose works are hidden, by whose vectors, and what is written."""

    workspace: WorkspacePath
    encoder: Words = None
    source: Words = None
    target: Words = None
    owners_with: int = 10
    repetitions: int = 5
    seed: int = 0
    k: list[int] | None = None
    out: Path | None = None
    figure: Path | None = None


def holdout(options: HoldoutOptions, progress: Progress = silent) -> Told:
    """Hide a third of each person's works, recommend from the rest, and count how many come back.

    \b
    Examples:
      vernissage lab holdout workspace --figure holdout.png --out holdout.csv
      vernissage lab holdout workspace -e lsa -e colour-texture --repetitions 10
      vernissage lab holdout workspace --source image --target text -k 20 --owners-with 5 --json
    """
    snapshot = open_repository(options.workspace).snapshot
    names = dict.fromkeys(options.encoder or [areas_encoder(snapshot.workspace)])
    found = {name: _held_out(snapshot, name, options, progress) for name in names}
    remarks = []
    if options.out is not None:
        rows = [row for name, each in found.items() for row in each.people(name)]
        write_bytes(options.out, as_csv(tidy(rows)))
        remarks.append(f"Table written: {options.out}")
    if options.figure is not None:
        _draw(found, options.figure)
        remarks.append(f"Picture written: {options.figure}")
    fingerprint = snapshot.collection.fingerprint
    content = {name: {"collection": fingerprint, **each.to_dict()} for name, each in found.items()}
    return Told(content, [line for name, each in found.items() for line in _shown(name, each)], remarks)


def _held_out(snapshot: Snapshot, name: str, options: HoldoutOptions, progress: Progress) -> Holdout:
    indexes = {modality: snapshot.index(name, modality) for modality in snapshot.workspace.modalities(name)}
    items = snapshot.items(list(dict.fromkeys(item_id for index in indexes.values() for item_id in index.item_ids)))
    return run_holdout(
        indexes,
        {item.id: item.owner for item in items.values()},
        tags={item.id: item.keywords for item in items.values()},
        groups={item.id: item.group for item in items.values()},
        text_encoder=reader_of_tags(snapshot.workspace, name),
        **{each: getattr(options, each) for each in ("owners_with", "repetitions", "seed")},
        depths=options.k or (10, 50),
        sources=options.source or (),
        targets=options.target or (),
        progress=progress,
    )


def run_holdout(
    indexes: Mapping[Modality, WritableIndex],
    owner_of: Mapping[str, str],
    *,
    tags: Tags,
    groups: Mapping[str, str],
    text_encoder: TextEncoder | None = None,
    rules: Mapping[str, FusionRule] = RULES,
    owners_with: int = 10,
    repetitions: int = 5,
    seed: int = 0,
    depths: Sequence[int] = (10, 50),
    sources: Sequence[str] = (),
    targets: Sequence[str] = (),
    progress: Progress = silent,
) -> Holdout:
    """Hide a third of each person's works, recommend from the rest, and count what comes back.

    For everybody with ``owners_with`` works or more, ``repetitions`` times: a third of the works, drawn at random, is
    taken from them and belongs to somebody else (`trial_of`); areas of interest are found in the others, and each rule
    makes lists of pictures, of texts and of both, for what was uploaded as pictures, as texts and as both. The kept
    works cannot come back; all other people's can. A list of both is made of a list of each (`interleaved`). A rule
    that has no answer shows nothing, which counts as nothing found. Values are means over a person's repetitions;
    errors are over people. Equal arguments give equal results.

    Args:
        indexes: the works of each modality, by one encoder.
        owner_of: the person of each work; "" or nothing for works of nobody.
        groups: the category of each work; works without one say nothing about categories.
        depths: how long the lists are that are judged.
        sources, targets: only these of ``image``, ``text`` and ``both``; all that are there without.

    Raises:
        RequestError: numbers below 1, a source or target that is not there, as in `works_of_owners`, or a rule could
            not answer anybody.
    """
    if repetitions < 1 or not depths or min(depths) < 1:
        raise RequestError(
            f"{repetitions} repetitions and lists of {', '.join(map(str, depths)) or 'no'} works were asked for; "
            f"ask for 1 or more of each"
        )
    there = {item_id: owner for item_id, owner in owner_of.items() if any(item_id in each for each in indexes.values())}
    works = works_of_owners(there, owners_with)
    methods = listers(indexes, tags, text_encoder=text_encoder, rules=rules, seed=seed)
    modalities = tuple(modality for modality in ENCODED if modality in indexes)
    asked = {modality: (modality,) for modality in modalities} | ({"both": modalities} if len(modalities) > 1 else {})
    judged = _Judged(_chosen(asked, sources), _chosen(asked, targets), methods, tuple(sorted(set(depths))), groups)
    progress(STEP, 0, len(works) * repetitions)
    for number, (owner, item_ids) in enumerate(works.items()):
        for repetition in range(repetitions):
            judged.add(trial_of(indexes, there, owner, *split_works(owner, item_ids, repetition=repetition, seed=seed)))
            progress(STEP, number * repetitions + repetition + 1, len(works) * repetitions)
    protocol = {"owners_with": owners_with, "repetitions": repetitions, "seed": seed, "k": list(judged.depths)}
    protocol |= {
        **MEASURED["holdout"]["protocol"],
        "works": {modality: len(index) for modality, index in indexes.items()},
        "tag_embedding": text_encoder.name if text_encoder is not None else None,
        "versions": {name: versions()[name] for name in ("vernissage", "python", "numpy")},
    }
    return Holdout(
        owners=tuple({"owner": owner, "works": len(ids), "hidden": len(ids) // 3} for owner, ids in works.items()),
        values=judged.values(tuple(works)),
        rules=tuple(methods),
        references=frozenset({POSSIBLE, *BASELINES}),
        unanswered=MappingProxyType(judged.unanswered()),
        protocol=MappingProxyType(protocol),
    )


def works_of_owners(owner_of: Mapping[str, str], at_least: int) -> dict[str, tuple[str, ...]]:
    """The works of everybody who owns so many; owners and works in alphabetical order.

    Raises:
        RequestError: fewer than 3 works are asked for, no work has an owner, or fewer than 2 people own so many.
    """
    if at_least < FEWEST_WORKS:
        raise RequestError(
            f"owners with {at_least} works were asked for, but a third of them must be hidden; "
            f"ask for {FEWEST_WORKS} or more"
        )
    works: dict[str, list[str]] = defaultdict(list)
    for item_id, owner in owner_of.items():
        if owner:
            works[owner].append(item_id)
    found = {owner: tuple(sorted(works[owner])) for owner in sorted(works) if len(works[owner]) >= at_least}
    if not works:
        raise RequestError("no work has an owner, so nobody's works can be hidden; give the collection a column owner")
    if len(found) < 2:
        largest = ", ".join(map(str, sorted(map(len, works.values()), reverse=True)[:3]))
        raise RequestError(
            f"{len(found)} of {len(works)} owners have {at_least} works or more, but an error needs 2 owners; the most "
            f"that anybody has is {largest}: ask for fewer with --owners-with, or use a collection with more"
        )
    return found


def split_works(
    owner: str, item_ids: Iterable[str], *, repetition: int = 0, seed: int = 0
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A person's works, those that are kept and a third of them, rounded down, that is hidden; each in order of ids.

    The draw depends on the seed, the repetition, the owner's name and the works alone: other people, and the order of
    the works, change nothing.
    """
    ids = sorted(item_ids)
    person = int(digest(owner.encode())[:16], 16)
    chosen = np.random.default_rng([seed, repetition, person]).permutation(len(ids))[: len(ids) // 3]
    hidden = {ids[row] for row in chosen.tolist()}
    return tuple(name for name in ids if name not in hidden), tuple(sorted(hidden))


def trial_of(
    indexes: Mapping[Modality, WritableIndex],
    owner_of: Mapping[str, str],
    owner: str,
    kept: tuple[str, ...],
    hidden: tuple[str, ...],
) -> Trial:
    """Give the hidden works to somebody else and find areas of interest in the others."""
    uploads = {}
    for modality, index in indexes.items():
        if ids := [item_id for item_id in kept if item_id in index]:
            vectors = index.vectors_of(ids)
            others = [each for each in indexes if each != modality]
            near = surroundings_of(vectors, indexes[others[0]], Allow(exclude=frozenset(kept))) if others else None
            areas = areas_of_interest(vectors, background=index.moments().mean, surroundings=near)
            uploads[modality] = uploads_of_modality(ids, vectors, areas)
    somebody, owners = f"not {owner}", set(owner_of.values())
    while somebody in owners:
        somebody = f"not {somebody}"
    given = {**owner_of, **dict.fromkeys(hidden, somebody)}
    return Trial(owner, kept, hidden, UploadProfile(owner, uploads), works_of(indexes, given))


def worth(shown: Sequence[str], hidden: Sequence[str], groups: Mapping[str, str], k: int) -> dict[str, float]:
    """What a list of ``k`` works is worth, each in [0, 1].

    ``recall``: the share of the hidden works that are shown. ``group-recall``: the share of the hidden works' distinct
    groups of which a work is shown. ``group-precision``: the share of the k places whose work has one of these
    groups. The last two are absent where no hidden work has a group.
    """
    found = {"recall": len(set(hidden).intersection(shown)) / len(hidden)}
    wanted = {groups[each] for each in hidden if groups.get(each)}
    if wanted:
        places = [groups.get(each, "") for each in shown]
        found["group-recall"] = len(wanted.intersection(places)) / len(wanted)
        found["group-precision"] = sum(group in wanted for group in places) / k
    return found


def most(hidden: Sequence[str], groups: Mapping[str, str], areas: int, k: int) -> dict[str, float]:
    """The most that a list of ``k`` works can be worth (`worth`), for a person with so many areas of interest."""
    wanted = len({groups[each] for each in hidden if groups.get(each)})
    by_group = {"group-recall": min(k, wanted) / wanted, "group-precision": 1.0} if wanted else {}
    return {"recall": min(k, len(hidden)) / len(hidden), **by_group, "areas": min(k, areas) / areas}


def _chosen(there: Asked, names: Sequence[str]) -> Asked:
    unknown = [name for name in names if name not in there]
    if unknown:
        raise RequestError(f"{unknown[0]!r} is neither source nor target here; choose from {', '.join(there)}")
    return {name: there[name] for name in there if not names or name in names}


@dataclass(frozen=True)
class _Judged:
    """What every list is worth, trial by trial."""

    sources: Asked
    targets: Asked
    methods: Mapping[str, Lister]
    depths: tuple[int, ...]
    groups: Mapping[str, str]
    _seen: dict[Measured, dict[str, list[float]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    _silent: Counter[str] = field(default_factory=Counter)
    _asked: Counter[str] = field(default_factory=Counter)
    _why: dict[str, str] = field(default_factory=dict)

    def add(self, trial: Trial) -> None:
        """Ask every rule in every cell of one trial."""
        for source, modalities in self.sources.items():
            profile = trial.profile(modalities)
            if not profile.by_modality:
                continue
            areas = sum(len(uploads.unmuted) for uploads in profile.by_modality.values())
            for target, wanted in self.targets.items():
                hidden = [each for each in trial.hidden if any(each in trial.works[modality] for modality in wanted)]
                if not hidden:
                    continue
                cell = Cell(source, target)
                for k in self.depths:
                    self._keep(cell, POSSIBLE, k, trial.owner, most(hidden, self.groups, areas, k))
                for name in self.methods:
                    answer = self._answer(name, trial, profile, wanted)
                    shown, first = answer.ranking.item_ids, self.depths[0]
                    for k in self.depths:
                        self._keep(cell, name, k, trial.owner, worth(shown[:k], hidden, self.groups, k))
                    if reasons := answer.explain(shown[:first]):  # of the shortest list alone: they take most time
                        heard = {(each.area.source, each.area.number) for each in reasons}
                        self._keep(cell, name, first, trial.owner, {"areas": len(heard) / areas})

    def values(self, owners: Sequence[str]) -> Mapping[Measured, Numbers]:
        """For each thing measured the mean over repetitions of each owner, float64 (owners,), NaN if never measured."""
        return MappingProxyType(
            {
                measured: np.array([np.mean(seen[owner]) if owner in seen else np.nan for owner in owners])
                for measured, seen in self._seen.items()
            }
        )

    def unanswered(self) -> dict[str, int]:
        """How many lists each rule could not make. Raises RequestError: a rule made none at all."""
        for name in self.methods:
            if self._asked[name] and self._silent[name] == self._asked[name]:
                raise RequestError(f"{name} could not answer anybody: {self._why[name]}")
        return {name: self._silent[name] for name in self.methods}

    def _answer(self, name: str, trial: Trial, profile: UploadProfile, wanted: Sequence[Modality]) -> UploadAnswer:
        self._asked[name] += 1
        try:
            return self.methods[name](trial, profile, wanted, max(self.depths))
        except RequestError as error:  # nothing that this rule can read: counted, and nothing found
            self._silent[name] += 1
            self._why[name] = str(error)
            return UploadAnswer(Ranking((), np.empty(0)))

    def _keep(self, cell: Cell, rule: str, k: int, owner: str, found: Mapping[str, float]) -> None:
        for metric, value in found.items():
            self._seen[Measured(cell, rule, metric, k)][owner].append(value)


def _shown(name: str, found: Holdout) -> list[str | Table]:
    rows, differences, depths = found.rows(), found.differences(), found.protocol["k"]
    hidden, works = (sum(owner[what] for owner in found.owners) for what in ("hidden", "works"))
    people = f"{len(found.owners)} people with {found.protocol['owners_with']} works or more"
    lines: list[str | Table] = [
        f"{name}: {people}, {hidden} of their {works} works hidden, {found.protocol['repetitions']} time(s)"
    ]
    for source, target in dict.fromkeys((row["source"], row["target"]) for row in rows):
        cell = {"source": source, "target": target}
        lines += ["", _cell_table(cell, where(rows, **cell), where(differences, **cell), depths)]
    return [
        *lines,
        "",
        "mean ± standard error over people; group-rec: share of the hidden works'",
        "categories that are shown; group-prec: share of the places whose work is of one;",
        "areas: share of the areas of interest that brought a work that is shown",
        f"difference: recall@{depths[0]} minus that of {REFERENCE}, paired; * where p (Holm) is below .05",
        "possible: the most that lists of that length could reach",
        *(
            f"{rule} had no answer {count} times, which counts as nothing found"
            for rule, count in found.unanswered.items()
            if count
        ),
    ]


def _cell_table(
    cell: Mapping[str, str], rows: Sequence[Row], differences: Sequence[Row], depths: Sequence[int]
) -> Table:
    columns = [("recall", k) for k in depths] + [(each, depths[0]) for each in METRICS if each != "recall"]
    means = {(row["rule"], row["metric"], row["k"]): row for row in rows}
    against = {row["rule"]: row for row in where(differences, metric="recall", k=depths[0])}

    def line(rule: str) -> tuple[str, ...]:
        shown = [means.get((rule, *column)) for column in columns]
        told = [f"{short(each['mean'])} ±{short(each['se'])}" if each else "" for each in shown]
        other = against.get(rule)
        star = "*" if other and other["p_holm"] < 0.05 else " "
        return (rule, *told, f"{signed(other['mean'])} ±{short(other['se'])}{star}" if other else "")

    heads = ("rule", *(f"{_HEADS[metric]}@{k}" for metric, k in columns), "difference")
    rules = dict.fromkeys(row["rule"] for row in rows)
    return table(f"{_WORDS[cell['source']]} → {_WORDS[cell['target']]}", heads, map(line, rules))


def _draw(found: Mapping[str, Holdout], path: Path) -> None:
    dots = []
    for name, result in found.items():
        first = result.protocol["k"][0]
        for row in where(result.rows(), metric="recall", k=first):
            panel = f"{_WORDS[row['source']]} → {_WORDS[row['target']]}"
            title = panel if len(found) == 1 else f"{name}: {panel}"
            dots.append(Dot.of(row, row["rule"], title, row["rule"] in result.references))
    people = len(next(iter(found.values())).owners)
    what = next(iter(found)) if len(found) == 1 else "several encoders"
    save_figure(dot_figure(dots, title=f"Recall@{first} of hidden works, {people} people ({what})"), path)
