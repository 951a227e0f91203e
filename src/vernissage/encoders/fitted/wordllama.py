"""Texts as the mean of their tokens' vectors, which a package brings."""

import re
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
_LETTERS = r"\u0370-\u03ff\u0530-\u1dff\u1f00-\u1fff"
"""Greek, and Armenian to Mongolian: scripts of which it has single letters, and of Arabic the article."""

_BARE = re.compile(f"[{_LETTERS}]+")
_SAYS = re.compile(rf"(?:(?![{_LETTERS}])[^\W\d_]){{2}}|[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
"""Parts of words, and signs of scripts that write words or syllables by one sign."""


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
        # Bytes of letters without a token, single letters, digits and points are in texts of every meaning.
        vocabulary = [(token.strip(_BLANK), number) for token, number in self._tokenizer.get_vocab().items()]
        self._says, self._is_bare = np.zeros((2, len(self._rows)), dtype=bool)
        self._says[[number for token, number in vocabulary if _SAYS.search(token) and token[0] != "<"]] = True
        self._is_bare[[number for token, number in vocabulary if _BARE.fullmatch(token)]] = True

    def vectors_of(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """The mean of the rows of each text's tokens: float64 (n, 256), zeros where none of them says anything.

        Letters of alphabets of which there is nothing longer (Hebrew, Greek, Arabic, Thai …) do not count.
        """
        found = np.zeros((len(texts), self._rows.shape[1]))
        for row, ids in enumerate(self._token_ids(texts)):
            tokens = np.array(ids, dtype=np.int64)
            if self._says[tokens].any():
                self._rows[tokens[~self._is_bare[tokens]]].mean(axis=0, dtype=np.float64, out=found[row])
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
    reading = 2
    weights = PackagedFile(
        "wordllama",
        "wordllama",
        "weights/l2_supercat_256.safetensors",
        "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    )

    @classmethod
    def open_reader(cls) -> TokenVectors:
        return TokenVectors()


fit = WordLlama.of_material
