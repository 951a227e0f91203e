"""How each encoder comes to be for a collection: what it is fitted on, what it needs, how it is read back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.catalog.pictures import open_picture
from vernissage.encoders.contract import Encoder, EncoderState, ImageEncoder, TextEncoder
from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.progress import Progress
from vernissage.search.vectors import VectorTable
from vernissage.values import Modality, Vectors

if TYPE_CHECKING:
    from vernissage.encoders.fitted.aligned import Aligned
    from vernissage.encoders.fitted.colour_texture import ColourTexture
    from vernissage.encoders.fitted.lda import LDA
    from vernissage.encoders.fitted.lsa import LSA
    from vernissage.encoders.fitted.tfidf import TFIDF

# Encoders are imported when one is used: a workspace that is only searched or recommended from needs none of them, and
# the libraries that they are fitted with take longer to load than all the rest.

DECODED_SIDE = 768
"""Large JPEGs are decoded no smaller than this many pixels a side, for encoders that do not say what they look at."""

TableKey = tuple[str, Modality]
Tables = Mapping[TableKey, VectorTable]


@dataclass(frozen=True)
class Fitting:
    """What a fit may draw on: the works, the settings, and the encoders and vectors made before it.

    With ``draft`` large JPEGs are decoded at a fraction of their size.
    """

    collection: Collection
    seed: int
    topics: int | None
    encoders: Mapping[str, Encoder]
    tables: Tables
    progress: Progress
    draft: bool = True


@dataclass(frozen=True)
class Recipe:
    """How one encoder is made for a collection.

    Attributes:
        modalities: what of the works it reads.
        needs: encoders that must be there before; its vectors are made from theirs.
        fit: makes the encoder.
        restore: makes it from its saved state and the encoders that it needs.
        derive: for encoders with ``needs``, the vectors of one modality from the tables that are there.
        illustrate: writes pictures about the fitted model into its folder.
        pretrained: whether it is loaded, not fitted; such models take many pictures at once, not few on each core.
        on_request: whether it is made only where it is named, not in a build that names no encoders.
    """

    name: str
    modalities: tuple[Modality, ...]
    fit: Callable[[Fitting], Any]
    restore: Callable[[EncoderState, Mapping[str, Encoder]], Any]
    needs: tuple[str, ...] = ()
    derive: Callable[[Any, Modality, Tables], tuple[VectorTable, Vectors]] | None = None
    illustrate: Callable[[Any, Path], None] | None = None
    pretrained: bool = False
    on_request: bool = False


def content_of(item: Item, modality: Modality, *, draft: bool = True) -> str:
    """The digest of what an encoder of that modality reads of a work; empty where there is nothing to read.

    A picture that is always decoded whole counts as another content, since an encoder sees other pixels.
    """
    if modality == "text":
        return item.text_digest
    if draft or not item.picture_digest:
        return item.picture_digest
    return digest(b"decoded whole", item.picture_digest.encode())


def decoded_side(encoder: Encoder) -> int:
    """How many pixels a side a large JPEG keeps at least when decoded: twice the encoder's input (above 50 dB)."""
    preprocessing = getattr(encoder, "preprocessing", None)
    side = getattr(preprocessing, "shorter_side", None) or getattr(preprocessing, "size", None)
    return 2 * int(side) if side else DECODED_SIDE


def picture_opener(collection: Collection, item: Item, at_least: int | None = DECODED_SIDE) -> Callable[[], Any]:
    """A function that opens the work's picture for encoders; None decodes it whole."""
    path = collection.picture_path(item)
    if path is None:
        raise EncoderError(f"work {item.id} has no picture to encode; encode its text instead")
    return partial(open_picture, path, at_least=at_least)


def _fit_lda(fitting: Fitting) -> "LDA":
    from vernissage.encoders.fitted.lda import fit_lda

    texts = [item.text for item in fitting.collection]
    return fit_lda(texts, topics=fitting.topics, seed=fitting.seed, progress=fitting.progress)


def _restore_lda(state: EncoderState, _: Mapping[str, Encoder]) -> "LDA":
    from vernissage.encoders.fitted.lda import LDA

    return LDA.from_state(state)


