"""How commands print answers: tables, terms that add up, JSON, pages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.catalog.item import Item
    from vernissage.gallery.answer import Answer, AnswerList, Reason, Work

_Columns = dict[str, Callable[["Work"], str]]


def require_any(answer: "Answer", what: str = "works") -> None:
    """Refuse an answer without works, which would be none for a script. Raises RequestError: there is none."""
    if not answer.works:
        note(*answer.notes, kind="note")
        raise RequestError(
            f"no {what} fit and can be recommended; loosen the conditions, or choose another engine or encoder"
        )


def show(answer: "Answer", *, as_json: bool, heading: str = "", because: str = "", explain: bool = False) -> None:
    """Print an answer, as JSON for scripts, or as a table with its notes on standard error.

    ``because`` heads a column of what speaks most for each work, which is left out without it.
    """
    from vernissage.values import MODALITY_CARDS

    note(*answer.notes, kind="note")
    if as_json:
        print_json(answer.to_dict())
        return
    if heading:
        say(heading)
    columns: _Columns = {"id": lambda work: work.id}
    if any(work.modality for work in answer.works):
        columns["found as"] = lambda work: MODALITY_CARDS[work.modality].one if work.modality else ""
    columns |= {"title": lambda work: work.title or "untitled", "artist": lambda work: work.artist}
    columns |= {"year": lambda work: work.item.year, "score": _score}
    if any(work.band for work in answer.works):
        columns["is"] = lambda work: work.band or ""
    if not answer.works:
        return
    if answer.kind == "similar" and any(map(_seen_in_both, answer.works)):
        columns["both seem to show"] = _seen_in_both
    _print_works(answer.works, columns | ({because: _strongest} if because else {}))
    for work in answer.works if explain else ():
        engines, rated = work.of_kind("engine"), work.of_kind("rated")
        terms = [(each, f"{each.id} ({f'rank {each.rank}' if each.rank else 'not ranked'})") for each in engines]
        _print_terms(f"{titled(work.item)}: score {work.score:z.6f}", terms)
        if engines:
            say("  of which")
        _print_terms("", [(each, f"{each.title or 'untitled'} ({each.id}) (weight {each.weight:g})") for each in rated])
        say(f"  {sum(reason.contribution for reason in rated):+z.6f}  together")


def print_kinds(answer: "Answer") -> None:
    """The list of each kind of likeness that has works, with what is shared."""
    for each in answer.kinds:
        if each.works:
            say(f"{each.name}:")
            columns: _Columns = {"id": lambda work: work.id, "title": lambda work: work.title or "untitled"}
            columns |= {"artist": lambda work: work.artist, "year": lambda work: work.item.year, "score": _score}
            shares = any(work.of_kind("field") for work in each.works)
            _print_works(each.works, columns | ({"because": _shared} if shares else {}))
            say("")


def _shared(work: "Work") -> str:
    return ", ".join(reason.words for reason in work.of_kind("field"))


def _print_works(works: Sequence["Work"], columns: _Columns) -> None:
    if any(work.also for work in works):
        columns = columns | {"also": lambda work: ", ".join(work.also)}
    rows = [[rank, *(cell(work) for cell in columns.values())] for rank, work in enumerate(works, start=1)]
    print_table(["", *columns], rows, numbers=["", "score", "similarity"])


def _score(work: "Work") -> str:
    return f"{work.score:z.4f}"


def _strongest(work: "Work") -> str:
    """Where a work has the words, or the rated works that speak most for it, with ratings and parts of the score."""
    if fields := work.of_kind("field"):
        return fields[0].words
    if not work.of_kind("rated"):
        return ", ".join(f"{reason.words} (rank {reason.rank})" for reason in work.of_kind("engine"))
    strongest = [reason for reason in work.of_kind("rated")[:2] if reason.contribution > 0]
    if not strongest:
        return "nothing: it is the least unlike what you rated low"
    told = [(*reason.told_apart, f" ({reason.share:.0%})") for reason in strongest]
    return ", ".join(
        words.removeprefix("you rated ").replace(", which you rated", "") + share + seen for words, seen, share in told
    )


def _seen_in_both(work: "Work") -> str:
    from vernissage.taggers.contract import marked

    return ", ".join(marked(why.by_software, why.by_software) for why in work.of_kind("rated")[:1])


def _print_terms(heading: str, terms: Iterable["tuple[Reason, str]"]) -> None:
    """Terms of a work's score, which add up to it."""
    say(*(["", heading] if heading else []), *[f"  {each.contribution:+z.6f}  {what}" for each, what in terms])


def print_lists(answer: "Answer", owner: str, *, per_area: bool, explain: bool) -> None:
    """The lists for a person: the one of everything, then those of each modality; or those of each area and task."""
    from vernissage.gallery.selecting import KINDS
    from vernissage.taggers.contract import marked

    if not per_area and len(targets := [each.target for each in answer.lists if not each.area]) > 1:
        kinds = f"{', '.join(KINDS[each] for each in targets[:-1])} and {KINDS[targets[-1]]}"
        heading = f"For {owner}, {kinds} together, by {answer.engine}:"
        _print_list(replace(answer.lists[0], works=answer.works), heading, explain=explain, found_as=True)
    for each in answer.lists:
        if bool(each.area) == per_area:
            whole = f"{KINDS[each.target].capitalize()} for {owner}, by {answer.engine}:"
            heading = f"{each.area} {marked(each.name, each.by_software)}: {each.task}" if each.area else whole
            _print_list(each, heading, explain=explain)


def _print_list(each: "AnswerList", heading: str, *, explain: bool, found_as: bool = False) -> None:
    from vernissage.gallery.selecting import title_or_text
    from vernissage.taggers.contract import marked
    from vernissage.values import MODALITY_CARDS

    say(heading)
    reasoned = any(work.reasons for work in each.works)
    columns: _Columns = {"id": lambda work: work.id}
    if found_as:
        columns["found as"] = lambda work: MODALITY_CARDS[work.modality].one if work.modality else ""
    columns["title"] = lambda work: title_or_text(work.item)
    columns |= {"owner": lambda work: work.item.owner, "similarity" if each.area else "score": _score}
    if reasoned and not each.area:
        columns["area"] = lambda work: "".join(marked(why.title, why.by_software) for why in work.of_kind("area")[:1])
    _print_works(each.works, columns | ({"because it resembles": _nearest} if reasoned else {}))
    for work in each.works if explain and reasoned else ():
        heading = f"{title_or_text(work.item)} ({work.id}): score {work.score:z.6f}"
        _print_terms(heading, [(reason, _upload(reason)) for reason in work.of_kind("upload")])
    say("")


def _nearest(work: "Work") -> str:
    """The uploads that speak most for a work; what all others contribute together has no id."""
    uploads = [reason for reason in work.of_kind("upload") if reason.id]
    return ", ".join(f"{reason.title} ({reason.similarity:z.2f})" for reason in uploads[:2])


def _upload(reason: "Reason") -> str:
    if not reason.id:
        return reason.words
    return f"{reason.title} ({reason.id}), {reason.modality}, cosine {reason.similarity:z.4f}"


def titled(item: "Item") -> str:
    """A work's title and id."""
    return f"{item.title or 'untitled'} ({item.id})"


def write_page(path: Path, made: Callable[..., str], *arguments: Any, **options: Any) -> None:
    """Write the page that ``made`` makes of the arguments, reporting on the pictures that go into it."""
    from vernissage.files import write_bytes

    with progress_bars() as progress:
        page = made(*arguments, **options, progress=progress)
    write_bytes(path, page.encode())
    note(f"Page written: {path}")
