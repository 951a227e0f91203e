"""A definition and a workspace become a plan that can be run: who may be asked about what, and what it rests on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vernissage import __version__
from vernissage.catalog.item import Item
from vernissage.errors import StudyError
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.recommenders.contract import Recommender
from vernissage.storage.studies import Provenance
from vernissage.study.conditions import engine_orders
from vernissage.study.coverage import covering_rows
from vernissage.study.definition import Definition
from vernissage.study.williams import screen_order
from vernissage.values import Ranking
from vernissage.workspace.workspace import Workspace

Recommend = Callable[[str, Mapping[str, int], int], Ranking]
"""``recommend(engine, ratings by work, n)``: an engine's ``n`` best works for somebody who rated those."""


@dataclass(frozen=True)
class Plan:
    """A study that can be run.

    Attributes:
        slots: for each work of the elicitation, the works that it is drawn from.
        slot_names: what each slot is, in words.
        provenance: what answers will depend on.
    """

    definition: Definition
    slots: tuple[tuple[str, ...], ...]
    slot_names: tuple[str, ...]
    provenance: Provenance

    @property
    def orders(self) -> tuple[tuple[str, ...], ...]:
        """The rows of the counterbalancing square."""
        return engine_orders(self.definition)


def plan_study(definition: Definition, workspace: Workspace, engines: Mapping[str, Recommender]) -> Plan:
    """Check a definition against a workspace and the engines made for it.

    Raises:
        StudyError: a list cannot be long enough, the elicitation lacks groups or works, or one engine is shown twice;
            the message names the key.
    """
    screen_order(range(len(definition.engines)), definition.repetitions)
    known = _known_to_all(engines)
    askable = [item for item in workspace.collection if item.id in known]
    if any(item.picture for item in askable):
        askable = [item for item in askable if item.picture]
    _check_lists(definition, engines)
    if definition.elicitation.method == "groups":
        names, slots = _group_slots(definition, workspace, askable)
    else:
        names, slots = _coverage_slots(definition, workspace, askable)
    return Plan(definition, slots, names, provenance_of(definition, workspace))


def provenance_of(definition: Definition, workspace: Workspace) -> Provenance:
    """What answers to a study over a workspace depend on."""
    manifest = workspace.manifest
    fingerprints = dict(sorted(manifest.fingerprints.items()))
    return Provenance(definition.digest, manifest.fingerprint, fingerprints, __version__, definition.content)


def recommend_with(engines: Mapping[str, Recommender]) -> Recommend:
    """What a study calls for its lists, from engines by their words in the definition; ratings weigh linearly."""

    def recommend(engine: str, ratings: Mapping[str, int], n: int) -> Ranking:
        profile = profile_from_ratings({item: float(rating) for item, rating in ratings.items()})
        return engines[engine].recommend(profile, n)

    return recommend


def _known_to_all(engines: Mapping[str, Recommender]) -> frozenset[str]:
    known = [frozenset(engine.item_ids) for engine in engines.values()]
    return frozenset.intersection(*known)


def _check_lists(definition: Definition, engines: Mapping[str, Recommender]) -> None:
    for name, engine in engines.items():
        free = len(engine.item_ids) - definition.elicitation.works
        if free < definition.works:
            raise StudyError(
                f"works = {definition.works} is more than {name} has: it knows {len(engine.item_ids)} works, of which "
                f"{definition.elicitation.works} are rated first; lower works or elicitation.works, or take more works "
                f"into the collection"
            )


def _group_slots(
    definition: Definition, workspace: Workspace, askable: Sequence[Item]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    wanted = definition.elicitation
    members: dict[str, list[str]] = {group: [] for group in workspace.collection.groups}
    for item in askable:
        if item.group:
            members[item.group].append(item.id)
    there = [group for group, ids in members.items() if ids]
    unknown = [group for group in wanted.groups if group not in there]
    if unknown:
        raise StudyError(
            f"elicitation.groups names {unknown[0]!r}, which no work that all engines know belongs to; "
            f"there are {', '.join(there) or 'no groups'}"
        )
    names = wanted.groups or tuple(there[: wanted.works])
    if len(names) < wanted.works:
        raise StudyError(
            f"elicitation.works = {wanted.works} needs as many groups, but the collection has {len(there)}; lower it, "
            f'add a group column to the collection\'s table, or set elicitation.method = "coverage"'
        )
    return names, tuple(tuple(sorted(members[name])) for name in names)


def _coverage_slots(
    definition: Definition, workspace: Workspace, askable: Sequence[Item]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    wanted = definition.elicitation
    encoder = wanted.encoder or next(iter(workspace.encoder_names), "")
    if encoder not in workspace.encoder_names:
        raise StudyError(
            f"elicitation.encoder = {encoder!r} is not in the workspace; it has "
            f"{', '.join(workspace.encoder_names) or 'none'}"
        )
    table = workspace.table(encoder, workspace.modalities(encoder)[0])
    ids = [item.id for item in askable if item.id in table.row_of]
    if len(ids) < wanted.works:
        raise StudyError(
            f"elicitation.works = {wanted.works} is more than the {len(ids)} works that {encoder} and all engines know"
        )
    rows = covering_rows(table.vectors[[table.row_of[item_id] for item_id in ids]], wanted.works)
    return tuple(f"{encoder}, cluster {number}" for number, _ in enumerate(rows, start=1)), tuple(
        (ids[row],) for row in rows
    )
