"""What recipes work on: works of a workspace or a data set with vectors of one encoder, classes and tags, as arrays."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import TextEncoder, unit_rows
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS, Part, derive, fit_aligned
from vernissage.encoders.raw_lengths import RawLengths
from vernissage.encoders.register import card
from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.recommenders.tags import Tags
from vernissage.search.modality_means import fitting_half
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import ENCODED, Modality, Vectors
from vernissage.workspace.encoding import joined_rows
from vernissage.workspace.workspace import Workspace
from vernissage_lab.datasets.captioned import CaptionedSet, DatasetError, Label, one_caption_each
from vernissage_lab.datasets.works import class_names
from vernissage_lab.set_encoders import SetEncoder, embedded
from vernissage_lab.users import UNKNOWN, Rows

IN_WORDS: Mapping[Modality, str] = {"image": "pictures", "text": "texts"}


@dataclass(frozen=True, eq=False)
class Material:
    """Works by rows: everything about row i is about the same work.

    Attributes:
        name, fingerprint: of the data.
        encoder, encoder_fingerprint: whose vectors these are.
        item_ids: (n,), each once.
        vectors: float32 (n, dim) of each modality, unit rows or zeros.
        classes: int64 (n,), the class of each work as a place in ``class_names``, or `UNKNOWN`.
        class_names: the largest class first, equal sizes by name.
        tags: words for each work's picture or text, by modality and work; empty where there are none. There may be
            tags of a modality that has no vectors.
        text_encoder: reads tags; None where there is none.
        tagged_by: where tags come from, in words, by modality; empty where nobody needs to know.
        unit: whether the rows have length 1; else they are what a network gives, and are scaled to be searched.
        variant: which of the models that share the encoder's name, such as ViT-B/32; empty where it is not known.
    """

    name: str
    fingerprint: str
    encoder: str
    encoder_fingerprint: str
    item_ids: tuple[str, ...]
    vectors: Mapping[Modality, Vectors]
    classes: Rows
    class_names: tuple[str, ...]
    tags: Mapping[Modality, Tags] = field(default_factory=dict)
    text_encoder: TextEncoder | None = None
    tagged_by: Mapping[Modality, str] = field(default_factory=dict)
    unit: bool = True
    variant: str = ""

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def modalities(self) -> tuple[Modality, ...]:
        return tuple(self.vectors)

    def table(self, modality: Modality, vectors: Vectors, names: Sequence[str]) -> VectorTable:
        """Some of these vectors under other names, of length 1, with their provenance."""
        return make_vector_table(
            vectors if self.unit else unit_rows(vectors),
            names,
            [""] * len(names),
            encoder=self.encoder,
            fingerprint=self.encoder_fingerprint,
            modality=modality,
            collection=self.fingerprint,
        )

    def describe(self) -> dict[str, Any]:
        """What a record says about it, as JSON values."""
        return {
            "data": self.name,
            "data_fingerprint": self.fingerprint,
            "encoder": self.encoder,
            "encoder_fingerprint": self.encoder_fingerprint,
            "works": len(self),
            "modalities": list(self.modalities),
            "classes": len(self.class_names),
            **({"encoder_variant": self.variant} if self.variant else {}),
            **({"tags": dict(self.tagged_by)} if self.tagged_by else {}),
        }

    def require_both(self) -> None:
        """Refuse an encoder of one modality. Raises RequestError: the vectors are of pictures or of texts alone."""
        if len(self.modalities) < 2:
            raise RequestError(
                f"{self.encoder} reads {self.modalities[0]}s alone; choose an encoder of both, as -e aligned"
            )


@dataclass(frozen=True, eq=False)
class PairedWorks:
    """Works whose pictures and texts one encoder reads, some of them to fit on and the others to measure.

    Attributes:
        material: the works, with vectors of pictures and texts.
        fitting: bool (n,), the works that means, and the encoder where it was fitted here, may have seen.
        captions: two captions of one work in each row, float32 (m, dim) each, of works that are measured; m may be 0.
        fitted_on: what the encoder was fitted on, in words.
    """

    material: Material
    fitting: npt.NDArray[np.bool_]
    captions: tuple[Vectors, Vectors]
    fitted_on: str


def material_of(
    vectors: Mapping[Modality, Vectors],
    class_of: Sequence[str],
    *,
    item_ids: Sequence[str] | None = None,
    name: str = "arrays",
    fingerprint: str = "",
    encoder: str = "arrays",
    encoder_fingerprint: str = "",
    **more: Any,
) -> Material:
    """Join arrays with one row for each work; an empty class is none. ``more`` are further fields of `Material`.

    Raises:
        RequestError: no vectors, or arrays of unequal length.
    """
    lengths = {len(rows) for rows in vectors.values()} | {len(class_of)}
    if not vectors or len(lengths) > 1:
        raise RequestError(f"vectors and classes must have one row for each work, but their lengths are {lengths}")
    sizes = sorted(Counter(each for each in class_of if each).items(), key=lambda pair: (-pair[1], pair[0]))
    place = {each: number for number, (each, _) in enumerate(sizes)}
    ids = tuple(item_ids) if item_ids is not None else tuple(f"w{row:06d}" for row in range(len(class_of)))
    classes = np.array([place.get(each, UNKNOWN) for each in class_of], dtype=np.int64)
    named = (name, fingerprint, encoder, encoder_fingerprint)
    return Material(*named, ids, dict(vectors), classes, tuple(place), **more)


def material_of_workspace(workspace: Workspace, encoder: str) -> Material:
    """The works of a workspace that ``encoder`` has read in every modality that it reads, with their groups.

    Tags are the works' keywords; they are read by the encoder itself if it reads texts, or else by one that does.

    Raises:
        RequestError: the workspace lacks the encoder, or no work has all its modalities.
    """
    modalities = tuple(each for each in workspace.modalities(encoder) if each in ENCODED) or ("text",)
    tables = {modality: workspace.table(encoder, modality) for modality in modalities}
    works = [item for item in workspace.collection if all(item.id in table.row_of for table in tables.values())]
    if not works:
        raise RequestError(f"no work has every modality of {encoder} ({', '.join(modalities)}); choose another encoder")
    ids = [item.id for item in works]
    keywords = {item.id: item.keywords for item in works if item.keywords}
    return material_of(
        {modality: table.vectors[table.rows(ids)] for modality, table in tables.items()},
        [item.group for item in works],
        item_ids=ids,
        name=workspace.collection_name,
        fingerprint=workspace.collection.fingerprint,
        encoder=encoder,
        encoder_fingerprint=str(workspace.manifest.fingerprints[encoder]),
        tags=dict.fromkeys(modalities, keywords),
        text_encoder=reader_of_tags(workspace, encoder),
    )


def reader_of_tags(workspace: Workspace, encoder: str) -> TextEncoder | None:
    """The encoder itself if it reads texts, or else another of the workspace, one of texts alone if there is one."""
    others = sorted(workspace.encoder_names, key=lambda each: len(workspace.modalities(each)))
    reading = [each for each in (encoder, *others) if "text" in workspace.modalities(each)]
    found = workspace.encoder(reading[0]) if reading else None
    return found if isinstance(found, TextEncoder) else None


def refitted(
    workspace: Workspace, item_ids: Sequence[str], *, seed: int = 0, progress: Progress = silent
) -> tuple[dict[Modality, Vectors], npt.NDArray[np.bool_], str]:
    """Works by an alignment that is fitted anew on one half of them, so that the other half is new to it.

    The encoders below it, of pictures and of texts alone, stay as they were fitted: on all works, but on no pairs.

    Returns:
        Vectors by modality, float32 (n, dim); which works it was fitted on, bool (n,); and its fingerprint.

    Raises:
        RequestError: half of the works are too few.
    """
    fitting = fitting_half(item_ids, seed)
    if fitting.sum() < FEWEST_PAIRS:
        raise RequestError(
            f"{fitting.sum()} works are half of what there is, and fitting aligned anew needs {FEWEST_PAIRS}; "
            f"measuring on works that it was fitted on would say nothing"
        )
    sides = {side: _parts_below(workspace, side, item_ids) for side in ENCODED}
    images, texts = ([replace(part, vectors=part.vectors[fitting]) for part in sides[side]] for side in ENCODED)
    model = fit_aligned(images, texts, seed=seed, progress=progress)
    vectors = {side: derive(model, side, *(part.vectors for part in parts)) for side, parts in sides.items()}
    return vectors, fitting, model.fingerprint


def _parts_below(workspace: Workspace, side: Modality, item_ids: Sequence[str]) -> list[Part]:
    """The vectors of works that ``aligned`` is made of here, zeros where an encoder found nothing."""
    names = [name for name in card("aligned").derived_from[side] if side in workspace.modalities(name)]
    below = joined_rows([workspace.table(name, side) for name in names])
    rows = below.item_ids.rows(item_ids)
    return [Part(workspace.encoder(name), found[rows]) for name, found in zip(names, below.vectors, strict=True)]


def unseen_material(workspace: Workspace, encoder: str, *, seed: int = 0, progress: Progress = silent) -> Material:
    """The works of a workspace; for ``aligned`` one half, after it was fitted anew on the other.

    Raises:
        RequestError: the encoder does not read both modalities, or half of the works are too few to fit it anew.
    """
    material = material_of_workspace(workspace, encoder)
    material.require_both()
    if encoder != "aligned":
        return material
    pairs = pairs_of_workspace(workspace, material, seed=seed, progress=progress)
    anew, rows = pairs.material, np.flatnonzero(~pairs.fitting)
    vectors = {modality: found[rows] for modality, found in anew.vectors.items()}
    ids = tuple(anew.item_ids[row] for row in rows)
    return replace(anew, item_ids=ids, vectors=vectors, classes=anew.classes[rows])


def pairs_of_workspace(
    workspace: Workspace, material: Material, *, seed: int = 0, progress: Progress = silent
) -> PairedWorks:
    """All works of a workspace, half of them to fit on; by ``aligned`` after it was fitted anew on that half.

    Raises:
        RequestError: half of the works are too few to fit it anew.
    """
    none = material.vectors["text"][:0]
    if material.encoder != "aligned":
        fitting = fitting_half(material.item_ids, seed)
        return PairedWorks(material, fitting, (none, none), "nothing of these works")
    vectors, fitting, fingerprint = refitted(workspace, material.item_ids, seed=seed, progress=progress)
    anew = replace(material, encoder_fingerprint=fingerprint, vectors=vectors)
    return PairedWorks(anew, fitting, (none, none), f"one half of {material.name}, {fitting.sum():,} works")


def measured_part(found: CaptionedSet) -> CaptionedSet:
    """The test part of a set, or the whole where it has none."""
    return found.part("test") if "test" in found.splits else found


def in_halves(found: CaptionedSet, *, seed: int = 0) -> CaptionedSet:
    """A set without a split, with one half of its pictures as ``train`` and the other as ``test``, drawn by seed."""
    if "train" in found.splits:
        return found
    fitting = fitting_half([image.id for image in found.images], seed)
    images = [
        replace(image, split="train" if chosen else "test") for image, chosen in zip(found.images, fitting, strict=True)
    ]
    return replace(found, images=tuple(images))


def material_of_set(
    found: CaptionedSet, by: SetEncoder, folder: Path, *, seed: int = 0, progress: Progress = silent
) -> Material:
    """Pictures, and one caption of each drawn once by ``seed``, with the vectors of an encoder.

    Vectors are kept below ``folder`` (see `embedded`). A work whose picture is missing or whose caption holds no known
    word is left out where the encoder reads that modality. Classes are the set's labels; two of one name are told apart
    by their index.
    """
    drawn = one_caption_each(found, seed=seed)
    modalities = tuple(each for each in ENCODED if each in by.modalities)
    tables = {each: embedded(drawn, by, each, folder, progress=progress) for each in modalities}
    ids = tuple(image.id for image in found.images if all(image.id in table.row_of for table in tables.values()))
    if not ids:
        raise DatasetError(f"no picture of {found.name} has vectors in every table; check which pictures are missing")
    caption_of = {caption.image_id: caption.id for caption in drawn.captions}
    labels = [found.labels.get(image_id) for image_id in ids]
    material = material_of(
        {each: table.vectors[table.rows(ids)] for each, table in tables.items()},
        [_numbered(label) if label else "" for label in labels],
        item_ids=ids,
        name=found.name,
        fingerprint=found.fingerprint,
        encoder=by.encoder.name,
        encoder_fingerprint=by.encoder.fingerprint,
        tags={
            "image": found.image_tags,
            "text": {image_id: found.text_tags.get(caption_of[image_id], ()) for image_id in ids},
        },
        text_encoder=by.encoder if isinstance(by.encoder, TextEncoder) else None,
        unit=not isinstance(by.encoder, RawLengths),
        variant=by.variant,
    )
    told = {_numbered(label): name for label, name in class_names(found).items()}
    return replace(material, class_names=tuple(told[name] for name in material.class_names))


def other_captions(found: CaptionedSet, by: SetEncoder, folder: Path, *, seed: int = 0) -> tuple[Vectors, Vectors]:
    """The vectors of two captions of each picture that has two: float32 (n, dim) each, of the drawn one and another."""
    drawn = one_caption_each(found, seed=seed)
    rest = frozenset(found.captions).difference(drawn.captions)
    others = {caption.image_id: caption for caption in reversed(found.captions) if caption in rest}
    if not others:
        empty = np.empty((0, by.encoder.dim), dtype=np.float32)
        return empty, empty
    second = replace(found, captions=tuple(others.values()))
    tables = [embedded(each.keeping(others), by, "text", folder) for each in (drawn, second)]
    both = [image.id for image in found.images if all(image.id in table.row_of for table in tables)]
    first, other = (table.vectors[table.rows(both)] for table in tables)
    return first, other


def pairs_of_set(
    found: CaptionedSet, by: SetEncoder, folder: Path, *, pairs: int, seed: int = 0, progress: Progress = silent
) -> PairedWorks:
    """At most ``pairs`` works of the training part for the means, and as many others to be measured.

    Works are drawn by a digest of seed and id, so that no more pictures of a large set are encoded than are used;
    those whose picture is missing are passed over. The others are the part ``test`` where there is one.

    Raises:
        RequestError: the encoder does not read both modalities, or the set has no training part or nothing beside it.
        EncoderError, DatasetError, CollectionError: as in `material_of_set`.
    """
    if len(by.modalities) < 2:
        raise RequestError(
            f"{by.encoder.name} does not read both pictures and texts; choose an encoder that does, such as aligned"
        )
    there = [image for image in found.images if image.path is not None] or found.images
    fitting = [image.id for image in there if image.split == "train"]
    others = [image.id for image in there if image.split == "test"] or [
        image.id for image in there if image.split != "train"
    ]
    if not fitting or not others:
        raise RequestError(
            f"{found.name} has {len(fitting)} pictures here to fit on and {len(others)} others to measure; the gap "
            f"needs both"
        )

    def drawn(ids: list[str]) -> list[str]:
        return sorted(ids, key=lambda each: digest(str(seed).encode(), each.encode()))[:pairs]

    measured = drawn(others)
    material = material_of_set(found.keeping([*drawn(fitting), *measured]), by, folder, seed=seed, progress=progress)
    apart = frozenset(measured)
    seen = np.array([item_id not in apart for item_id in material.item_ids])
    captions = other_captions(found.keeping(measured), by, folder, seed=seed)
    return PairedWorks(material, seen, captions, by.fitted_on)


def _numbered(label: Label) -> str:
    return f"{label.index} {label.label}"
