"""A small file of vectors in the convention of museums, whose right answers are known by construction."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vernissage.catalog.sources.vector_files import LABELS

MODELS = {"museum/small-v1": 8, "museum/large-v1": 12}
"""Model → width; vectors of the second are not scaled to length 1."""

GROUPS = 4
WORKS = 20

SCHEMA = pa.schema([*list(LABELS)[:4], pa.field("embeddings", pa.list_(pa.float32())), *list(LABELS)[4:]])


def vectors_of(model: str, count: int = WORKS) -> np.ndarray:
    """Works of one rest of 4 lie around one axis: float32 (count, dim)."""
    dim = MODELS[model]
    rows = 0.1 * np.random.default_rng(dim).standard_normal((count, dim))
    rows[np.arange(count), np.arange(count) % GROUPS] += 1
    if model == "museum/small-v1":
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    else:
        rows *= 7
    return rows.astype(np.float32)


def rows_of(model: str, count: int = WORKS) -> list[dict[str, Any]]:
    """One row a work, and two more pictures of work 1."""
    rows = [row_of(model, number, vector) for number, vector in enumerate(vectors_of(model, count))]
    further = ((view, vectors_of(model)[1 + GROUPS * view]) for view in (1, 2))
    return [*rows, *({**row_of(model, 1, vector), "depiction_id": f"picture/1-{view}"} for view, vector in further)]


def row_of(model: str, number: int, vector: Any) -> dict[str, Any]:
    attributes = {
        "type": "image",
        "preview": f"https://museum.example.org/pictures/{number}.jpg",
        "subject_url": f"https://museum.example.org/works/{number}",
        "subject_title": f"Sea {number}" if number % GROUPS else f"Garden {number}",
        "subject_creditline": "Gift of a friend",
        "artist": "Ann Painter",
        "rights": "CC0" if number % 2 else "In copyright",
    }
    return {
        "provider": "museum.example.org",
        "depiction_id": f"picture/{number}",
        "subject_id": f"work/{number}",
        "model": model,
        "embeddings": vector,
        "created": 1_780_000_000 + number,
        "attributes": list(attributes.items()),
    }


def write_rows(path: Path, rows: Sequence[dict[str, Any]], schema: Any = SCHEMA) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = [{**row, "embeddings": None if row["embeddings"] is None else list(row["embeddings"])} for row in rows]
    pq.write_table(pa.Table.from_pylist(plain, schema), path)
    return path


def published(path: Path, count: int = WORKS) -> Path:
    """The file with both models."""
    return write_rows(path, [row for model in MODELS for row in rows_of(model, count)])
