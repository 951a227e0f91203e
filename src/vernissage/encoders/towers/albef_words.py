"""Texts as ALBEF's word pieces: cleaned, cut, with [CLS] in front and nothing behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from vernissage.encoders.runtime.captions import clean_caption_albef
from vernissage.encoders.runtime.devices import import_extra
from vernissage.errors import EncoderError

Cleaning = Literal["albef", "zccr"]

MOST_IDS = 30
_SPECIAL = frozenset({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"})


@dataclass(frozen=True)
class AlbefWords:
    """BERT's word pieces as ALBEF takes them.

    Attributes:
        tokenizer: transformers' BertTokenizer with the vocabulary.
        cleaning: ``albef`` cleans captions as in training and takes at most 30 ids; ``zccr`` as the code of ZCCR
            (doi 10.1016/j.eswa.2024.125108): the tag ``<person>`` stays, and all ids are taken that have a position.
        positions: how many ids a text can have in the network.
    """

    tokenizer: Any
    cleaning: Cleaning
    positions: int

    @property
    def padding(self) -> int:
        return int(self.tokenizer.pad_token_id)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of every text, [CLS] first; without [SEP], which ALBEF was trained without."""
        if not texts:
            return []
        cleaned = [clean_caption_albef(text, person_tag=self.cleaning == "zccr") for text in texts]
        most = self.positions if self.cleaning == "zccr" else min(MOST_IDS, self.positions)
        first = int(self.tokenizer.cls_token_id)
        pieces = self.tokenizer(cleaned, add_special_tokens=False)["input_ids"]
        return [[first, *row][:most] for row in pieces]

    def padded(self, rows: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
        """Rows of ids as one array (n, longest), filled up with [PAD]."""
        ids = np.full((len(rows), max(map(len, rows), default=0)), self.padding, dtype=np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
        return ids


def read_words(vocabulary: Path, cleaning: Cleaning, *, size: int, positions: int) -> AlbefWords:
    """The word pieces that ``vocabulary`` lists, one a line.

    Raises:
        EncoderError: there are not ``size`` of them, or BERT's special ones are not among them.
    """
    try:
        with vocabulary.open(encoding="utf-8") as file:
            pieces = {line.rstrip("\n"): number for number, line in enumerate(file)}
    except (OSError, UnicodeDecodeError) as error:
        raise EncoderError(f"{vocabulary} cannot be read ({error}); get vocab.txt of bert-base-uncased anew") from error
    if len(pieces) != size or not pieces.keys() >= _SPECIAL:
        raise EncoderError(
            f"{vocabulary} lists {len(pieces)} word pieces, but the weights are for {size} with "
            f"{', '.join(sorted(_SPECIAL))}; put the vocab.txt that belongs to them there (of bert-base-uncased)"
        )
    # The argument is vocab: a file given as vocab_file is ignored, and every word becomes [UNK].
    tokenizer = import_extra("transformers").BertTokenizer(vocab=pieces, do_lower_case=True)
    return AlbefWords(tokenizer, cleaning, positions)
