"""Experiments as one page: what was done, what came out, what was published, and what ran."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vernissage.errors import RequestError
from vernissage.pages.figures import EmbeddedFigure
from vernissage.pages.templating import plain, render


@dataclass(frozen=True)
class ReadTable:
    """A table as people read it: heads and cells; the first ``words`` columns hold words, the others numbers."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: int = 1


@dataclass(frozen=True)
class Comparison:
    """A published value beside ours.

    ``difference`` says where the protocols part, and is empty where they agree; where ``ours`` is empty, it says why
    there is none.
    """

    what: str
    published: str
    source: str
    ours: str
    difference: str


@dataclass(frozen=True)
class PublishedBlock:
    """Published values of one file beside ours: what differs, sentence by sentence, then the tables."""

    title: str
    differences: tuple[str, ...]
    tables: tuple[ReadTable, ...]


@dataclass(frozen=True)
class ExperimentSection:
    """One run of one experiment.

    Attributes:
        title, paper, what: its name, the tables or figures that it recomputes, and one line about it.
        protocol: how it is done, sentence by sentence.
        notes: where this run differs from that.
        comparisons: published values that this version knows; empty where it knows none.
        folder: its name, which tells runs of one experiment apart.
        published: further ones, from files; None where no files were given.
        provenance: (what, value) of the record.
        files: what lies in the folder of the run.
    """

    title: str
    paper: str
    what: str
    protocol: tuple[str, ...]
    notes: tuple[str, ...]
    tables: tuple[ReadTable, ...]
    figures: tuple[EmbeddedFigure, ...]
    comparisons: tuple[Comparison, ...]
    provenance: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    folder: str = ""
    published: tuple[PublishedBlock, ...] | None = None


def experiment_report(sections: Sequence[ExperimentSection], *, title: str = "Experiments") -> str:
    """One HTML document, complete in itself; equal input gives equal bytes.

    Raises:
        RequestError: no sections.
    """
    if not sections:
        raise RequestError("a report needs one experiment or more, but none was given; run one first")
    return render(
        "experiment_report.html",
        package="vernissage_lab.pages",
        styles=("page.css", "study_report.css", "experiment_report.css"),
        scripts=(),
        title=plain(title),
        sections=list(_told_apart(sections)),
    )


def _told_apart(sections: Sequence[ExperimentSection]) -> Iterator[ExperimentSection]:
    """The same: titles that several runs share get the run's folder, and where that is shared too, a number."""
    shared, met = Counter(section.title for section in sections), Counter[str]()
    for section in sections:
        title = f"{section.title}, in {section.folder}" if shared[section.title] > 1 else section.title
        met[title] += 1
        yield replace(section, title=title if met[title] == 1 else f"{title} ({met[title]})")
