"""The plan of a study: a definition checked against a workspace, and described in sentences."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields

from vernissage import __version__
from vernissage.analysis.coverage import covering_rows
from vernissage.catalog.item import Item
from vernissage.errors import RequestError, StudyError
from vernissage.profiles.ratings import default_rule, profile_from_ratings
from vernissage.recommenders.contract import Recommender
from vernissage.storage.studies import Provenance
from vernissage.study.counterbalancing import engine_orders, screen_order
from vernissage.study.definition import REPLACE, Definition, Elicitation, Texts
from vernissage.values import Allow, Ranking
from vernissage.workspace.clusters import NEAREST, clusters_of, members_of
from vernissage.workspace.workspace import Workspace

Recommend = Callable[[str, Mapping[str, int], int], Ranking]
"""``recommend(engine, ratings by work, n)``: an engine's ``n`` best works for somebody who rated those."""


@dataclass(frozen=True)
class Plan:
    """A study that can be run.

    Attributes:
        slots: for each work of the elicitation, named in words, the works that it is drawn from.
        provenance: what answers will depend on.
    """

    definition: Definition
    slots: Mapping[str, tuple[str, ...]]
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
    repeated = workspace.copies.repeated
    askable = [
        item
        for item in workspace.collection
        if item.id not in repeated and all(item.id in engine for engine in engines.values())
    ]
    if any(item.picture for item in askable):
        askable = [item for item in askable if item.picture]
    for name, engine in engines.items():
        known = sum(item_id in engine and item_id not in repeated for item_id in workspace.collection.ids)
        if known - definition.elicitation.works < definition.works:
            raise StudyError(
                f"works = {definition.works} is more than {name} has: it knows {known} works, of which "
                f"{definition.elicitation.works} are rated first; lower works or elicitation.works, or take more works "
                f"into the collection"
            )
    slots = _SLOTS[definition.elicitation.method](definition.elicitation, workspace, askable)
    return Plan(definition, slots, provenance_of(definition, workspace))


def provenance_of(definition: Definition, workspace: Workspace) -> Provenance:
    """What answers to a study over a workspace depend on."""
    manifest = workspace.manifest
    fingerprints = dict(sorted(manifest.fingerprints.items()))
    return Provenance(definition.digest, manifest.fingerprint, fingerprints, __version__, definition.content)


def recommend_with(engines: Mapping[str, Recommender], repeated: Collection[str] = ()) -> Recommend:
    """What a study calls for its lists, from engines by their words in the definition; ratings weigh as usual.

    ``repeated`` are the works that are never shown, because an earlier one is the same (`Copies.repeated`).
    """
    allow = Allow(exclude=frozenset(repeated))

    def recommend(engine: str, ratings: Mapping[str, int], n: int) -> Ranking:
        profile = profile_from_ratings({item: float(rating) for item, rating in ratings.items()}, default_rule(engine))
        return engines[engine].recommend(profile, n, allow).ranking

    return recommend


def plan_sentences(plan: Plan) -> list[str]:
    """What participants go through, and how engines are counterbalanced."""
    definition, orders = plan.definition, plan.orders
    asked = definition.elicitation
    sizes = {len(slot) for slot in plan.slots.values()}
    size = str(min(sizes)) if len(sizes) == 1 else f"{min(sizes)} to {max(sizes)}"
    drawn = (
        "the same for everyone, medoids of k-centre clusters, in an order of their own"
        if asked.method == "coverage"
        else f"one drawn at random from each of {asked.works} groups of {size} works"
    )
    shown = "each shown twice, the same lists in the same order" if definition.repetitions == 2 else "each shown once"
    told = "age and gender" if definition.genders else "age"
    rewards = {"a code": definition.completion.code, "a way back": definition.completion.return_url}
    end = [words for words, there in rewards.items() if there]
    square = f"Engines: {', '.join(definition.engines)}. The seed deals them to a Williams square of {len(orders)} rows"
    if len(orders) > 1:
        square += f"; invite a multiple of {len(orders)} participants to fill it evenly"
    judged = f"They judge {definition.screens} lists of {definition.works} works"
    return [
        f"Participants rate {asked.works} works, {drawn}.",
        f"{judged} by {len(definition.statements)} statements: {len(definition.engines)} engines, {shown}.",
        f"{square}.",
        *([f"Nobody begins without telling {told}."] if definition.demographics == "required" else []),
        f"In the end they get {' and '.join(end) if end else 'thanks alone'}.",
        f"Who is not heard of for {definition.inactivity_minutes} minutes counts as dropped out, until they come back.",
        f"Definition {plan.provenance.definition[:16]}, collection {plan.provenance.collection}.",
    ]


