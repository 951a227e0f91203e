"""A workspace opened for reading."""

from functools import cached_property
from pathlib import Path

from vernissage.catalog.collection import Collection
from vernissage.catalog.storage import read_collection
from vernissage.encoders.contract import Encoder, EncoderState
from vernissage.errors import ProvenanceError, RequestError, WorkspaceError
from vernissage.search.exact import ExactIndex
from vernissage.search.mixed import MixedIndex, mixed_index
from vernissage.search.modality_means import ModalityMeans
from vernissage.search.pair_matrix import PairMatrix
from vernissage.search.scan import ByteScan, build_byte_scan
from vernissage.search.vectors import VectorTable
from vernissage.values import Modality
from vernissage.workspace.manifest import Manifest, found, read_manifest
from vernissage.workspace.pretrained import PRETRAINED
from vernissage.workspace.recipes import RECIPES

SCANNED_FROM = 1_000_000
"""Tables of at least so many numbers get a byte scan: below, one pass over float32 is as fast."""


class Workspace:
    """One state of a workspace, as it was when opened; a build that ends later does not change it."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._encoders: dict[str, Encoder] = {}
        self._tables: dict[tuple[str, Modality], VectorTable] = {}
        self._indexes: dict[tuple[str, Modality], ExactIndex] = {}
        self._mixed: dict[str, MixedIndex] = {}

    @property
    def encoder_names(self) -> tuple[str, ...]:
        """The encoders that have vectors here."""
        return tuple(dict.fromkeys(key.rpartition(".")[0] for key in self.manifest.vectors))

    @property
    def collection_name(self) -> str:
        """What to call the collection: the name of the folder or table that it was built from."""
        return Path(self.manifest.source["absolute"]).stem

    @cached_property
    def collection(self) -> Collection:
        """The works."""
        collection = read_collection(self.path / self.manifest.collection, found(self.manifest.folder, self.path))
        if collection.fingerprint != self.manifest.fingerprint:
            raise ProvenanceError(
                f"{self.path / self.manifest.collection} is damaged: it is not the collection that the workspace was "
                f"built from; run `vernissage build {self.manifest.source['absolute']} -o {self.path}` again"
            )
        return collection

    def modalities(self, encoder: str) -> tuple[Modality, ...]:
        """What of the works the encoder's vectors here were made of."""
        both: tuple[Modality, ...] = ("image", "text")
        return tuple(modality for modality in both if f"{encoder}.{modality}" in self.manifest.vectors)

    def encoder(self, name: str) -> Encoder:
        """The fitted encoder of that name.

        Raises:
            RequestError: the workspace has no such encoder; the message says which it has, and why not.
            ProvenanceError: its files are damaged.
        """
        if name not in self._encoders:
            folder = self.path / "models" / self._named(self.manifest.models, name, name)
            if name in PRETRAINED:
                self._encoders[name] = PRETRAINED[name].restore(EncoderState.load(folder))
            else:
                needed = {base: self.encoder(base) for base in RECIPES[name].needs}
                self._encoders[name] = RECIPES[name].restore(EncoderState.load(folder), needed)
        return self._encoders[name]

    def table(self, encoder: str, modality: Modality) -> VectorTable:
        """The vectors of that encoder and modality, checked byte for byte and against encoder and collection.

        Raises:
            RequestError, ProvenanceError: as in `encoder`.
        """
        key = (encoder, modality)
        if key not in self._tables:
            stem = self._named(self.manifest.vectors, f"{encoder}.{modality}", encoder)
            table = VectorTable.load(self.path / "vectors" / stem)
            fingerprint = self._named(self.manifest.fingerprints, encoder, encoder)
            self._tables[key] = table.require(fingerprint=fingerprint, collection=self.manifest.fingerprint)
        return self._tables[key]

    def index(self, encoder: str, modality: Modality) -> ExactIndex:
        """The exact index over those vectors; large ones with a byte scan, read from ``indexes`` or made anew."""
        key = (encoder, modality)
        if key not in self._indexes:
            self._indexes[key] = ExactIndex(self.table(encoder, modality), self.scan(encoder, modality))
        return self._indexes[key]

    def pair_matrix(self, encoder: str) -> PairMatrix:
        """How well each picture fits each text, by an encoder that reads them together.

        Raises:
            RequestError, ProvenanceError: as in `encoder`.
        """
        folder = self.path / "pairs" / self._named(self.manifest.pairs, encoder, encoder)
        cards = sorted(folder.glob("*.json"))
        if not cards:
            raise ProvenanceError(f"{folder} lacks its pairs; delete it and run `vernissage build` again")
        fingerprint = self._named(self.manifest.fingerprints, encoder, encoder)
        matrix = PairMatrix.load(cards[0].with_suffix(""))
        return matrix.require(fingerprint=fingerprint, collection=self.manifest.fingerprint)

    def means(self, encoder: str) -> ModalityMeans:
        """The means of the encoder's pictures and of its texts, which one index of both takes off.

        Raises:
            RequestError, ProvenanceError: as in `encoder`.
        """
        there = self.modalities(encoder)
        if len(there) == 1:
            raise RequestError(f"{encoder} reads {there[0]}s alone; choose an encoder of both modalities")
        if there and encoder not in self.manifest.means:
            why = self.manifest.left_out.get(f"means of {encoder}", "it was built by an earlier version")
            raise RequestError(f"the workspace has no means of {encoder}: {why}; run `vernissage build` again")
        folder = self.path / "means" / self._named(self.manifest.means, encoder, encoder)
        return ModalityMeans.load(folder).require(self._named(self.manifest.fingerprints, encoder, encoder))

    def mixed_index(self, encoder: str) -> MixedIndex:
        """The encoder's pictures and texts in one index.

        Raises:
            RequestError, ProvenanceError: as in `encoder`.
        """
        if encoder not in self._mixed:
            means = self.means(encoder)
            owners = {item.id: item.owner for item in self.collection if item.owner}
            tables = self.table(encoder, "image"), self.table(encoder, "text")
            self._mixed[encoder] = mixed_index(*tables, means, owners)
        return self._mixed[encoder]

    def scan(self, encoder: str, modality: Modality) -> ByteScan | None:
        """The byte scan of a large table, read from ``indexes`` or made anew; None for a small one."""
        table = self.table(encoder, modality)
        if table.vectors.size < SCANNED_FROM:
            return None
        path = self.path / "indexes" / f"{self.manifest.vectors[f'{encoder}.{modality}']}.npz"
        try:
            return ByteScan.load(path, table.vectors, table.card.values)
        except ProvenanceError:
            return build_byte_scan(table.vectors, table.card.values)

    def _named(self, entries: object, key: str, encoder: str) -> str:
        if isinstance(entries, dict) and key in entries:
            return str(entries[key])
        if not self.manifest.complete:
            raise WorkspaceError(
                f"{self.path} has no vectors of {encoder} yet: its build was interrupted or is still running; "
                f"run `vernissage build {self.manifest.source['absolute']} -o {self.path}` again to finish it"
            )
        if encoder in self.manifest.left_out:
            raise RequestError(f"{encoder} is not in this workspace: {self.manifest.left_out[encoder]}")
        raise RequestError(
            f"the workspace has nothing of {key!r}; it has vectors {', '.join(sorted(self.manifest.vectors)) or 'none'}"
        )


def open_workspace(path: Path) -> Workspace:
    """Open the current state of a workspace for reading.

    Raises:
        WorkspaceError: there is no workspace, or it is of another version.
        ProvenanceError: its manifest is damaged.
    """
    return Workspace(path, read_manifest(path))
