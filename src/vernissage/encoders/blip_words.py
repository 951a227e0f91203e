"""Captions as BLIP's word pieces: BERT's vocabulary with two marks of its own behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vernissage.encoders.captions import clean_caption_blip
from vernissage.encoders.runtime import import_extra
from vernissage.encoders.token_batches import TokenIds
from vernissage.encoders.transformers_folder import read_object
from vernissage.errors import EncoderError

MOST_IDS = 35
"""With both marks: how captions were cut when BLIP was fine-tuned for retrieval."""

_MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True)
class WordPieces:
    """A vocabulary in use.

    Attributes:
        tokenizer: transformers' BertTokenizer over it.
        enc: id of [ENC], which stands first where a text is read together with a picture.
        pad: id of what fills up short texts.
    """

    tokenizer: Any
    enc: int
    pad: int

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text from [CLS] to [SEP], at most 35, after `clean_caption_blip`."""
        cleaned = [clean_caption_blip(text) for text in texts]
        if not cleaned:
            return []
        ids: list[TokenIds] = self.tokenizer(cleaned, truncation=True, max_length=MOST_IDS)["input_ids"]
        return ids


def load_word_pieces(folder: Path, model_size: int) -> WordPieces:
    """The word pieces in ``folder`` for a model that knows ``model_size`` ids.

    Behind BERT's vocabulary BLIP knows [DEC] and [ENC], in this order, whether the files list them or not.

    Raises:
        EncoderError: there is no vocabulary, or it is not this model's.
    """
    vocabulary = read_vocabulary(folder)
    lacking = [mark for mark in _MARKS if mark not in vocabulary]
    if lacking:
        raise EncoderError(f"the vocabulary in {folder} lacks {', '.join(lacking)}; get bert-base-uncased's vocab.txt")
    known = vocabulary.keys() - {"[DEC]", "[ENC]"}
    if len(known) + 2 != model_size:
        raise EncoderError(
            f"the vocabulary in {folder} has {len(known)} word pieces, but the model was trained with {model_size - 2} "
            f"besides [DEC] and [ENC]; get the model's own vocab.txt"
        )
    enc = vocabulary.get("[ENC]", model_size - 1)
    tokenizer = import_extra("transformers").BertTokenizer(vocab={word: vocabulary[word] for word in known})
    return WordPieces(tokenizer, enc, vocabulary["[PAD]"])


def read_vocabulary(folder: Path) -> dict[str, int]:
    """Word pieces and their ids from vocab.txt, or from tokenizer.json where that is missing.

    Raises:
        EncoderError: neither is there, or it holds no vocabulary.
    """
    plain, full = folder / "vocab.txt", folder / "tokenizer.json"
    if plain.is_file():
        words = plain.read_text(encoding="utf-8").split("\n")
        return {word.rstrip("\r"): number for number, word in enumerate(words) if word}
    if not full.is_file():
        raise EncoderError(f"{folder} has no vocab.txt; put bert-base-uncased's there, which BLIP was trained with")
    vocabulary = read_object(full).get("model", {}).get("vocab")
    if not isinstance(vocabulary, dict):
        raise EncoderError(f"{full} holds no word pieces; put bert-base-uncased's vocab.txt beside it")
    return vocabulary
