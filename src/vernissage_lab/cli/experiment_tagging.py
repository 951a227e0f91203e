"""Where the tags of an experiment come from: options, and what finds them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vernissage.cli.options import DatabasePlace
from vernissage.cli.output import note
from vernissage.errors import RequestError
from vernissage.taggers.register import TAGGERS, load_tagger, weights_of_each
from vernissage_lab.cli.experiment_sets import WorkSource

if TYPE_CHECKING:
    from vernissage.progress import Progress
    from vernissage.values import Modality
    from vernissage_lab.material import Material
    from vernissage_lab.tagging import FoundTags

__all__ = ["DatabasePlace", "TagSource", "TagWords", "TaggerWeights", "TaggerWords"]

TagWords = Annotated[
    list[str] | None,
    typer.Option(
        "--tags",
        help="keywords (default; of a data set its own tags), or what `encoders tag` found in a workspace: stored "
        "for all of it, or the name of a tagger; repeat.",
    ),
]
TaggerWords = Annotated[
    list[str] | None,
    typer.Option(
        "--tagger",
        "-t",
        help="Tag the works: words, lexicon, spacy (texts); caption, objects, scene (pictures); repeat.",
    ),
]
TaggerWeights = Annotated[
    list[str] | None,
    typer.Option(
        "--tagger-weights", metavar="[NAME=]PATH", help="The folder of a tagger's weights, objects or caption; repeat."
    ),
]


@dataclass(frozen=True)
class TagSource:
    """Whose tags of the works count; see the options of these names."""

    works: WorkSource
    tags: Sequence[str]
    taggers: Sequence[str]
    weights: Sequence[str]
    database: str | None

    def materials(
        self, folder: Path, seed: int, progress: "Progress", *, query_classes: int, pool: int
    ) -> "list[Material]":
        """The works by each encoder, with these tags; what was found or made for it is kept in ``folder``.

        Raises:
            RequestError: a word means nothing here, or there are no such tags.
        """
        from vernissage_lab.tagging import with_tags

        places = weights_of_each(self.taggers, self.weights)
        own = "keywords" if self.works.kind is None else "the set's own"
        works = self.works.materials(
            folder, seed, progress, query_classes=query_classes, pool=pool, tags=not self.taggers
        )
        found = [*self._stored(), *self._anew(places, folder, seed, progress)]
        return [with_tags(each, found, own=own) for each in works]

    def _anew(
        self, places: dict[str, list[str]], folder: Path, seed: int, progress: "Progress"
    ) -> "Iterator[FoundTags]":
        """What taggers find in the works now, or found before."""
        from vernissage.encoders.runtime.devices import Runtime
        from vernissage_lab.tagging import tag_works

        if not self.taggers:
            return
        works = self.works.taggable(seed)
        for name, weights in places.items():
            works.readable(TAGGERS[name].modality, name)  # before weights are loaded, or fetched
            tagger = load_tagger(name, weights, (), Runtime(), None, progress, tell=note)
            yield tag_works(works, tagger, folder, progress=progress)

    def _stored(self) -> "Iterator[FoundTags]":
        """What `vernissage encoders tag` keeps beside a workspace."""
        from vernissage.workspace.repository import open_repository
        from vernissage.workspace.tagging import kept_taggers, kept_tags
        from vernissage_lab.tagging import FoundTags

        names = [word for word in dict.fromkeys(self.tags) if word != "keywords"]
        if not names:
            return
        if len(names) < len(set(self.tags)):
            raise RequestError(f"--tags keywords and --tags {names[0]} exclude each other; leave one of them out")
        if self.works.kind is not None:
            raise RequestError(
                f"a data set keeps no tags, so there are none by {names[0]!r}; leave --tags out for its own tags, or "
                f"find some with --tagger"
            )
        repository = open_repository(self.works.source, self.database)
        try:
            for name in kept_taggers(repository) if "stored" in names else names:
                yield FoundTags(_modality_of(name), f"kept, by {name}", kept_tags(repository, name))
        finally:
            repository.close()


def _modality_of(stored: str) -> "Modality":
    """What a tagger of that name, or name and fingerprint, reads."""
    name = stored if stored in TAGGERS else stored.rpartition("-")[0]
    if name not in TAGGERS:
        raise RequestError(
            f"there are no tags {stored!r}; choose keywords, stored, or a tagger's: {', '.join(TAGGERS)}"
        )
    return TAGGERS[name].modality
