"""One caption for each picture, drawn once."""

from dataclasses import replace

from vernissage.files import digest
from vernissage_lab.datasets.captioned import Caption, CaptionedSet


def one_caption_each(found: CaptionedSet, *, seed: int = 0) -> CaptionedSet:
    """The set with one of each picture's captions, drawn at random; what is drawn for a picture hangs on it alone.

    Drawn by a digest of seed and caption id, so that no version of a library changes what is drawn.
    """
    drawn = [min(captions, key=lambda caption: _lot(caption, seed)) for captions in found.captions_of.values()]
    kept = {caption.id for caption in drawn}
    tags = {caption_id: tags for caption_id, tags in found.text_tags.items() if caption_id in kept}
    return replace(found, captions=tuple(drawn), text_tags=tags)


def _lot(caption: Caption, seed: int) -> tuple[str, str]:
    return digest(str(seed).encode(), caption.id.encode()), caption.id
