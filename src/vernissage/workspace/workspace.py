"""A workspace opened for reading."""

import json
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vernissage.analysis.bands import Bounds
from vernissage.catalog.collection import Collection, read_collection
from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.encoders.loading import LateEncoder, restore
from vernissage.encoders.register import card, card_of, cards, members_of_default
from vernissage.errors import ProvenanceError, RequestError, WorkspaceError
from vernissage.files import digest, read_array
from vernissage.search.exact import exact_index
from vernissage.search.joint import JOINT, JointRule, joint_of
from vernissage.search.lexical import LexicalIndex
from vernissage.search.mixed import MixedIndex
from vernissage.search.modality_means import ModalityMeans
from vernissage.search.pair_matrix import PairMatrix
from vernissage.search.vectors import VectorTable, make_vector_table, require_source
from vernissage.values import MODALITIES, MODALITY_CARDS, Columns, Modality, WritableIndex, encoded_as, readable
from vernissage.workspace.clusters import Clusters, clusters_of_collection
from vernissage.workspace.collection_files import read_word_counts
from vernissage.workspace.copies import Copies
from vernissage.workspace.index_choice import IndexChoice, open_index, read_choices
from vernissage.workspace.readers import mark_reader
from vernissage.workspace.state import (
    Manifest,
    finish_retirement,
    found,
    read_manifest,
    sole_writer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vernissage.profiles.naming import WordCounts


class Workspace:
    """One state of a workspace, as it was when opened; a build that ends later does not change it.

    What is asked for by the name of an encoder raises `RequestError` where the workspace lacks it, with a message that
    says what it has, and why not, and `ProvenanceError` where a file is missing or damaged.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._encoders: dict[str, Encoder] = {}
        self._tables: dict[tuple[str, Modality], VectorTable] = {}
        self._indexes: dict[tuple[str, Modality], WritableIndex] = {}
        self._joint: dict[tuple[str, JointRule], WritableIndex] = {}
        self._mixed: dict[str, MixedIndex] = {}
        self._unmark: Callable[[], object] = lambda: None

    def mark(self) -> None:
        """Keep the files of this state for as long as this object lives, or until `release`, see `readers`."""
        self._unmark = mark_reader(self.path, self)

    def release(self) -> None:
        """Let a build delete the files of this state once another is in force."""
        self._unmark()

    @cached_property
    def index_choices(self) -> dict[str, IndexChoice]:
        """The kind of index for each ``ENCODER.MODALITY``, as when first asked for; what is not named is exact."""
        return read_choices(self.path)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over collection, encoders, vectors and weights of this state."""
        manifest = self.manifest
        parts = [
            manifest.fingerprint,
            manifest.fingerprints,
            manifest.vectors,
            manifest.pairs,
            manifest.means,
            manifest.copies,
            *filter(None, (manifest.weights, manifest.bands)),  # states of earlier versions keep theirs
        ]
        return digest(*[json.dumps(part, sort_keys=True, default=dict).encode() for part in parts])[:16]

    @cached_property
    def encoder_names(self) -> tuple[str, ...]:
        """The encoders that have vectors here, but for internal ones."""
        found = dict.fromkeys(key.rpartition(".")[0] for key in self.manifest.vectors)
        return tuple(name for name in found if name not in self.internal_names)

    @cached_property
    def internal_names(self) -> tuple[str, ...]:
        """The encoders whose vectors here only serve those that are made of them."""
        return tuple(name for name, card in cards().items() if card.internal and self.modalities(name))

    @property
    def collection_name(self) -> str:
        """What to call the collection: the name of the folder or table that it was built from."""
        source = self.manifest.source
        return source["name"] if "address" in source else Path(source["absolute"]).stem

    @property
    def draft(self) -> bool:
        """Whether large JPEGs were decoded at a fraction of their size; so they are in workspaces that do not say."""
        return bool(self.manifest.settings.get("draft", True))

    @cached_property
    def collection(self) -> Collection:
        """The works."""
        manifest = self.manifest
        folder, seal = found(manifest.folder, self.path), manifest.seal(manifest.collection)
        collection = read_collection(self.path / manifest.collection, folder, seal=seal)
        if collection.fingerprint != self.manifest.fingerprint:
            raise ProvenanceError(
                f"{self.path / self.manifest.collection} is damaged: it is not the collection that the workspace was "
                f"built from; run `vernissage build {self.manifest.origin} -o {self.path}` again"
            )
        return collection

    @cached_property
    def word_counts(self) -> "WordCounts":
        """In how many works of the collection each word stands, see `count_words`."""
        return read_word_counts(self.path / self.manifest.words, self.manifest.seal(self.manifest.words))

    @cached_property
    def copies(self) -> Copies:
        """Which works are the same; none in states of earlier versions, which did not compare them."""
        name, ids = self.manifest.copies, self.collection.ids
        if not name:
            return Copies(ids, np.arange(len(ids), dtype=np.int32))
        self.manifest.seal(name).require(self.path / name)
        first = read_array(self.path / name)
        if first.shape != (len(ids),) or first.dtype != np.int32 or ((first < 0) | (first > np.arange(len(ids)))).any():
            raise ProvenanceError(f"{self.path / name} is of another collection; run `vernissage build` again")
        return Copies(ids, first)

    @cached_property
    def clusters(self) -> Clusters:
        """The clusters that works to rate are drawn from; found now in states of earlier versions, which kept none."""
        name = self.manifest.clusters
        if not name:
            return clusters_of_collection(
                self.collection, self.copies, self.fused_tables, int(self.manifest.settings.get("seed", 0))
            )
        self.manifest.seal(name).require(self.path / name)
        clusters = read_array(self.path / name)
        works = len(self.collection)
        fits = clusters.shape == (works, 2) and clusters.dtype == np.int32
        if not fits or ((clusters < -1) | (clusters >= works)).any():
            raise ProvenanceError(f"{self.path / name} is of another collection; run `vernissage build` again")
        return clusters

    @cached_property
    def bands(self) -> dict[str, dict[str, Bounds]]:
        """Where scores are fair and strong, see `Manifest.bands`."""
        return {
            name: {kind: Bounds(**each) for kind, each in kinds.items()} for name, kinds in self.manifest.bands.items()
        }

    @property
    def fused_tables(self) -> list[VectorTable]:
        """One table for each representation of the default fusion that has vectors, or of any where it has none."""
        names = members_of_default(self.encoder_names, ()) or self.encoder_names
        return [self.joint_table(name) for name in names]

    @cached_property
    def lexicon(self) -> LexicalIndex:
        """The index of the works' words; made anew where its file is missing, as in earlier states."""
        file, works = self.path / self.manifest.lexicon, len(self.collection)
        try:
            return LexicalIndex.load(file, file.stem, works)
        except ProvenanceError:
            return LexicalIndex.of(self.collection, self.word_counts.language)

    def modalities(self, encoder: str) -> tuple[Modality, ...]:
        """What of the works the encoder's vectors here were made of."""
        return tuple(modality for modality in MODALITIES if f"{encoder}.{modality}" in self.manifest.vectors)

    def is_imported(self, encoder: str) -> bool:
        """Whether its vectors were made elsewhere."""
        return any(key.rpartition(".")[0] == encoder for key in self.manifest.imported)

    def reads(self, encoder: str, modality: Modality) -> bool:
        """Whether it can make vectors of more than it has, which imported ones cannot without their network."""
        if not self.is_imported(encoder):
            return modality in readable(card_of(encoder).modalities)
        return hasattr(self.encoder(encoder), f"encode_{MODALITY_CARDS[modality].read_as}s")

    def searches_texts(self, encoder: str) -> bool:
        """Whether it has vectors of texts and makes such of a query."""
        return "text" in self.modalities(encoder) and self.reads(encoder, "text")

    def why_mute(self, encoder: str) -> str:
        """Why an encoder makes no vectors here, and what to do; empty where it does."""
        if not self.is_imported(encoder) or self.reads(encoder, "image"):
            return ""
        from vernissage.encoders.imported import ImportedEncoder, why_not_read

        found = self.encoder(encoder)
        return why_not_read(encoder, found.state.settings) if isinstance(found, ImportedEncoder) else ""

    def encoder(self, name: str) -> Encoder:
        """The fitted encoder of that name."""
        if name not in self._encoders:
            folder = self.path / "models" / self._named(self.manifest.models, name, name)
            if self.is_imported(name):
                from vernissage.encoders.imported import restore_imported  # few workspaces have any

                return self._encoders.setdefault(name, restore_imported(EncoderState.load(folder)))
            there = [base for base in card(name).needs if base in self.manifest.models]
            bases: list[Encoder] = (
                [self.encoder(base) for base in there]
                if len(card(name).modalities) == 1
                else [
                    LateEncoder(base, self._named(self.manifest.fingerprints, base, base), partial(self.encoder, base))
                    for base in there
                ]
            )
            self._encoders[name] = restore(name, EncoderState.load(folder), bases)
        return self._encoders[name]

    def table(self, encoder: str, modality: Modality) -> VectorTable:
        """The vectors of that encoder and modality, checked against encoder and collection, see `VectorTable.load`."""
        key, [side] = (encoder, modality), encoded_as([modality])
        if key not in self._tables and side in self.modalities(encoder) and modality not in self.modalities(encoder):
            card = self.table(encoder, side).card  # no work is of that kind, but uploads may be
            about = {"encoder": encoder, "fingerprint": card.fingerprint, "collection": card.collection}
            none = np.zeros((0, self.table(encoder, side).dim), np.float32)
            self._tables[key] = make_vector_table(none, (), (), modality=modality, **about)
        if key not in self._tables:
            stem = self._named(self.manifest.vectors, f"{encoder}.{modality}", encoder)
            table = VectorTable.load(self.path / "vectors" / stem, self.collection.ids)
            fingerprint = self._named(self.manifest.fingerprints, encoder, encoder)
            wanted = {"encoder": encoder, "modality": modality, "fingerprint": fingerprint}
            width = self.manifest.dims.get(f"{encoder}.{modality}", table.dim)
            self._tables[key] = table.require(width, **wanted, collection=self.manifest.fingerprint)
        return self._tables[key]

    def index(self, encoder: str, modality: Modality, columns: Columns | None = None) -> WritableIndex:
        """The index over those vectors, of the kind that is chosen for them, see `index_choice`.

        With ``columns``, which know more of works than the collection does, an index of their own, which is not kept.
        """
        key = (encoder, modality)
        if columns is not None and columns is not self.collection:
            return open_index(self, *key, columns)
        if key not in self._indexes:
            self._indexes[key] = open_index(self, *key, self.collection)
        return self._indexes[key]

    def joint_index(self, encoder: str, rule: JointRule) -> WritableIndex:
        """The index over the picture and text vectors of an encoder, joined to one for each work."""
        key = (encoder, rule)
        if key not in self._joint:
            kept = rule == "mean" and encoder in self.manifest.joint
            self._joint[key] = (
                open_index(self, encoder, JOINT, self.collection)
                if kept
                else exact_index(self.joint_table(encoder, rule), self.collection)
            )
        return self._joint[key]

    def joint_table(self, encoder: str, rule: JointRule = "mean") -> VectorTable:
        """An encoder's vectors, of pictures and texts joined to one for each work where it reads both."""
        if rule == "mean" and (stem := self.manifest.joint.get(encoder)):
            key, manifest = (encoder, JOINT), self.manifest
            if key not in self._tables:
                table = VectorTable.load(self.path / "vectors" / stem, self.collection.ids)
                wanted = {"encoder": encoder, "modality": JOINT, "collection": manifest.fingerprint}
                made = f"{self._named(manifest.fingerprints, encoder, encoder)}-mean"
                require_source(table.card, f"joint vectors of {encoder}", **wanted, fingerprint=made)
                self._tables[key] = table
            return self._tables[key]
        return joint_of({each: self.table(encoder, each) for each in self.modalities(encoder) or ("text",)}, rule)

    def pair_matrix(self, encoder: str, *, whole: bool = False) -> PairMatrix:
        """How well each picture fits each text, by an encoder that reads them together; see `PairMatrix.load`."""
        folder = self.path / "pairs" / self._named(self.manifest.pairs, encoder, encoder)
        cards = sorted(folder.glob("*.card.json"))
        if not cards:
            raise ProvenanceError(f"{folder} lacks its pairs; delete it and run `vernissage build` again")
        fingerprint = self._named(self.manifest.fingerprints, encoder, encoder)
        matrix = PairMatrix.load(cards[0].with_name(cards[0].name.removesuffix(".card.json")), whole=whole)
        return matrix.require(fingerprint=fingerprint, collection=self.manifest.fingerprint)

    def means(self, encoder: str) -> ModalityMeans:
        """The means of the encoder's pictures and of its texts, which one index of both takes off."""
        there = self.modalities(encoder)
        if len(encoded_as(there)) == 1:
            raise RequestError(f"{encoder} reads {there[0]}s alone; choose an encoder of both modalities")
        if there and encoder not in self.manifest.means:
            why = self.manifest.left_out.get(f"means of {encoder}", "it was built by an earlier version")
            raise RequestError(f"the workspace has no means of {encoder}: {why}; run `vernissage build` again")
        folder = self.path / "means" / self._named(self.manifest.means, encoder, encoder)
        return ModalityMeans.load(folder).require(self._named(self.manifest.fingerprints, encoder, encoder))

    def mixed_index(self, encoder: str) -> MixedIndex:
        """The encoder's pictures and texts in one index."""
        if encoder not in self._mixed:
            pictures, texts = self.index(encoder, "image"), self.index(encoder, "text")
            videos = self.index(encoder, "video") if "video" in self.modalities(encoder) else None
            self._mixed[encoder] = MixedIndex(pictures, texts, self.means(encoder), videos)
        return self._mixed[encoder]

    def _named(self, entries: object, key: str, encoder: str) -> str:
        if isinstance(entries, dict) and key in entries:
            return str(entries[key])
        if not self.manifest.complete:
            raise WorkspaceError(
                f"{self.path} has no vectors of {encoder} yet: its build was interrupted or is still running; "
                f"run `vernissage build {self.manifest.origin} -o {self.path}` again to finish it"
            )
        if encoder in self.manifest.left_out:
            raise RequestError(f"{encoder} is not in this workspace: {self.manifest.left_out[encoder]}")
        raise RequestError(
            f"the workspace has nothing of {key!r}; it has vectors {', '.join(sorted(self.manifest.vectors)) or 'none'}"
        )


def open_workspace(path: Path) -> Workspace:
    """Open the current state of a workspace for reading.

    What a build had to leave for readers of the state before is deleted where they have ended meanwhile.

    Raises:
        WorkspaceError: there is no workspace, or it is of another version.
        ProvenanceError: its manifest is damaged.
    """
    workspace = Workspace(path, read_manifest(path))
    if workspace.manifest.retired:
        with suppress(WorkspaceError), sole_writer(path):  # who may not write, or meets a writer, leaves it to the next
            finish_retirement(path)
    workspace.mark()
    workspace.manifest = read_manifest(path)  # the one that the mark has kept whole, should a build have ended just now
    return workspace