def plan_notes(plan: Plan) -> list[str]:
    """What an experimenter should look at again before the study begins."""
    definition = plan.definition
    notes = [
        f"texts.{each.name} still says {REPLACE!r}; write your own"
        for each in fields(Texts)
        if REPLACE in getattr(definition.texts, each.name)
    ]
    if definition.demographics == "required" and "if you tell them" in definition.texts.data_policy:
        notes.append("texts.data_policy says 'if you tell them', but age and gender are required; write your own")
    if not definition.completion.code and not definition.completion.return_url:
        notes.append("there is neither completion.code nor completion.return_url; recruitment services need one")
    if len(definition.engines) == 2 and definition.repetitions == 2:
        notes.append("with two engines the showings alternate, A B A B: one other list lies between two showings")
    if definition.elicitation.method == "groups":
        lone = [name for name, slot in plan.slots.items() if len(slot) == 1]
        notes += [f"the group {name!r} has one work that all engines know; everyone rates that one" for name in lone]
    return notes


def _group_slots(wanted: Elicitation, workspace: Workspace, askable: Sequence[Item]) -> dict[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {group: [] for group in workspace.collection.groups}
    for item in askable:
        if item.group:
            members[item.group].append(item.id)
    there = [group for group, ids in members.items() if ids]
    if unknown := [group for group in wanted.groups if group not in there]:
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
    return {name: tuple(sorted(members[name])) for name in names}


def _coverage_slots(wanted: Elicitation, workspace: Workspace, askable: Sequence[Item]) -> dict[str, tuple[str, ...]]:
    encoder = wanted.encoder or next(iter(workspace.encoder_names), "")
    if encoder not in workspace.encoder_names:
        raise StudyError(
            f"elicitation.encoder = {encoder!r} is not in the workspace; it has "
            f"{', '.join(workspace.encoder_names) or 'none'}"
        )
    table = workspace.table(encoder, workspace.modalities(encoder)[0])
    ids = [item.id for item in askable if item.id in table.item_ids]
    if len(ids) < wanted.works:
        raise StudyError(
            f"elicitation.works = {wanted.works} is more than the {len(ids)} works that {encoder} and all engines know"
        )
    try:
        rows = covering_rows(table.vectors[table.rows(ids)], wanted.works)
    except RequestError as error:
        raise StudyError(f"elicitation.works = {wanted.works} with {encoder}: {error}") from error
    return {f"{encoder}, cluster {number}": (ids[row],) for number, row in enumerate(rows, start=1)}


def _central_slots(wanted: Elicitation, workspace: Workspace, askable: Sequence[Item]) -> dict[str, tuple[str, ...]]:
    ids = [item.id for item in askable]
    members = members_of(ids, clusters_of(workspace.fused_tables, ids, wanted.works))
    if len(members) < wanted.works:
        raise StudyError(
            f"elicitation.works = {wanted.works} needs as many clusters, but the works that all engines know make "
            f"{len(members)}; lower it, or choose another elicitation.method"
        )
    return {f"cluster {number}": tuple(sorted(each[:NEAREST])) for number, each in enumerate(members, start=1)}


_SLOTS: Mapping[str, Callable[[Elicitation, Workspace, Sequence[Item]], dict[str, tuple[str, ...]]]] = {
    "groups": _group_slots,
    "coverage": _coverage_slots,
    "central": _central_slots,
}
