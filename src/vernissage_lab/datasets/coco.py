"""MSCOCO's official captions: JSON files of annotations and images.

Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; captions: Chen et al., arXiv 1504.00325.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Split
from vernissage_lab.datasets.checking import checked
from vernissage_lab.datasets.files import read_json_object, require_file, text_of, value_of
from vernissage_lab.datasets.picture_files import located

SOURCE = (
    "https://cocodataset.org/#download (annotations_trainval2014.zip or 2017: captions CC BY 4.0; pictures under "
    "Flickr's terms)"
)

_NAME = re.compile(r"captions_(train|val|test)(\d{4})", re.IGNORECASE)


def read_coco(
    path: Path, *, pictures: Path | None = None, source: str = SOURCE, skip_bad: bool = False
) -> CaptionedSet:
    """Read ``captions_val2014.json`` or its kin, or all of one year in a folder.

    Pictures and captions have the file's ids; the part of the split is what the file's name says.

    Args:
        path: a JSON file, or a folder that holds several, itself or in ``annotations``.
        pictures: the folder below which the pictures lie; that of ``path`` without.
        source: where this set comes from.
        skip_bad: leave out pictures without captions, captions of other pictures, and empty ones.

    Raises:
        DatasetError: see `checked` and `read_json_object`; or a folder has captions of several years, or none.
    """
    require_file(path, "MSCOCO's captions, such as captions_val2014.json or the folder annotations,", source)
    images: list[ImageEntry] = []
    captions: list[Caption] = []
    for file in _files(path, source):
        content = read_json_object(file, "images", "annotations")
        split = _split(file)
        for place, entry in enumerate(content["images"]):
            where = f"{file}, image {place}"
            images.append(
                ImageEntry(str(value_of(entry, "id", where)), text_of(entry, "file_name", where), split=split)
            )
        for place, entry in enumerate(content["annotations"]):
            where = f"{file}, annotation {place}"
            image_id = str(value_of(entry, "image_id", where))
            captions.append(Caption(str(value_of(entry, "id", where)), image_id, text_of(entry, "caption", where)))
    root = pictures or (path if path.is_dir() else path.parent)
    found = located(images, root, required=pictures is not None)
    return checked(CaptionedSet("MSCOCO", source, found, tuple(captions)), skip_bad=skip_bad)


def _files(path: Path, source: str) -> Sequence[Path]:
    if path.is_file():
        return [path]
    folders = (path, path / "annotations")
    found = sorted(file for folder in folders for file in folder.glob("captions_*.json") if file.is_file())
    years = sorted({match[2] for file in found if (match := _NAME.match(file.name))})
    if not found:
        raise DatasetError(f"{path} holds no captions_*.json; name the file, or get it from {source}")
    if len(years) > 1:
        raise DatasetError(
            f"{path} holds captions of {' and '.join(years)}, which share pictures; name one file, or put each year "
            f"into a folder"
        )
    return found


def _split(file: Path) -> Split:
    match = _NAME.match(file.name)
    word = match[1].lower() if match else ""
    return "train" if word == "train" else "val" if word == "val" else "test" if word == "test" else ""
