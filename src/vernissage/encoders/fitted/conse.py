"""One space for pictures and texts that needs no pairs: what a network of photographs sees, as the words for it.

A convex combination of semantic embeddings (ConSE: Norouzi et al. 2014, arXiv 1312.5650).
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import sparse

from vernissage.encoders.contract import (
    Encoder,
    EncoderState,
    FittedEncoder,
    ImageEncoder,
    Material,
    TextEncoder,
    unit_rows,
)
from vernissage.encoders.towers.efficientnet_lite import Outputs, class_names
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.values import ENCODED, Modality, Vectors

MOST_CLASSES = 10
_BLOCK = 1024


class Conse(FittedEncoder):
    """A picture is unit(Σ p_c w_c) over its ten most probable classes, a text its words' vector.

    p_c is the probability of class c by the network, w_c the vector of the class's name by the encoder of texts, which
    is centred on the collection's texts. The inner product of two vectors is a cosine. Array: ``classes`` float32
    (1000, dim), the w_c.
    """

    name = "conse"
    modalities = frozenset(ENCODED)

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._network, self._words = _bases(bases)
        self._classes = state.arrays["classes"]
        given = {"network": self._network.fingerprint, "words": self._words.fingerprint}
        if dict(state.settings) != given or self._classes.shape != (len(class_names()), self._words.dim):
            raise ProvenanceError(
                f"conse was fitted with {dict(state.settings)}, but was given {given}; run `vernissage build` again to "
                f"fit both together"
            )

    @property
    def dim(self) -> int:
        return self._words.dim

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Encode pictures: float32 (n, dim), unit rows."""
        return self.of_outputs(self._network.encode_images(images))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Encode texts: float32 (n, dim), unit rows; zeros where no word is known."""
        return self._words.encode_texts(texts)

    def of_outputs(self, rows: Vectors) -> Vectors:
        """The vectors of pictures from rows of the network's outputs; each by itself, see `sparse`."""
        found = np.zeros((len(rows), self.dim), dtype=np.float32)
        for start in range(0, len(rows), _BLOCK):
            seen = Outputs.of_rows(rows[start : start + _BLOCK]).probabilities
            best = np.argsort(-seen, axis=1, kind="stable")[:, :MOST_CLASSES]
            shares, ends = np.take_along_axis(seen, best, axis=1).ravel(), np.arange(0, best.size + 1, MOST_CLASSES)
            chosen = sparse.csr_matrix((shares, best.ravel(), ends), seen.shape, dtype=np.float64)
            found[start : start + _BLOCK] = unit_rows(chosen @ self._classes)
        return found


def fit(material: Material) -> Conse:
    """Look up the words for the classes, as the collection's texts centre them."""
    network, words = _bases(material.bases)
    settings = {"network": network.fingerprint, "words": words.fingerprint}
    return Conse(EncoderState(Conse.name, settings, {"classes": words.encode_texts(class_names())}), network, words)


def derive(conse: Conse, modality: Modality, vectors: Vectors) -> Vectors:
    """From the network's outputs for pictures, or the words' vectors for texts, which stay as they are."""
    return conse.of_outputs(vectors) if modality == "image" else vectors


def _bases(bases: Sequence[Encoder]) -> tuple[ImageEncoder, TextEncoder]:
    network, words = bases
    if not isinstance(network, ImageEncoder) or not isinstance(words, TextEncoder):
        raise EncoderError("conse needs a network of pictures and an encoder of texts, in this order")
    return network, words
