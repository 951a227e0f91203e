"""Flickr30k and Flickr8k as they are handed on: token files, tables with a header, and Karpathy's JSON.

Young et al., From image descriptions to visual denotations, TACL 2014 (Flickr30k); Hodosh, Young & Hockenmaier,
Framing image description as a ranking task, JAIR 2013 (Flickr8k).
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from vernissage_lab.datasets.captioned import Caption, CaptionedSet, DatasetError, ImageEntry, Split
from vernissage_lab.datasets.coco import read_karpathy
from vernissage_lab.datasets.reading import (
    KNOWN,
    assembled,
    cell_of,
    published_file,
    read_rows,
    read_text,
    require_file,
)

_TOKEN = re.compile(r"^([^\t#]+)#(\d+)\t(.*)$")
_NUMBER_AND_TEXT = re.compile(r"^(\d+) (.+)$")
_SPLIT_FILES: dict[str, Split] = {
    "Flickr_8k.trainImages.txt": "train",
    "Flickr_8k.devImages.txt": "val",
    "Flickr_8k.testImages.txt": "test",
    "train.txt": "train",
    "val.txt": "val",
    "test.txt": "test",
}


@dataclass(frozen=True)
class Flickr:
    """One of the two sets: its name, official source, and what its files are called, the likeliest first."""

    name: str
    source: str
    files: tuple[str, ...]


FLICKR30K = Flickr(
    "Flickr30k",
    KNOWN["flickr30k"]["source"],
    ("dataset_flickr30k.json", "results_20130124.token", "results.csv", "captions.txt"),
)
FLICKR8K = Flickr(
    "Flickr8k", KNOWN["flickr8k"]["source"], ("dataset_flickr8k.json", "Flickr8k.token.txt", "captions.txt")
)


def read_flickr(path: Path, which: Flickr, *, pictures: Path | None = None, skip_bad: bool = False) -> CaptionedSet:
    """Read Flickr30k or Flickr8k in any of its forms.

    A picture's id is its file's name without the suffix, a caption's is that with ``#`` and its number, so that all
    forms of one set agree. Lists of file names beside the file (``Flickr_8k.trainImages.txt``, ``train.txt`` …) say
    which part of the split a picture belongs to.

    Args:
        path: a token file (``1000092795.jpg#0``, tab, caption), a table with the columns image_name (or image),
            comment_number (may be missing) and comment (or caption), Karpathy's JSON, or a folder with one of them.
        skip_bad: leave out empty captions.

    Raises:
        DatasetError: see `assembled`; a column is missing, or a line is none of a token file.
    """
    require_file(path, f"a file of {which.name}, such as {which.files[1]},", which.source)
    file = published_file(path, which.files, which.source)
    if file.suffix.lower() == ".json":
        found = read_karpathy(file, pictures=pictures, source=which.source, skip_bad=skip_bad)
        return replace(found, name=f"{which.name} (Karpathy split)")
    remarks: list[str] = []
    with file.open("rb") as opened:
        start = opened.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
    captions = list(_tokens(file) if _TOKEN.match(start) else _rows(file, remarks))
    names = dict.fromkeys(name for name, _ in captions)
    splits = _splits(file.parent)
    images = tuple(ImageEntry(_stem(name), name, split=splits.get(_stem(name), "")) for name in names)
    texts = tuple(caption for _, caption in captions)
    found = CaptionedSet(which.name, which.source, images, texts, remarks=tuple(remarks))
    return assembled(found, file.parent, pictures, skip_bad=skip_bad)


def _tokens(file: Path) -> Iterator[tuple[str, Caption]]:
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        match = _TOKEN.match(line.rstrip("\r"))
        if match is None:
            raise DatasetError(
                f"{file}, line {number} is not IMAGE#NUMBER, tab, caption, but {line[:60]!r}; get the file anew"
            )
        name = match[1].strip()
        yield name, Caption(f"{_stem(name)}#{match[2]}", _stem(name), " ".join(match[3].split()))


def _rows(file: Path, remarks: list[str]) -> Iterator[tuple[str, Caption]]:
    rows = read_rows(file)
    image = rows.required("the picture's file", "image_name", "image", "filename", "file_name", "file")
    text = rows.required("the caption", "comment", "caption", "sentence", "text")
    counted = rows.place("comment_number", "caption_number", "number")
    met: Counter[str] = Counter()
    for line, cells in rows:
        name = cell_of(cells, image)
        if not name:
            raise DatasetError(f"{file}, line {line} has no {rows.header[image]}; write the picture's file there")
        number, comment = cell_of(cells, counted), cell_of(cells, text)
        if not comment and (joined := _NUMBER_AND_TEXT.match(number)):  # as one row of Flickr30k is handed on
            number, comment = joined[1], joined[2]
            remarks.append(f"line {line} lacks a separator between number and caption, and was read as if it had one")
        yield name, Caption(f"{_stem(name)}#{number or met[name]}", _stem(name), comment)
        met[name] += 1


def _splits(folder: Path) -> dict[str, Split]:
    found: dict[str, Split] = {}
    for name, split in _SPLIT_FILES.items():
        if (folder / name).is_file():
            found |= dict.fromkeys((_stem(line) for line in read_text(folder / name).split()), split)
    return found


def _stem(name: str) -> str:
    """A file's name without the suffix of a picture: names of Flickr8k end in .jpg, one in .jpg.1."""
    return re.sub(r"\.(?:jpe?g|png)$", "", name.strip(), flags=re.IGNORECASE)
