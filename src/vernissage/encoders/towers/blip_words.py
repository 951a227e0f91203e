"""Captions as the word pieces of BLIP and BLIP-2: BERT's vocabulary with marks of their own behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vernissage.encoders.runtime.captions import clean_caption_blip
from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.runtime.token_batches import TokenIds
from vernissage.encoders.runtime.transformers_folder import read_object
from vernissage.errors import EncoderError

BLIP_MARKS, BLIP2_MARKS = ("[DEC]", "[ENC]"), ("[DEC]",)
"""What each model knows behind BERT's vocabulary, in this order, whether its files list it or not."""

MOST_IDS = {BLIP_MARKS: 35, BLIP2_MARKS: 32}
"""With [CLS] and [SEP]: how captions were cut when BLIP was fine-tuned for retrieval, and in BLIP-2's matching."""

_NEEDED = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


@dataclass(frozen=True)
class WordPieces:
    """A vocabulary in use.

    Attributes:
        tokenizer: transformers' BertTokenizer over it.
        pad: id of what fills up short texts.
        last: id of the model's last mark: in BLIP [ENC], which stands first where a text is read with a picture.
        most: ids of a text, at most.
    """

    tokenizer: Any
    pad: int
    last: int
    most: int

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text from [CLS] to [SEP], at most ``most``, after `clean_caption_blip`."""
        cleaned = [clean_caption_blip(text) for text in texts]
        if not cleaned:
            return []
        ids: list[TokenIds] = self.tokenizer(cleaned, truncation=True, max_length=self.most)["input_ids"]
        return ids


def load_word_pieces(
    folder: Path, model_size: int, marks: tuple[str, ...] = BLIP_MARKS, *, unused: int = 0
) -> WordPieces:
    """The word pieces in ``folder`` for a model that knows ``model_size`` ids, behind BERT's those of its ``marks``.

    At most ``unused`` more may follow that no text is made of.

    Raises:
        EncoderError: there is no vocabulary, or it is not this model's.
    """
    vocabulary = read_vocabulary(folder)
    lacking = [mark for mark in _NEEDED if mark not in vocabulary]
    if lacking:
        raise EncoderError(f"the vocabulary in {folder} lacks {', '.join(lacking)}; get bert-base-uncased's vocab.txt")
    known = {word: number for word, number in vocabulary.items() if word not in marks}
    if not 0 <= model_size - len(known) - len(marks) <= unused:
        raise EncoderError(
            f"the vocabulary in {folder} has {len(known)} word pieces, but the model was trained with "
            f"{model_size - len(marks)} besides {' and '.join(marks)}; get the model's own vocab.txt"
        )
    last = vocabulary.get(marks[-1], len(known) + len(marks) - 1)
    tokenizer = import_extra("transformers").BertTokenizer(vocab=known)
    return WordPieces(tokenizer, vocabulary["[PAD]"], last, MOST_IDS[marks])


def read_vocabulary(folder: Path) -> dict[str, int]:
    """Word pieces and their ids from vocab.txt, or from tokenizer.json where that is missing.

    Raises:
        EncoderError: neither is there, or it holds no vocabulary.
    """
    plain, full = folder / "vocab.txt", folder / "tokenizer.json"
    if plain.is_file():
        try:
            words = plain.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise EncoderError(f"{plain} cannot be read ({error}); get bert-base-uncased's vocab.txt anew") from error
        return {word.rstrip("\r"): number for number, word in enumerate(words) if word}
    if not full.is_file():
        raise EncoderError(f"{folder} has no vocab.txt; put bert-base-uncased's there, which BLIP was trained with")
    model = read_object(full).get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(vocabulary, dict):
        raise EncoderError(f"{full} holds no word pieces; put bert-base-uncased's vocab.txt beside it")
    return vocabulary
