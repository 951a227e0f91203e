"""How commands print answers: tables, terms that add up, JSON, pages."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vernissage.cli.output import note, print_json, print_table, progress_bars, say
from vernissage.errors import RequestError

if TYPE_CHECKING:
    from vernissage.catalog.item import Item
    from vernissage.gallery.answer import Answer, AnswerList, Reason, Work
    from vernissage.progress import Progress

_KINDS = {"image": "Pictures", "text": "Texts"}


def require_enough(answer: "Answer", n: int | None, *, of: Sequence["Work"] | None = None, what: str = "works") -> None:
    """Refuse an answer that is shorter than what was asked for by name; fewer would be no answer for a script.

    Raises:
        RequestError: nothing came back, or fewer than ``n``.
    """
    found = len(answer.works if of is None else of)
    if found == 0:
        raise RequestError(
            f"no {what} fit and can be recommended; loosen the conditions, or choose another engine or encoder"
        )
    if n is not None and found < n:
        raise RequestError(
            f"{n} {what} were asked for, but only {found} fit and can be recommended; ask for -n {found} or fewer"
        )


def show(answer: "Answer", *, as_json: bool, heading: str = "", because: str = "", explain: bool = False) -> None:
    """Print an answer, as JSON for scripts, or as a table with its notes on standard error."""
    for line in answer.notes:
        note(f"note: {line}")
    if as_json:
        print_json(answer.to_dict())
        return
    if heading:
        say(heading)
    print_works(answer.works, because)
    if explain:
        for work in answer.works:
            print_terms(work)


def print_works(works: Sequence["Work"], because: str = "") -> None:
    """Works in a table; ``because`` heads a column of what speaks most for each, which is left out without it."""
    mixed = any(work.modality for work in works)
    columns = ["", "id", *(["found as"] if mixed else []), "title", "artist", "year", "score"]
    rows = []
    for rank, work in enumerate(works, start=1):
        kind = [{"image": "picture", "text": "text"}.get(work.modality or "", "")] if mixed else []
        row = [str(rank), work.id, *kind, work.title or "untitled", work.artist, work.item.year, f"{work.score:.4f}"]
        rows.append([*row, _strongest(work)] if because else row)
    print_table([*columns, because] if because else columns, rows, numbers=["", "score"])


def _strongest(work: "Work") -> str:
    """The rated works that speak most for a work, with their ratings and their part of the score."""
    strongest = [reason for reason in work.of_kind("rated")[:2] if reason.contribution > 0]
    return ", ".join(
        reason.words.removeprefix("you rated ") + (f" ({reason.share:.0%})" if work.score > 0 else "")
        for reason in strongest
    )


def print_terms(work: "Work") -> None:
    """Every term of a work's score; they add up to it."""
    say("")
    say(f"{titled(work.item)}: score {work.score:.6f}")
    engines, rated = work.of_kind("engine"), work.of_kind("rated")
    for part in engines:
        say(f"  {part.contribution:+.6f}  {part.id} ({f'rank {part.rank}' if part.rank else 'not ranked'})")
    if engines:
        say("  of which")
    for reason in rated:
        say(f"  {reason.contribution:+.6f}  {reason.title or 'untitled'} ({reason.id}) (weight {reason.weight:g})")
    say(f"  {sum(reason.contribution for reason in rated):+.6f}  together")


def print_list(each: "AnswerList", owner: str, fusion: str, *, explain: bool) -> None:
    """The list of one modality for a person, or of one of their areas."""
    by_area = bool(each.area)
    say(f"{each.area} {each.name}: {each.task}" if by_area else f"{_KINDS[each.target]} for {owner}, by {fusion}:")
    reasoned = any(work.reasons for work in each.works)
    rows = []
    for rank, work in enumerate(each.works, start=1):
        row = [str(rank), work.id, title_or_text(work.item), work.item.owner, f"{work.score:.4f}"]
        near = ", ".join(f"{reason.title} ({reason.similarity:.2f})" for reason in uploads_of(work)[:2])
        area = [reason.title for reason in work.of_kind("area")]
        rows.append([*row, *([] if by_area else ["".join(area[:1])]), near] if reasoned else row)
    heads = ["", "id", "title", "owner", "similarity" if by_area else "score"]
    more = [*([] if by_area else ["area"]), "because it resembles"] if reasoned else []
    print_table([*heads, *more], rows, numbers=["", heads[-1]])
    if explain and reasoned:
        for work in each.works:
            _print_uploads(work)
    say("")


def uploads_of(work: "Work") -> "list[Reason]":
    """The uploads that speak for a work, without what all others contribute together."""
    return [reason for reason in work.of_kind("upload") if reason.id]


def _print_uploads(work: "Work") -> None:
    say("")
    say(f"{title_or_text(work.item)} ({work.id}): score {work.score:.6f}")
    for reason in work.of_kind("upload"):
        which = f"{reason.title} ({reason.id}), {reason.modality}, cosine {reason.similarity:.4f}" if reason.id else ""
        say(f"  {reason.contribution:+.6f}  {which or reason.words}")


def title_or_text(item: "Item") -> str:
    """A work's title, else how its text begins."""
    from vernissage.gallery.selecting import title_or_text as titled_or_text

    return titled_or_text(item)


def titled(item: "Item") -> str:
    """A work's title and id."""
    return f"{item.title or 'untitled'} ({item.id})"


def write_page(path: Path, made: "Callable[[Progress], str]") -> None:
    """Write a page, reporting on the pictures that go into it."""
    from vernissage.files import write_bytes

    with progress_bars() as progress:
        page = made(progress)
    write_bytes(path, page.encode())
    note(f"Page written: {path}")
