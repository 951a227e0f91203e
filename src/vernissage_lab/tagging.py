"""Tags that taggers find in the works of an experiment, kept in the folder of the run.

tags/TAGGER-KEY/*.json    tags of some works each; KEY stands for the works and for the tagger with all its settings
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from vernissage.catalog.collection import Collection
from vernissage.errors import ProvenanceError, RequestError
from vernissage.files import digest, read_json, write_json
from vernissage.progress import Progress, silent
from vernissage.taggers.contract import ImageTagger, Tags, TextTagger, once, tagger_key
from vernissage.values import Modality
from vernissage.workspace.tagging import tag_pictures, tag_texts, words_to_tag
from vernissage_lab.datasets.captioned import CaptionedSet, one_caption_each
from vernissage_lab.material import Material
from vernissage_lab.set_encoders import key_of

_PICTURES_AT_ONCE = 16

IN_WORDS: Mapping[Modality, str] = MappingProxyType({"image": "pictures", "text": "texts"})


@dataclass(frozen=True)
class Taggable:
    """What taggers can read of the works of an experiment.

    Attributes:
        name, fingerprint: of the works.
        texts: by work; works without words are left out.
        pictures: the files, by work, as far as they are there.
    """

    name: str
    fingerprint: str
    texts: Mapping[str, str]
    pictures: Mapping[str, Path]

    def readable(self, modality: Modality, tagger: str) -> Mapping[str, object]:
        """The texts, or the pictures, for a tagger of that name.

        Raises:
            RequestError: there are none.
        """
        found: Mapping[str, object] = self.texts if modality == "text" else self.pictures
        if not found:
            way_out = "choose a tagger of pictures"
            if modality == "image":
                way_out = "name their folder with --pictures, or choose a tagger of texts"
            raise RequestError(
                f"the tagger {tagger} reads {IN_WORDS[modality]}, but {self.name} has none here; {way_out}"
            )
        return found


@dataclass(frozen=True)
class FoundTags:
    """Tags of pictures or of texts: of which, by whom in words, and by work."""

    modality: Modality
    by: str
    tags: Mapping[str, Tags]


def taggable_collection(collection: Collection, name: str) -> Taggable:
    """The works of a workspace, with the words that `encoders tag` reads: title, description and keywords."""
    texts = {item.id: words_to_tag(item, uploaded=False) for item in collection}
    pictures = {item.id: path for item in collection if (path := collection.picture_path(item)) is not None}
    return Taggable(name, collection.fingerprint, _with_words(texts), pictures)


def taggable_set(found: CaptionedSet, *, seed: int) -> Taggable:
    """The pictures of a set, by picture id, each with the caption that is drawn of it by ``seed``."""
    drawn = one_caption_each(found, seed=seed)
    texts = {caption.image_id: caption.text for caption in drawn.captions}
    pictures = {image.id: image.path for image in drawn.images if image.path is not None}
    return Taggable(found.name, drawn.fingerprint, _with_words(texts), pictures)


def tag_works(
    works: Taggable, tagger: TextTagger | ImageTagger, folder: Path, *, progress: Progress = silent
) -> FoundTags:
    """The tags that a tagger finds in all texts, or all pictures, of these works.

    They are kept below ``folder``, some works at a time: an interrupted tagging goes on where it stopped, and the same
    tagger reads no work twice. Files that are damaged are made again.

    Raises:
        RequestError: there is nothing that the tagger reads.
        CollectionError: a picture cannot be opened.
        WorkspaceError: the folder cannot be written.
    """
    modality: Modality = "text" if isinstance(tagger, TextTagger) else "image"
    readable = works.readable(modality, tagger.name)
    home = folder / "tags" / f"{tagger.name}-{key_of(works.fingerprint, tagger_key(tagger))}"
    known = _kept(home)
    waiting = [item_id for item_id in readable if item_id not in known]
    step, done = f"Tagging with {tagger.name}", 0
    progress(step, 0, len(waiting))
    for found in _tagged(works, tagger, waiting):
        write_json(home / f"{key_of(*found)}.json", {"method": tagger.method, "tags": found})
        known |= found
        done += len(found)
        progress(step, done, len(waiting))
    return FoundTags(modality, told_by(tagger), {item_id: known[item_id] for item_id in readable})


def told_by(tagger: TextTagger | ImageTagger) -> str:
    """A tagger in one line: its method, with lexicon or weights, and the key that stands for all its settings."""
    return f"{tagger.method} ({tagger_key(tagger)})"


def with_tags(material: Material, found: Sequence[FoundTags], *, own: str) -> Material:
    """The material with these tags in place of its own for pictures, or texts, or both; ``own`` says whose those were.

    Several findings for one modality are joined, work by work, each tag once.
    """
    tags, by = dict(material.tags), {each: own for each, words in material.tags.items() if any(words.values())}
    for modality in IN_WORDS:
        some = [each for each in found if each.modality == modality]
        if some:
            tags[modality] = {item_id: _joined(some, item_id) for item_id in material.item_ids}
            by[modality] = "; ".join(each.by for each in some)
    return replace(material, tags=tags, tagged_by=by)


def tags_digest(material: Material) -> str:
    """16 hexadecimal digits that stand for all tags of its works."""
    lines = (
        "\0".join((modality, item_id, *tags[item_id]))
        for modality, tags in sorted(material.tags.items())
        for item_id in material.item_ids
        if tags.get(item_id)
    )
    return digest(*(line.encode() for line in lines))[:16]


def _joined(found: Sequence[FoundTags], item_id: str) -> Tags:
    return once(chain.from_iterable(each.tags.get(item_id, ()) for each in found))


def _with_words(texts: Mapping[str, str]) -> dict[str, str]:
    return {item_id: text for item_id, text in texts.items() if text.strip()}


def _kept(home: Path) -> dict[str, Tags]:
    found: dict[str, Tags] = {}
    for path in sorted(home.glob("*.json")):
        try:
            found |= {item_id: tuple(tags) for item_id, tags in read_json(path)["tags"].items()}
        except (ProvenanceError, TypeError, KeyError, AttributeError):
            path.unlink()
    return found


def _tagged(works: Taggable, tagger: TextTagger | ImageTagger, waiting: Sequence[str]) -> Iterator[dict[str, Tags]]:
    if isinstance(tagger, TextTagger):
        yield from tag_texts(tagger, [(item_id, works.texts[item_id]) for item_id in waiting])
    else:
        yield from tag_pictures(tagger, [(each, works.pictures[each]) for each in waiting], _PICTURES_AT_ONCE)
