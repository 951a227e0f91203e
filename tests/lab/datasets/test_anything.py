"""Whatever a file holds, a reader gives a sound set or one line that says what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vernissage.errors import VernissageError
from vernissage_lab.datasets.kinds import KINDS, open_dataset

FILES = {
    "coco-karpathy": "dataset_coco.json",
    "coco": "captions_val2014.json",
    "flickr30k": "results.csv",
    "flickr8k": "Flickr8k.token.txt",
    "classified": "classified.csv",
    "national-gallery": "metadata.csv",
    "gallery": "metadata.csv",
}
_KEYS = [
    "images",
    "annotations",
    "sentences",
    "id",
    "image_id",
    "caption",
    "filename",
    "file_name",
    "split",
    "raw",
    "sentid",
]
_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["test", "a.jpg", "../a"])
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner), max_leaves=12
)
_LINES = st.lists(
    st.sampled_from(
        ["id,caption,class_index", "1,a,3", '2,"b', "image|comment", "a.jpg| 0 x", "a.jpg#0\tA boy", ";;", "\t"]
    ),
    max_size=6,
)


def _sound(kind: str, folder: Path, content: bytes) -> None:
    path = folder / FILES[kind]
    path.write_bytes(content)
    for skip_bad in (False, True):
        try:
            found = open_dataset(kind, path, skip_bad=skip_bad)
        except VernissageError:
            continue  # any other error fails the test
        assert (
            {caption.image_id for caption in found.captions}
            == {image.id for image in found.images}
            == set(found.image_of)
        )
        assert len(found.fingerprint) == 16
        assert all(image.path is None or folder in image.path.parents for image in found.images)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("anything")


def test_every_kind_is_tried() -> None:
    assert set(FILES) == set(KINDS)


@pytest.mark.parametrize("kind", FILES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | _LINES.map(lambda lines: "\n".join(lines).encode()))
def test_any_bytes(kind: str, folder: Path, content: bytes) -> None:
    _sound(kind, folder, content)


@pytest.mark.parametrize("kind", ["coco-karpathy", "coco"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=_VALUES, others=_VALUES)
def test_any_json(kind: str, folder: Path, images: Any, others: Any) -> None:
    _sound(kind, folder, json.dumps({"images": images, "annotations": others}).encode())
