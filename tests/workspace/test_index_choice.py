"""Which kind of index serves an encoder's vectors: chosen, read back, damaged, refused."""

import shutil
from pathlib import Path

import pytest

from vernissage.errors import ProvenanceError, RequestError, WorkspaceError
from vernissage.workspace.index_choice import IndexChoice, read_choices, use_index
from vernissage.workspace.state import INDEX_CHOICES
from vernissage.workspace.workspace import open_workspace


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "workspace"))


def test_without_a_choice_every_index_is_exact(built: Path) -> None:
    workspace = open_workspace(built)
    assert read_choices(built) == {}
    assert workspace.index("colour-texture", "image").card.kind == "exact"


def test_a_choice_of_exact_leaves_nothing_to_say(copied: Path) -> None:
    assert use_index(open_workspace(copied), IndexChoice("exact")) == {}
    assert (copied / INDEX_CHOICES).read_text() == "{}\n"


def test_shards_are_kept_and_answers_stay_the_same(copied: Path) -> None:
    plain = open_workspace(copied).index("colour-texture", "image")
    use_index(open_workspace(copied), IndexChoice("exact", {"shards": 2}), ("colour-texture.image",))
    assert read_choices(copied) == {"colour-texture.image": IndexChoice("exact", {"shards": 2})}
    halves, query = open_workspace(copied).index("colour-texture", "image"), plain.vectors_of(plain.item_ids[:1])
    assert halves.search(query, 5) == plain.search(query, 5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "damaged"),
        ('{"colour-texture.image": "exact"}', "of another kind than expected"),
        ('{"colour-texture.image": {"kind": "psychic"}}', "no kind of index 'psychic'"),
    ],
)
def test_a_damaged_choice_is_refused_and_the_way_out_named(copied: Path, content: str, said: str) -> None:
    (copied / INDEX_CHOICES).write_text(content)
    with pytest.raises(ProvenanceError, match=said):
        open_workspace(copied).index("colour-texture", "image")


def test_a_choice_that_is_a_link_is_refused(copied: Path, tmp_path: Path) -> None:
    (copied / INDEX_CHOICES).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(WorkspaceError, match="links in a workspace"):
        open_workspace(copied)


def test_what_cannot_be_chosen_is_refused_and_nothing_written(copied: Path) -> None:
    workspace = open_workspace(copied)
    for choice, keys, said in (
        (IndexChoice("psychic"), (), "choose exact"),
        (IndexChoice("exact"), ("clip.image",), "no vectors clip.image"),
        (IndexChoice("exact", {"url": "x"}), (), "shards alone, but url"),
        (IndexChoice("exact", {"shards": 0}), (), "from 1 to 64, but 0"),
    ):
        with pytest.raises(RequestError, match=said):
            use_index(workspace, choice, keys)
    assert not (copied / INDEX_CHOICES).exists()