def _fit_lsa(fitting: Fitting) -> "LSA":
    from vernissage.encoders.fitted.lsa import fit_lsa

    return fit_lsa([item.text for item in fitting.collection], seed=fitting.seed, progress=fitting.progress)


def _restore_lsa(state: EncoderState, _: Mapping[str, Encoder]) -> "LSA":
    from vernissage.encoders.fitted.lsa import LSA

    return LSA.from_state(state)


def _fit_tfidf(fitting: Fitting) -> "TFIDF":
    from vernissage.encoders.fitted.tfidf import fit_tfidf

    return fit_tfidf([item.text for item in fitting.collection], progress=fitting.progress)


def _restore_tfidf(state: EncoderState, _: Mapping[str, Encoder]) -> "TFIDF":
    from vernissage.encoders.fitted.tfidf import TFIDF

    return TFIDF.from_state(state)


def _fit_colour_texture(fitting: Fitting) -> "ColourTexture":
    from vernissage.encoders.fitted.colour_texture import fit_colour_texture

    side = DECODED_SIDE if fitting.draft else None
    pictures = [picture_opener(fitting.collection, item, side) for item in fitting.collection if item.picture]
    return fit_colour_texture(pictures, seed=fitting.seed, progress=fitting.progress)


def _restore_colour_texture(state: EncoderState, _: Mapping[str, Encoder]) -> "ColourTexture":
    from vernissage.encoders.fitted.colour_texture import ColourTexture

    return ColourTexture.from_state(state)


_ALIGNED_IMAGE, _ALIGNED_TEXT = "colour-texture", "lsa"


def _fit_aligned(fitting: Fitting) -> "Aligned":
    from vernissage.encoders.fitted.aligned import fit_aligned

    pictures, texts = fitting.tables[_ALIGNED_IMAGE, "image"], fitting.tables[_ALIGNED_TEXT, "text"]
    pairs = [item_id for item_id in pictures.item_ids if item_id in texts.row_of]
    image_encoder, text_encoder = _base_encoders(fitting.encoders)
    return fit_aligned(
        pictures.vectors[pictures.rows(pairs)],
        texts.vectors[texts.rows(pairs)],
        image_encoder,
        text_encoder,
        seed=fitting.seed,
        progress=fitting.progress,
    )


def _restore_aligned(state: EncoderState, encoders: Mapping[str, Encoder]) -> "Aligned":
    from vernissage.encoders.fitted.aligned import Aligned

    return Aligned.from_state(state, *_base_encoders(encoders))


def _base_encoders(encoders: Mapping[str, Encoder]) -> tuple[ImageEncoder, TextEncoder]:
    image_encoder, text_encoder = encoders[_ALIGNED_IMAGE], encoders[_ALIGNED_TEXT]
    if not isinstance(image_encoder, ImageEncoder) or not isinstance(text_encoder, TextEncoder):
        raise EncoderError(f"aligned needs {_ALIGNED_IMAGE} for pictures and {_ALIGNED_TEXT} for texts")
    return image_encoder, text_encoder


def _derive_aligned(aligned: "Aligned", modality: Modality, tables: Tables) -> tuple[VectorTable, Vectors]:
    if modality == "image":
        base = tables[_ALIGNED_IMAGE, "image"]
        return base, aligned.project_images(base.vectors)
    base = tables[_ALIGNED_TEXT, "text"]
    return base, aligned.project_texts(base.vectors)


def _draw_coherence(lda: "LDA", folder: Path) -> None:
    if len(lda.coherence) > 1:
        from vernissage.encoders.fitted.coherence_curve import save_coherence_curve

        save_coherence_curve(lda, folder / "coherence.png")


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            Recipe("lda", ("text",), _fit_lda, _restore_lda, illustrate=_draw_coherence),
            Recipe("lsa", ("text",), _fit_lsa, _restore_lsa),
            Recipe("tfidf", ("text",), _fit_tfidf, _restore_tfidf, on_request=True),
            Recipe("colour-texture", ("image",), _fit_colour_texture, _restore_colour_texture),
            Recipe(
                "aligned",
                ("image", "text"),
                _fit_aligned,
                _restore_aligned,
                needs=(_ALIGNED_IMAGE, _ALIGNED_TEXT),
                derive=_derive_aligned,
            ),
        )
    }
)
"""The encoders that a workspace can fit, in the order in which they are made."""
