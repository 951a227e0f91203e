"""Texts as the mean of their tokens' vectors, which a package brings."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vernissage.encoders.fitted.centred_texts import CentredTexts
from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.runtime.packages import PackagedFile, mapped_tensor

_EXTRA = "pretrained"
# The package's own loader looks for the tokenizer where the wheel has none, and then downloads it.
_TOKENIZER = PackagedFile(
    "wordllama",
    "wordllama",
    "tokenizers/l2_supercat_tokenizer_config.json",
    "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
)
_BLOCK = 1024
_BLANK = "▁"


class TokenVectors:
    """The vectors of 32,000 tokens (parts of words, in upper and lower case), and what cuts texts into them."""

    def __init__(self) -> None:
        """Read both from the package.

        Raises:
            EncoderError: the packages wordllama or tokenizers are not installed, or bring other files.
        """
        self._rows = mapped_tensor(WordLlama.weights.locate("wordllama", _EXTRA), "embedding.weight")
        self._tokenizer: Any = import_extra("tokenizers", _EXTRA).Tokenizer.from_file(
            str(_TOKENIZER.locate("wordllama", _EXTRA))
        )
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # Of letters that it has no token for it makes one token a byte, whose rows say nothing; so do blanks.
        vocabulary = self._tokenizer.get_vocab()
        self._says = np.zeros(len(self._rows), dtype=bool)
        self._says[[number for token, number in vocabulary.items() if token.strip(_BLANK) and token[0] != "<"]] = True

    def vectors_of(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
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


class WordLlama(CentredTexts):
    """Token vectors of WordLlama, averaged and centred.

    They were trained to compare texts by their mean, from the token embeddings of large language models (Miller 2024,
    https://github.com/dleemiller/WordLlama). Word order counts for nothing.
    """

    name = "wordllama"
    weights = PackagedFile(
        "wordllama",
        "wordllama",
        "weights/l2_supercat_256.safetensors",
        "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    )

    @classmethod
    def open_reader(cls) -> TokenVectors:
        return TokenVectors()
