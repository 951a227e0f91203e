"""MSCOCO's official captions, and Karpathy's splits of MSCOCO, Flickr30k and Flickr8k: JSON files.

Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; captions: Chen et al., arXiv 1504.00325; splits:
Karpathy & Fei-Fei, Deep Visual-Semantic Alignments for Generating Image Descriptions, CVPR 2015.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Split
from vernissage_lab.datasets.reading import (
    KNOWN,
    assembled,
    published_file,
    read_json_object,
    require_file,
    text_of,
    value_of,
)
from vernissage_lab.tables import counted

COCO_SOURCE, KARPATHY_SOURCE = (KNOWN[kind]["source"] for kind in ("coco", "coco-karpathy"))
_COCO_NAME = re.compile(r"captions_(train|val|test)(\d{4})", re.IGNORECASE)
_PARTS: Mapping[str, Split] = {"train": "train", "restval": "train", "val": "val", "test": "test"}
_KARPATHY_FILES = ("dataset_coco.json", "dataset_flickr30k.json", "dataset_flickr8k.json", "karpathy_coco_split.json")
_KARPATHY_NAMES = {"coco": "MSCOCO", "flickr30k": "Flickr30k", "flickr8k": "Flickr8k"}


def read_coco(path: Path, *, pictures: Path | None = None, skip_bad: bool = False) -> CaptionedSet:
    """Read ``captions_val2014.json`` or its kin, or all of one year in a folder.

    Pictures and captions have the file's ids; the part of the split is what the file's name says.

    Args:
        path: a JSON file, or a folder that holds several, itself or in ``annotations``.
        skip_bad: leave out pictures without captions, captions of other pictures, and empty ones.

    Raises:
        DatasetError: see `assembled` and `read_json_object`; or a folder has captions of several years, or none.
    """
    require_file(path, "MSCOCO's captions, such as captions_val2014.json or the folder annotations,", COCO_SOURCE)
    images: list[ImageEntry] = []
    captions: list[Caption] = []
    for file in _coco_files(path):
        content = read_json_object(file, "images", "annotations")
        match = _COCO_NAME.match(file.name)
        split = _PARTS[match[1].lower()] if match else ""
        for place, entry in enumerate(content["images"]):
            where = f"{file}, image {place}"
            name = text_of(entry, "file_name", where)
            images.append(ImageEntry(str(value_of(entry, "id", where)), name, split=split))
        for place, entry in enumerate(content["annotations"]):
            where = f"{file}, annotation {place}"
            image_id = str(value_of(entry, "image_id", where))
            captions.append(Caption(str(value_of(entry, "id", where)), image_id, text_of(entry, "caption", where)))
    found = CaptionedSet("MSCOCO", COCO_SOURCE, tuple(images), tuple(captions))
    return assembled(found, path if path.is_dir() else path.parent, pictures, skip_bad=skip_bad)


def read_karpathy(
    path: Path, *, pictures: Path | None = None, source: str = KARPATHY_SOURCE, skip_bad: bool = False
) -> CaptionedSet:
    """Read ``dataset_coco.json``, ``dataset_flickr30k.json`` or ``dataset_flickr8k.json``.

    A picture's id is its id in COCO, or the name of its file without the suffix; captions have the file's sentence
    ids. ``restval``, the part of COCO's validation pictures that is used for training, is read as ``train``.

    Args:
        path: the JSON file, or a folder that holds one under its published name.
        pictures: the folder that holds the pictures, such as ``val2014/COCO_val2014_000000391895.jpg``; the JSON
            file's folder without.
        skip_bad: leave out pictures without captions and empty captions.
    """
    require_file(path, "Karpathy's JSON file, such as dataset_coco.json,", source)
    file = published_file(path, _KARPATHY_FILES, source, alone=True)
    content = read_json_object(file, "images")
    images, captions, rest = [], [], 0
    for place, entry in enumerate(content["images"]):
        image = _image(entry, f"{file}, image {place}")
        images.append(image)
        captions += _sentences(entry, image.id, f"{file}, image {place}")
        rest += entry.get("split") == "restval"
    name = _KARPATHY_NAMES.get(str(content.get("dataset", "")), file.stem)
    remarks = (f"{counted(rest, 'picture')} of the part restval read as train",) if rest else ()
    found = CaptionedSet(f"{name} (Karpathy split)", source, tuple(images), tuple(captions), remarks=remarks)
    return assembled(found, file.parent, pictures, skip_bad=skip_bad)


def _coco_files(path: Path) -> Sequence[Path]:
    if path.is_file():
        return [path]
    folders = (path, path / "annotations")
    found = sorted(file for folder in folders for file in folder.glob("captions_*.json") if file.is_file())
    years = sorted({match[2] for file in found if (match := _COCO_NAME.match(file.name))})
    if not found:
        raise DatasetError(f"{path} holds no captions_*.json; name the file, or get it from {COCO_SOURCE}")
    if len(years) > 1:
        raise DatasetError(
            f"{path} holds captions of {' and '.join(years)}, which share pictures; name one file, or put each year "
            f"into a folder"
        )
    return found


def _image(entry: Mapping[str, Any], where: str) -> ImageEntry:
    name = text_of(entry, "filename", where)
    split = value_of(entry, "split", where)
    if split not in _PARTS:
        raise DatasetError(f"{where} has split {split!r}; it must be one of {', '.join(_PARTS)}")
    folder = entry.get("filepath", "")
    file = f"{folder}/{name}" if isinstance(folder, str) and folder else name
    return ImageEntry(str(entry.get("cocoid", PurePosixPath(name).stem)), file, split=_PARTS[split])


def _sentences(entry: Mapping[str, Any], image_id: str, where: str) -> list[Caption]:
    sentences = value_of(entry, "sentences", where)
    if not isinstance(sentences, list) or not all(isinstance(sentence, dict) for sentence in sentences):
        raise DatasetError(f"{where} has sentences that are no list of objects; get the file anew")
    return [
        Caption(str(value_of(sentence, "sentid", where)), image_id, text_of(sentence, "raw", where))
        for sentence in sentences
    ]
