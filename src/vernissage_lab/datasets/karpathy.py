"""Karpathy's splits of MSCOCO, Flickr30k and Flickr8k: one JSON file with pictures, sentences and parts.

Karpathy & Fei-Fei, Deep Visual-Semantic Alignments for Generating Image Descriptions, CVPR 2015.
"""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Split, counted
from vernissage_lab.datasets.checking import checked
from vernissage_lab.datasets.files import read_json_object, require_file, text_of, value_of
from vernissage_lab.datasets.picture_files import located

SOURCE = "https://cs.stanford.edu/people/karpathy/deepimagesent/ (caption_datasets.zip: captions and splits)"

_SPLITS: Mapping[str, Split] = {"train": "train", "restval": "train", "val": "val", "test": "test"}
_FILES = ("dataset_coco.json", "dataset_flickr30k.json", "dataset_flickr8k.json", "karpathy_coco_split.json")
_RESTVAL = "restval"
_NAMES = {"coco": "MSCOCO", "flickr30k": "Flickr30k", "flickr8k": "Flickr8k"}


def read_karpathy(
    path: Path, *, pictures: Path | None = None, source: str = SOURCE, skip_bad: bool = False
) -> CaptionedSet:
    """Read ``dataset_coco.json``, ``dataset_flickr30k.json`` or ``dataset_flickr8k.json``.

    A picture's id is its id in COCO, or the name of its file without the suffix; captions have the file's sentence
    ids. ``restval``, the part of COCO's validation pictures that is used for training, is read as ``train``.

    Args:
        path: the JSON file, or a folder that holds one under its published name.
        pictures: the folder that holds the pictures, such as ``val2014/COCO_val2014_000000391895.jpg``; the JSON
            file's folder without.
        source: where this set comes from.
        skip_bad: leave out pictures without captions and empty captions.

    Raises:
        DatasetError: see `checked` and `read_json_object`.
    """
    require_file(path, "Karpathy's JSON file, such as dataset_coco.json,", source)
    path = _file(path, source)
    content = read_json_object(path, "images")
    images, captions, rest = [], [], 0
    for place, entry in enumerate(content["images"]):
        image = _image(entry, f"{path}, image {place}")
        images.append(image)
        captions += _captions(entry, image.id, f"{path}, image {place}")
        rest += entry.get("split") == _RESTVAL
    name = _NAMES.get(str(content.get("dataset", "")), path.stem)
    found = CaptionedSet(
        f"{name} (Karpathy split)",
        source,
        located(images, pictures or path.parent, required=pictures is not None),
        tuple(captions),
        remarks=(f"{counted(rest, 'picture')} of the part restval read as train",) if rest else (),
    )
    return checked(found, skip_bad=skip_bad)


def _file(path: Path, source: str) -> Path:
    if not path.is_dir():
        return path
    there = [path / name for name in _FILES if (path / name).is_file()]
    if len(there) != 1:
        found = f"several of {', '.join(_FILES)}" if there else f"none of {', '.join(_FILES)}"
        raise DatasetError(f"{path} holds {found}; name the file, or get it from {source}")
    return there[0]


def _image(entry: Mapping[str, Any], where: str) -> ImageEntry:
    name = text_of(entry, "filename", where)
    split = value_of(entry, "split", where)
    if split not in _SPLITS:
        raise DatasetError(f"{where} has split {split!r}; it must be one of {', '.join(_SPLITS)}")
    folder = entry.get("filepath", "")
    file = f"{folder}/{name}" if isinstance(folder, str) and folder else name
    return ImageEntry(str(entry.get("cocoid", PurePosixPath(name).stem)), file, split=_SPLITS[split])


def _captions(entry: Mapping[str, Any], image_id: str, where: str) -> list[Caption]:
    sentences = value_of(entry, "sentences", where)
    if not isinstance(sentences, list) or not all(isinstance(sentence, dict) for sentence in sentences):
        raise DatasetError(f"{where} has sentences that are no list of objects; get the file anew")
    return [
        Caption(str(value_of(sentence, "sentid", where)), image_id, text_of(sentence, "raw", where))
        for sentence in sentences
    ]
