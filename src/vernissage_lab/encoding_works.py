"""The works whose encoding is timed: files and texts, drawn at random."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.values import Modality
from vernissage_lab.datasets.captioned import CaptionedSet, one_caption_each

MODALITIES: tuple[Modality, ...] = ("image", "text")

Entry = tuple[str, Path | None, str]
"""Id, picture file, text; None and an empty text stand for what is not there."""


@dataclass(frozen=True)
class TimedWorks:
    """Drawn works.

    Attributes:
        name, fingerprint: of the data that they were drawn from.
        seed: that they were drawn by.
        wanted: how many were asked for.
        pictures, texts: those of the drawn works; the same works where all have both.
        all_texts: of the whole data, of which vocabularies can be made; none where texts are left out.
    """

    name: str
    fingerprint: str
    seed: int
    wanted: int
    pictures: tuple[Path, ...]
    texts: tuple[str, ...]
    all_texts: tuple[str, ...]

    def items(self, modality: Modality) -> tuple[Path, ...] | tuple[str, ...]:
        """What encoders of that modality read, work by work."""
        return self.pictures if modality == "image" else self.texts

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What there is to be read."""
        return tuple(modality for modality in MODALITIES if self.items(modality))


def works_of_collection(
    collection: Collection, name: str, count: int, *, seed: int, only: Sequence[Modality] = MODALITIES
) -> TimedWorks:
    """``count`` works of a collection.

    Raises: see `drawn_works`.
    """
    entries = [(item.id, collection.picture_path(item), item.text) for item in collection]
    return drawn_works(entries, count, name=name, fingerprint=collection.fingerprint, seed=seed, only=only)


def works_of_set(found: CaptionedSet, count: int, *, seed: int, only: Sequence[Modality] = MODALITIES) -> TimedWorks:
    """``count`` pictures of a set, each with one of its captions.

    Raises: see `drawn_works`.
    """
    text_of = {caption.image_id: caption.text for caption in one_caption_each(found, seed=seed).captions}
    entries = [(image.id, image.path, text_of.get(image.id, "")) for image in found.images]
    return drawn_works(entries, count, name=found.name, fingerprint=found.fingerprint, seed=seed, only=only)


def drawn_works(
    entries: Sequence[Entry],
    count: int,
    *,
    name: str,
    fingerprint: str,
    seed: int,
    only: Sequence[Modality] = MODALITIES,
) -> TimedWorks:
    """At most ``count`` works that have a picture and as many that have a text, by lots that hang on seed and id alone.

    Raises:
        RequestError: fewer than one work is asked for, or nothing can be read.
    """
    if count < 1:
        raise RequestError(f"{count} works were asked for; time 1 or more, such as 192")
    drawn = sorted(entries, key=lambda entry: (digest(str(seed).encode(), entry[0].encode()), entry[0]))
    pictures = [path for _, path, _ in drawn if path is not None] if "image" in only else []
    texts = [text for _, _, text in drawn if text.strip()] if "text" in only else []
    if not pictures and not texts:
        raise RequestError(
            f"{name} has no {' and no '.join(f'{each}s' for each in only)} to be encoded; name a source that has some"
        )
    told = tuple(text for _, _, text in entries if text.strip()) if texts else ()
    return TimedWorks(name, fingerprint, seed, count, tuple(pictures[:count]), tuple(texts[:count]), told)
