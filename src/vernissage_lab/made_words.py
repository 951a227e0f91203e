"""Vocabularies made of the texts at hand, for networks that come without their own: nearly every word is one token."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.towers.clip import byte_letters, clean_text, tokenizer_of_merges

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORD = re.compile(r"[^\W_]+")


def byte_pair_tokenizer(texts: Sequence[str], size: int) -> Any:
    """CLIP's tokenizer with byte pairs trained on the texts, filled up to ``size`` entries, the end mark last."""
    letters = byte_letters()
    room = size - 2 * len(letters) - 2
    plain = tokenizer_of_merges([]).backend_tokenizer
    tokenizers = import_extra("tokenizers")
    blank = tokenizers.Tokenizer(tokenizers.models.BPE(end_of_word_suffix="</w>"))
    blank.pre_tokenizer = plain.pre_tokenizer
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2 * len(letters) + room, initial_alphabet=letters, end_of_word_suffix="</w>", show_progress=False
    )
    blank.train_from_iterator([clean_text(text) for text in texts], trainer)
    merges = [(first, second) for first, second in json.loads(blank.to_str())["model"]["merges"]][:room]
    return tokenizer_of_merges(merges, unused=room - len(merges))


def word_pieces(texts: Sequence[str], size: int) -> dict[str, int]:
    """BERT's kind of vocabulary: its marks, single letters, the texts' words, the commonest first, then unused ones."""
    counts = Counter(word for text in texts for word in _WORD.findall(text.lower()))
    letters = sorted({letter for word in counts for letter in word} | set("abcdefghijklmnopqrstuvwxyz0123456789"))
    words = sorted(counts, key=lambda word: (-counts[word], word))
    pieces = dict.fromkeys([*_SPECIAL, *letters, *(f"##{letter}" for letter in letters), *".,!?'()-:;/&", *words])
    known = list(pieces)[:size]
    known += [f"[unused{number}]" for number in range(size - len(known))]
    return {piece: number for number, piece in enumerate(known)}
