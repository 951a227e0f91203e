"""Which rule finds works again that were hidden from it: a hold-out on people's real uploads."""

import platform
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

import vernissage
from vernissage.encoders.contract import TextEncoder
from vernissage.errors import RequestError
from vernissage.profiles.uploads import UploadProfile
from vernissage.progress import Progress, silent
from vernissage.recommenders.tags import Tags
from vernissage.recommenders.upload_rules import FusionRule
from vernissage.search.exact import ExactIndex
from vernissage.values import MODALITIES, Modality
from vernissage_lab.contenders import BASELINES, RULES, contenders_of
from vernissage_lab.holdout_results import POSSIBLE, Cell, Holdout, Measured, OwnerWorks
from vernissage_lab.listings import Lister, Listing, interleaved
from vernissage_lab.splits import Split, split_works, works_of_owners
from vernissage_lab.trials import Trial, backgrounds_of, make_trial

STEP = "Hiding works and asking for them"
Sides = Mapping[str, tuple[Modality, ...]]
"""Names of sources and targets, and the modalities that each stands for."""


def holdout(
    indexes: Mapping[Modality, ExactIndex],
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
    taken from them and belongs to somebody else (`make_trial`); areas of interest are found in the others, and each
    rule makes lists of pictures, of texts and of both, for what was uploaded as pictures, as texts and as both. The
    kept works cannot come back; all other people's can. A list of both is made of a list of each by z-scores
    (`interleaved`). A rule that has no answer shows nothing, which counts as nothing found. Values are means over a
    person's repetitions; errors are over people. Equal arguments give equal results.

    Args:
        indexes: the works of each modality with their owners, by one encoder.
        tags: for the rules by tags.
        groups: the category of each work; works without one say nothing about categories.
        text_encoder: for `tag-embedding`.
        rules: fusion rules by name.
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
    works = works_of_owners(indexes, owners_with)
    contenders = contenders_of(indexes, tags, text_encoder=text_encoder, rules=rules, seed=seed)
    backgrounds = backgrounds_of(indexes)
    there = sides_of(indexes)
    sides = _chosen(there, sources), _chosen(there, targets)
    judged = _Judged(*sides, tuple(contenders), tuple(sorted(set(depths))), groups)
    progress(STEP, 0, len(works) * repetitions)
    for number, (owner, item_ids) in enumerate(works.items()):
        for repetition in range(repetitions):
            trial = make_trial(indexes, backgrounds, split_works(owner, item_ids, repetition=repetition, seed=seed))
            judged.add(trial, {name: contender(trial) for name, contender in contenders.items()})
            progress(STEP, number * repetitions + repetition + 1, len(works) * repetitions)
    return Holdout(
        owners=tuple(OwnerWorks(owner, len(ids), len(ids) // 3) for owner, ids in works.items()),
        values=judged.values(tuple(works)),
        rules=tuple(contenders),
        references=frozenset({POSSIBLE, *BASELINES}),
        unanswered=MappingProxyType(judged.unanswered()),
        protocol=MappingProxyType(_protocol(indexes, text_encoder, owners_with, repetitions, seed, judged.depths)),
    )


def sides_of(indexes: Mapping[Modality, ExactIndex]) -> Sides:
    """What can be source or target: each modality that is there, and ``both`` where both are."""
    there = tuple(modality for modality in MODALITIES if modality in indexes)
    return {modality: (modality,) for modality in there} | ({"both": there} if len(there) > 1 else {})


def _chosen(there: Sides, names: Sequence[str]) -> Sides:
    unknown = [name for name in names if name not in there]
    if unknown:
        raise RequestError(f"{unknown[0]!r} is neither source nor target here; choose from {', '.join(there)}")
    return {name: there[name] for name in there if not names or name in names}


class _Judged:
    """Collects what every list is worth, trial by trial."""

    def __init__(
        self,
        sources: Sides,
        targets: Sides,
        rules: tuple[str, ...],
        depths: tuple[int, ...],
        groups: Mapping[str, str],
    ) -> None:
        self.sources = sources
        self.targets = targets
        self.rules = rules
        self.depths = depths
        self.groups = groups
        self._seen: dict[Measured, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._silent: dict[str, int] = dict.fromkeys(rules, 0)
        self._asked: dict[str, int] = dict.fromkeys(rules, 0)
        self._why: dict[str, str] = {}

    def add(self, trial: Trial, listers: Mapping[str, Lister]) -> None:
        """Ask every rule in every cell of one trial."""
        for source, modalities in self.sources.items():
            profile = trial.profile(modalities)
            if not profile.by_modality:
                continue
            listings = {name: self._asked_for(name, lister, profile) for name, lister in listers.items()}
            for target, wanted in self.targets.items():
                hidden = [each for each in trial.split.hidden if any(each in trial.indexes[m] for m in wanted)]
                if hidden:
                    lists = {name: _joined(each, wanted, max(self.depths)) for name, each in listings.items()}
                    self._judge(Cell(source, target), trial.split, hidden, lists)

    def values(self, owners: Sequence[str]) -> Mapping[Measured, Any]:
        """For each thing measured the mean over repetitions of each owner, float64 (owners,), NaN if never measured."""
        return MappingProxyType(
            {
                measured: np.array([np.mean(seen[owner]) if owner in seen else np.nan for owner in owners])
                for measured, seen in self._seen.items()
            }
        )

    def unanswered(self) -> dict[str, int]:
        """How many lists each rule could not make.

        Raises:
            RequestError: a rule made none at all.
        """
        for name in self.rules:
            if self._asked[name] and self._silent[name] == self._asked[name]:
                raise RequestError(f"{name} could not answer anybody: {self._why[name]}")
        return dict(self._silent)

    def _asked_for(self, name: str, lister: Lister, profile: UploadProfile) -> dict[Modality, Listing]:
        found: dict[Modality, Listing] = {}
        for modality in dict.fromkeys(each for modalities in self.targets.values() for each in modalities):
            self._asked[name] += 1
            try:
                found[modality] = lister(profile, modality, max(self.depths))
            except RequestError as error:  # nothing that this rule can read: counted, and nothing found
                self._silent[name] += 1
                self._why[name] = str(error)
        return found

    def _judge(self, cell: Cell, split: Split, hidden: Sequence[str], lists: Mapping[str, Sequence[str]]) -> None:
        wanted = {self.groups[each] for each in hidden if self.groups.get(each)}
        for k in self.depths:
            best = {"recall": min(k, len(hidden)) / len(hidden)}
            if wanted:
                best |= {"group-recall": min(k, len(wanted)) / len(wanted), "group-precision": 1.0}
            self._keep(cell, POSSIBLE, k, split.owner, best)
            for name, shown in lists.items():
                self._keep(cell, name, k, split.owner, worth(shown[:k], hidden, self.groups, k))

    def _keep(self, cell: Cell, rule: str, k: int, owner: str, found: Mapping[str, float]) -> None:
        for metric, value in found.items():
            self._seen[Measured(cell, rule, metric, k)][owner].append(value)


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


def _joined(listings: Mapping[Modality, Listing], wanted: Sequence[Modality], n: int) -> tuple[str, ...]:
    there = [listings[modality] for modality in wanted if modality in listings]
    if len(there) == 1:
        return there[0].ranking.item_ids[:n]
    return interleaved(there, n)


def _protocol(
    indexes: Mapping[Modality, ExactIndex],
    text_encoder: TextEncoder | None,
    owners_with: int,
    repetitions: int,
    seed: int,
    depths: Sequence[int],
) -> dict[str, Any]:
    return {
        "owners_with": owners_with,
        "repetitions": repetitions,
        "seed": seed,
        "k": list(depths),
        "hidden": "a third of each owner's works, rounded down, drawn anew for each repetition",
        "works": {modality: len(index) for modality, index in indexes.items()},
        "candidates": "all works but the kept ones of the person",
        "both": "one list by z-scores over all candidates of each modality; a work counts once",
        "tag_embedding": text_encoder.name if text_encoder is not None else None,
        "versions": {
            "vernissage": vernissage.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
    }
