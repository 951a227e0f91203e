"""What is in a workspace, as JSON values."""

from pathlib import Path
from typing import Any

from vernissage.encoders.contract import EncoderState
from vernissage.workspace.coverage import Coverage, coverage_of
from vernissage.workspace.workspace import Workspace


def describe_workspace(workspace: Workspace) -> dict[str, Any]:
    """Works, groups, encoders, coverage, fingerprints and sizes in bytes; opens every file, see `check_workspace`.

    Raises:
        ProvenanceError: a file is missing or damaged.
    """
    manifest, collection = workspace.manifest, workspace.collection
    models = manifest.models.items()
    return {
        "path": str(workspace.path),
        "format": manifest.format,
        "complete": manifest.complete,
        "source": manifest.source["absolute"],
        "collection": manifest.fingerprint,
        "works": len(collection),
        "pictures": sum(map(bool, collection.texts("picture"))),
        "texts": sum(map(bool, collection.texts("text"))),
        "groups": dict(collection.groups),
        "settings": dict(manifest.settings),
        "vectors": [_described(workspace, *key.rpartition(".")[::2]) for key in manifest.vectors],
        "models": {name: EncoderState.load(workspace.path / "models" / folder).fingerprint for name, folder in models},
        "coverage": [_coverage(workspace, encoder).to_dict() for encoder in workspace.encoder_names],
        "pairs": {name: len(workspace.pair_matrix(name).item_ids) for name in manifest.pairs},
        "means": {name: workspace.means(name).fingerprint for name in manifest.means},
        "left_out": dict(manifest.left_out),
        "bytes": sum(file.stat().st_size for file in workspace.path.rglob("*") if file.is_file()),
    }


def _coverage(workspace: Workspace, encoder: str) -> Coverage:
    tables = {modality: workspace.table(encoder, modality) for modality in workspace.modalities(encoder)}
    return coverage_of(workspace.collection, encoder, tables)


def _described(workspace: Workspace, encoder: str, modality: Any) -> dict[str, Any]:
    table = workspace.table(encoder, modality)
    return {
        "encoder": encoder,
        "modality": modality,
        "works": len(table),
        "coverage": len(table) / max(1, len(workspace.collection)),
        "dim": table.dim,
        "fingerprint": table.card.fingerprint,
        "bytes": _size(workspace.path / "vectors", workspace.manifest.vectors[f"{encoder}.{modality}"]),
    }


def _size(folder: Path, stem: str) -> int:
    return sum(file.stat().st_size for file in folder.glob(f"{stem}.*"))
