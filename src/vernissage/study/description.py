"""What will happen in a study, in whole sentences."""

from collections.abc import Sequence
from dataclasses import fields

from vernissage.study.definition import Texts
from vernissage.study.plan import Plan
from vernissage.study.template import REPLACE


def plan_sentences(plan: Plan) -> list[str]:
    """What participants go through, and how engines are counterbalanced."""
    definition, orders = plan.definition, plan.orders
    asked = definition.elicitation
    sizes = [len(slot) for slot in plan.slots]
    drawn = (
        f"one drawn at random from each of {asked.works} groups of {_range(sizes)} works"
        if asked.method == "groups"
        else "the same for everyone, medoids of k-centre clusters, in an order of their own"
    )
    shown = "each shown twice, the same lists in the same order" if definition.repetitions == 2 else "each shown once"
    ways = {"a code": definition.completion.code, "a way back": definition.completion.return_url}
    end = [words for words, there in ways.items() if there]
    square = f"Engines: {', '.join(definition.engines)}. The seed deals them to a Williams square of {len(orders)} rows"
    if len(orders) > 1:
        square += f"; invite a multiple of {len(orders)} participants to fill it evenly"
    judged = f"They judge {definition.screens} lists of {definition.works} works"
    return [
        f"Participants rate {asked.works} works, {drawn}.",
        f"{judged} by {len(definition.statements)} statements: {len(definition.engines)} engines, {shown}.",
        f"{square}.",
        f"In the end they get {' and '.join(end) if end else 'thanks alone'}.",
        f"Who is not heard of for {definition.inactivity_minutes} minutes counts as dropped out, until they come back.",
        f"Definition {plan.provenance.definition[:16]}, collection {plan.provenance.collection}.",
    ]


def _range(sizes: Sequence[int]) -> str:
    low, high = min(sizes), max(sizes)
    return str(low) if low == high else f"{low} to {high}"


def plan_notes(plan: Plan) -> list[str]:
    """What an experimenter should look at again before the study begins."""
    definition = plan.definition
    notes = [
        f"texts.{each.name} still says {REPLACE!r}; write your own"
        for each in fields(Texts)
        if REPLACE in getattr(definition.texts, each.name)
    ]
    if not definition.completion.code and not definition.completion.return_url:
        notes.append("there is neither completion.code nor completion.return_url; recruitment services need one")
    if len(definition.engines) == 2 and definition.repetitions == 2:
        notes.append("with two engines the showings alternate, A B A B: one other list lies between two showings")
    if definition.elicitation.method == "groups":
        lone = [name for name, slot in zip(plan.slot_names, plan.slots, strict=True) if len(slot) == 1]
        notes += [f"the group {name!r} has one work that all engines know; everyone rates that one" for name in lone]
    return notes
