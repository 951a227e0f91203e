"""Texts as the mean of their tokens' vectors, which a package brings, without what all texts of a collection share."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from vernissage.encoders.centring import mean_of_units, without_mean
from vernissage.encoders.contract import Encoder, EncoderState, FittedEncoder, Material
from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.runtime.packages import PackagedFile, mapped_tensor
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.progress import Progress, silent
from vernissage.values import Modality, Vectors

EXTRA = "pretrained"
# The package's own loader looks for the tokenizer where the wheel has none, and then downloads it.
WEIGHTS = PackagedFile(
    "wordllama",
    "wordllama",
    "weights/l2_supercat_256.safetensors",
    "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
)
TOKENIZER = PackagedFile(
    "wordllama",
    "wordllama",
    "tokenizers/l2_supercat_tokenizer_config.json",
    "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)

_BLOCK = 1024
_MOST_TEXTS = 20_000
_BLANK = "▁"


class WordLlama(FittedEncoder):
    """Token vectors of WordLlama, averaged and centred; the inner product of two vectors is a cosine.

    x' = unit(unit(x) − m), x the mean of the rows of a text's tokens and m the mean of unit(x) over the collection. The
    rows were trained to compare texts by their mean, from the token embeddings of large language models (Miller 2024,
    https://github.com/dleemiller/WordLlama). Word order counts for nothing. Array: ``mean`` float64 (256,).
    """

    name = "wordllama"
    modalities: ClassVar[frozenset[Modality]] = frozenset({"text"})

    def __init__(self, state: EncoderState, *bases: Encoder) -> None:
        super().__init__(state)
        self._mean = state.arrays["mean"]
        if state.settings["weights"] != WEIGHTS.sha256 or self._mean.ndim != 1:
            raise ProvenanceError(
                "the saved wordllama model was made with other weights than this version reads; run `vernissage build "
                "--refit`"
            )

    @property
    def dim(self) -> int:
        return len(self._mean)

    @cached_property
    def _tokens(self) -> "TokenVectors":
        return TokenVectors()

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of ``texts``: float32 (n, 256), zeros where no token is known."""
        return without_mean(self._tokens.means(texts), self._mean)


class TokenVectors:
    """The vectors of 32,000 tokens (parts of words, in upper and lower case), and what cuts texts into them."""

    def __init__(self) -> None:
        """Read both from the package.

        Raises:
            EncoderError: the packages wordllama or tokenizers are not installed, or bring other files.
        """
        self._rows = mapped_tensor(WEIGHTS.locate("wordllama", EXTRA), "embedding.weight")
        self._tokenizer: Any = import_extra("tokenizers", EXTRA).Tokenizer.from_file(
            str(TOKENIZER.locate("wordllama", EXTRA))
        )
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # Of letters that it has no token for it makes one token a byte, whose rows say nothing; so do blanks.
        vocabulary = self._tokenizer.get_vocab()
        self._says = np.zeros(len(self._rows), dtype=bool)
        self._says[[number for token, number in vocabulary.items() if token.strip(_BLANK) and token[0] != "<"]] = True

    def means(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The mean of the rows of each text's tokens: float64 (n, 256), zeros where none of them is of letters."""
        found = np.zeros((len(texts), self._rows.shape[1]))
        for row, tokens in enumerate(self._token_ids(texts)):
            if self._says[tokens].any():
                self._rows[tokens].mean(axis=0, dtype=np.float64, out=found[row])
        return found

    def _token_ids(self, texts: Sequence[str]) -> Iterator[list[int]]:
        for start in range(0, len(texts), _BLOCK):
            block = list(texts[start : start + _BLOCK])
            for encoded in self._tokenizer.encode_batch_fast(block, add_special_tokens=False):
                yield encoded.ids


def fit(material: Material) -> WordLlama:
    """Fit on the texts of a collection."""
    return fit_wordllama(material.texts(), progress=material.progress)


def fit_wordllama(texts: Sequence[str], *, progress: Progress = silent) -> WordLlama:
    """Take the mean of the texts' vectors; of more than 20,000 texts, of every second, third … one.

    Raises:
        EncoderError: fewer than two texts have a known token, or the package is missing or damaged.
    """
    some = texts[:: 1 + len(texts) // _MOST_TEXTS]
    progress("averaging texts", 0, 1)
    tokens = TokenVectors()
    rows = tokens.means(some)
    known = int(rows.any(axis=1).sum())
    if known < 2:
        raise EncoderError(
            f"{known} of {len(texts)} texts have words that wordllama knows, and centring needs at least 2; add "
            f"texts, or use colour-texture for the pictures alone"
        )
    progress("averaging texts", 1, 1)
    fitted = WordLlama(EncoderState(WordLlama.name, {"weights": WEIGHTS.sha256}, {"mean": mean_of_units(rows)}))
    fitted.__dict__["_tokens"] = tokens  # read once, not again for the first text
    return fitted
