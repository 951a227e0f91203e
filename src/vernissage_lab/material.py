"""What recipes work on: works with vectors of one encoder, classes and tags, as arrays."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.contract import TextEncoder, unit_rows
from vernissage.errors import RequestError
from vernissage.recommenders.tags import Tags
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.search.vectors import VectorTable, make_vector_table
from vernissage.values import Modality, Vectors
from vernissage.workspace.workspace import Workspace

UNKNOWN = -1
"""The class of works that have none."""

Rows = npt.NDArray[np.int64]


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

    def index(self, modality: Modality, vectors: Vectors, names: Sequence[str]) -> ExactIndex:
        """The same, searchable; nobody owns any."""
        return exact_index(self.table(modality, vectors, names))

    def describe(self) -> dict[str, Any]:
        """What a record says about it, as JSON values."""
        known = {"encoder_variant": self.variant} if self.variant else {}
        told = {
            "data": self.name,
            "data_fingerprint": self.fingerprint,
            "encoder": self.encoder,
            "encoder_fingerprint": self.encoder_fingerprint,
            "works": len(self),
            "modalities": list(self.modalities),
            "classes": len(self.class_names),
            **known,
        }
        return told | ({"tags": dict(self.tagged_by)} if self.tagged_by else {})


def material_of(
    vectors: Mapping[Modality, Vectors],
    class_of: Sequence[str],
    *,
    item_ids: Sequence[str] | None = None,
    name: str = "arrays",
    fingerprint: str = "",
    encoder: str = "arrays",
    encoder_fingerprint: str = "",
    tags: Mapping[Modality, Tags] | None = None,
    text_encoder: TextEncoder | None = None,
    variant: str = "",
) -> Material:
    """Join arrays with one row for each work; an empty class is none.

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
    return Material(
        name,
        fingerprint,
        encoder,
        encoder_fingerprint,
        ids,
        dict(vectors),
        classes,
        tuple(place),
        tags or {},
        text_encoder,
        variant=variant,
    )


def material_of_workspace(workspace: Workspace, encoder: str) -> Material:
    """The works of a workspace that ``encoder`` has read in every modality that it reads, with their groups.

    Tags are the works' keywords; they are read by the encoder itself if it reads texts, or else by one that does.

    Raises:
        RequestError: the workspace lacks the encoder, or no work has all its modalities.
    """
    modalities = workspace.modalities(encoder) or ("text",)
    tables = {modality: workspace.table(encoder, modality) for modality in modalities}
    known = set.intersection(*(set(table.item_ids) for table in tables.values()))
    works = [item for item in workspace.collection if item.id in known]
    if not works:
        raise RequestError(f"no work has every modality of {encoder} ({', '.join(modalities)}); choose another encoder")
    ids = [item.id for item in works]
    keywords = {item.id: item.keywords for item in works if item.keywords}
    return material_of(
        {modality: table.vectors[table.rows(ids)] for modality, table in tables.items()},
        [item.group for item in works],
        item_ids=ids,
        name=Path(workspace.manifest.source["absolute"]).stem,
        fingerprint=workspace.collection.fingerprint,
        encoder=encoder,
        encoder_fingerprint=str(workspace.manifest.fingerprints[encoder]),
        tags=dict.fromkeys(modalities, keywords),
        text_encoder=_reader_of_tags(workspace, encoder),
    )


def _reader_of_tags(workspace: Workspace, encoder: str) -> TextEncoder | None:
    others = sorted(workspace.encoder_names, key=lambda each: len(workspace.modalities(each)))
    reading = [each for each in (encoder, *others) if "text" in workspace.modalities(each)]
    found = workspace.encoder(reading[0]) if reading else None
    return found if isinstance(found, TextEncoder) else None
