"""What every tagger promises."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

from PIL import Image

from vernissage.sentences import Sentence

Tags = tuple[str, ...]
"""The tags of one work: lower case, each once, in the order in which they were found."""

Clip = Sequence[Image.Image]
"""The frames of one video, in their order."""

Seen = Callable[[Iterable[str]], Mapping[str, Tags]]
"""From ids of works to what their pictures seem to show; works of which nothing is known may be missing."""

EXPLAINED = Sentence(
    "what is marked “by software” was named by software from what the pictures seem to show; it may be wrong"
)


@runtime_checkable
class Tagger(Protocol):
    """What all taggers have: a name, a fingerprint, and a sentence that says how they work.

    The fingerprint stands for lexicon or weights, rules and settings together: two taggers with one name and
    fingerprint find the same tags in the same work.
    """

    @property
    def name(self) -> str: ...

    @property
    def fingerprint(self) -> str: ...

    @property
    def method(self) -> str:
        """How tags are found, by which lexicon or model: one line for people, written beside the tags."""
        ...


@runtime_checkable
class TextTagger(Tagger, Protocol):
    """A tagger that reads texts."""

    def tag_texts(self, texts: Sequence[str]) -> list[Tags]:
        """The tags of each text; of one text alone, whatever others are in the call."""
        ...


@runtime_checkable
class ImageTagger(Tagger, Protocol):
    """A tagger that reads pictures."""

    @property
    def size(self) -> int:
        """Pixels a side of what the model looks at."""
        ...

    def tag_images(self, images: Sequence[Image.Image]) -> list[Tags]:
        """The tags of each RGB picture; of one picture alone, whatever others are in the call."""
        ...


@runtime_checkable
class ClipTagger(Tagger, Protocol):
    """A tagger that reads several frames of a video together; a picture is a clip of equal frames."""

    @property
    def frames(self) -> int:
        """How many frames it reads, at equal distances."""
        ...

    @property
    def size(self) -> int:
        """Pixels a side of what the model looks at."""
        ...

    def tag_clips(self, clips: Sequence[Clip]) -> list[Tags]:
        """The tags of each clip of RGB frames; of one clip alone, whatever others are in the call."""
        ...


def tagger_key(tagger: Tagger) -> str:
    """What stands for a tagger and all its settings where tags are stored."""
    return f"{tagger.name}-{tagger.fingerprint}"


def once(tags: Iterable[str]) -> Tags:
    """The tags in their order, each where it stands first."""
    return tuple(dict.fromkeys(tags))


def marked(words: str, by_software: str) -> str:
    """Words for people, with a mark where software made them."""
    return Sentence("{words} (by software)", words=words) if by_software else words
