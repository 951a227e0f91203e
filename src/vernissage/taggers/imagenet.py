"""What pictures show, as classes of ImageNet that a network of photographs is sure of, and not of everything here.

On drawings and paintings such a network sees "envelope" or "book jacket" everywhere. So a class counts when its
probability is above 0.3, and above 30 times its mean in the collection, and never when it names a kind of picture: a
painting in many small strokes passes for a jigsaw puzzle. How often that is right: docs/tags.md.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image

from vernissage.encoders.fitted.words import content_words
from vernissage.encoders.towers.efficientnet_lite import CLASSES, EfficientNetLite, Outputs, class_names
from vernissage.errors import EncoderError
from vernissage.files import array_bytes, digest
from vernissage.taggers.contract import Tags
from vernissage.values import Vectors

ABOVE = 0.3
TIMES_USUAL = 30.0
_PICTURES = ("book jacket", "comic book", "crossword puzzle", "envelope", "jigsaw puzzle", "menu", "website")
_BLOCK = 1024


def classes_named(query: str) -> list[int]:
    """The classes of which all words stand in an English query; if none, those whose name ends in its only word.

    So "bear" names the brown bear, and "a cat on a sofa" no sofa bed.
    """
    words = content_words(query)
    whole = [place for place, name in enumerate(_words_of_names()) if name and set(words).issuperset(name)]
    return whole or [place for place, name in enumerate(_words_of_names()) if len(words) == 1 and name[-1:] == words]


@cache
def _words_of_names() -> list[list[str]]:
    return [content_words(name.partition(" (")[0]) for name in class_names()]


class ImagenetTagger:
    """Classes by their probability in a picture, and in the pictures of a collection."""

    name = "imagenet"

    def __init__(self, network: EfficientNetLite, usual: Vectors | None = None, above: float = ABOVE) -> None:
        """Compare with the mean probability of each class in a collection, float32 (1000,); with none where not given.

        Raises:
            EncoderError: ``above`` is no probability.
        """
        if not 0 <= above < 1:
            raise EncoderError(f"probabilities lie from 0 to 1, but {above:g} was given; {ABOVE} is usual")
        self.network, self.above, self.compares = network, above, usual is not None
        self._least = np.maximum(0 if usual is None else usual * TIMES_USUAL, np.full(CLASSES, above, np.float32))
        self._least[[class_names().index(name) for name in _PICTURES]] = 1

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits over the network and the least probability of every class."""
        return digest(self.network.fingerprint.encode(), array_bytes(self._least))[:16]

    @property
    def method(self) -> str:
        """What counts as seen, and by which network."""
        usual = f" and {TIMES_USUAL:g} times its mean in the collection" if self.compares else ""
        return (
            f"classes of ImageNet with a probability above {self.above:g}{usual}, by {self.network.variant.name} "
            f"(made by a machine, and often wrong on paintings)"
        )

    @property
    def size(self) -> int:
        """Pixels a side of what the network looks at."""
        return self.network.preprocessing.size

    def tag_images(self, images: Sequence[Image.Image]) -> list[Tags]:
        """The names of the classes in each picture, the surest first."""
        return self.tags_of_outputs(self.network.encode_images(images))

    def surest(self, rows: Vectors, classes: Sequence[int]) -> list[tuple[int, str, float]]:
        """Which rows of the network's outputs show one of some classes, the most probable of them, and how probable."""
        seen = rows[:, -CLASSES:]
        shares = seen[:, classes] / seen.sum(axis=1, keepdims=True)
        shares[shares <= self._least[classes]] = 0
        best, there = shares.argmax(axis=1), np.flatnonzero(shares.any(axis=1)).tolist()
        return [(row, class_names()[classes[best[row]]], float(shares[row, best[row]])) for row in there]

    def tags_of_outputs(self, rows: Vectors) -> list[Tags]:
        """The same from rows of the network's outputs."""
        names, tags = class_names(), [[] for _ in rows]  # type: tuple[Sequence[str], list[list[str]]]
        for start in range(0, len(rows), _BLOCK):
            found = Outputs.of_rows(rows[start : start + _BLOCK]).probabilities
            works, classes = np.nonzero(found > self._least)
            for place in np.lexsort((classes, -found[works, classes])).tolist():
                tags[start + int(works[place])].append(names[classes[place]])
        return list(map(tuple, tags))
