"""What ALBEF, BLIP and BLIP-2 have in common: captions as word pieces, and the matching of pictures with texts.

In image-text matching (ITM) the text half reads the picture through cross-attention: more precise than a cosine, and a
pass of the network for every pair.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.runtime.devices import import_extra, import_torch
from vernissage.encoders.runtime.loaded import ImageTower, TextTower, TokenIds, tokenized
from vernissage.encoders.runtime.weights import read_object
from vernissage.errors import EncoderError
from vernissage.values import ENCODED, Modality, Vectors

if TYPE_CHECKING:
    import torch

ImageStates = npt.NDArray[np.float32]
"""float32 (n, positions, width): what the picture half says of every patch of a picture, the class token first."""

MOST_WORDS_ALBEF, MOST_WORDS_BLIP = 30, 50

_ALBEF_DELETES = str.maketrans("-/", "  ", ",.'!?\"()*#:;~")
_BLIP_BLANKS = str.maketrans(dict.fromkeys('.!"()*#:;~', " "))
_SEVERAL_SPACES = re.compile(r"\s{2,}")
_NEEDED = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


# Captions were cleaned so before training: without that, or by the other model's rule, vectors are far from right.
def clean_caption_albef(caption: str, *, person_tag: bool = False) -> str:
    """A caption by ALBEF's rule: signs deleted, hyphens and slashes to spaces, at most 30 words.

    The signs are , . ' ! ? " ( ) * # : ; ~ so that "men's" becomes "mens". The training data's tag ``<person>``
    becomes the word; ``person_tag=True`` keeps the tag, as the code of ZCCR (doi 10.1016/j.eswa.2024.125108) does.
    """
    cleaned = caption.lower().translate(_ALBEF_DELETES)
    return _first_words(cleaned if person_tag else cleaned.replace("<person>", "person"), MOST_WORDS_ALBEF)


def clean_caption_blip(caption: str) -> str:
    """A caption by BLIP's rule: the signs . ! " ( ) * # : ; ~ become spaces, at most 50 words."""
    return _first_words(caption.lower().translate(_BLIP_BLANKS), MOST_WORDS_BLIP)


def _first_words(text: str, most: int) -> str:
    """The first words; as in the originals only runs of white space are joined, and only spaces part words."""
    joined = _SEVERAL_SPACES.sub(" ", text).rstrip("\n").strip(" ")
    return " ".join(joined.split(" ")[:most])


@dataclass(frozen=True)
class WordPieces:
    """Captions as word pieces of BERT's vocabulary.

    Attributes:
        tokenizer: transformers' BertTokenizer over the vocabulary.
        clean: the rule for captions.
        most: ids of a text, at most.
        ends: whether [SEP] stands at the end.
        last: id of the model's last mark behind BERT's own words: in BLIP [ENC], which stands first where a text is
            read with a picture.
    """

    tokenizer: Any
    clean: Callable[[str], str]
    most: int
    ends: bool = True
    last: int = 0

    @property
    def pad_token_id(self) -> int:
        """The id of what fills up short texts, as transformers' tokenizers call it."""
        return int(self.tokenizer.pad_token_id)

    def ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text from [CLS] on, at most ``most``."""
        cleaned = [self.clean(text) for text in texts]
        if self.ends:
            return tokenized(self.tokenizer, cleaned, truncation=True, max_length=self.most)
        first = int(self.tokenizer.cls_token_id)
        return [[first, *row][: self.most] for row in tokenized(self.tokenizer, cleaned, add_special_tokens=False)]


def read_vocabulary(place: Path) -> dict[str, int]:
    """Word pieces and their ids from a file like vocab.txt; in a folder from vocab.txt, else from tokenizer.json.

    Raises:
        EncoderError: neither is there, or it holds no vocabulary.
    """
    plain, full = (place / "vocab.txt", place / "tokenizer.json") if place.is_dir() else (place, None)
    if plain.is_file():
        try:
            words = plain.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise EncoderError(f"{plain} cannot be read ({error}); get bert-base-uncased's vocab.txt anew") from error
        return {word.rstrip("\r"): number for number, word in enumerate(words) if word}
    if full is None or not full.is_file():
        raise EncoderError(
            f"{plain} is missing, which lists the model's word pieces; put vocab.txt of bert-base-uncased "
            f"(https://huggingface.co/google-bert/bert-base-uncased) there, which it was trained with"
        )
    model = read_object(full).get("model")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(vocabulary, dict):
        raise EncoderError(f"{full} holds no word pieces; put bert-base-uncased's vocab.txt beside it")
    return vocabulary


def bert_pieces(
    place: Path, model_size: int, marks: tuple[str, ...] = (), *, unused: int = 0
) -> tuple[Any, dict[str, int]]:
    """A BertTokenizer over the vocabulary in ``place`` for a model that knows ``model_size`` ids, and that vocabulary.

    Behind BERT's word pieces stand those of ``marks``, whether the file lists them or not, and at most ``unused`` more
    that no text is made of.

    Raises:
        EncoderError: there is no vocabulary, or it is not this model's.
    """
    vocabulary = read_vocabulary(place)
    if lacking := [mark for mark in _NEEDED if mark not in vocabulary]:
        raise EncoderError(f"the vocabulary in {place} lacks {', '.join(lacking)}; get bert-base-uncased's vocab.txt")
    known = {word: number for word, number in vocabulary.items() if word not in marks}
    if not 0 <= model_size - len(known) - len(marks) <= unused:
        besides = f" besides {' and '.join(marks)}" if marks else ""
        raise EncoderError(
            f"the vocabulary in {place} has {len(known)} word pieces, but the model was trained with "
            f"{model_size - len(marks)}{besides}; get the model's own vocab.txt"
        )
    # The argument is vocab: a file given as vocab_file is ignored, and every word becomes [UNK].
    return import_extra("transformers").BertTokenizer(vocab=known, do_lower_case=True), vocabulary


class PairTower(ImageTower, TextTower):
    """Pictures and texts to vectors, and to the probability that they belong together."""

    tokenizer: WordPieces
    modalities: frozenset[Modality] = frozenset(ENCODED)
    on_white = False
    blank_is_zero = False  # an empty caption has a vector, that of the marks alone, as in the original code

    @property
    def dim(self) -> int:
        return int(self.network.config.image_text_hidden_size)

    def _see(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """The states of pictures, (n, positions, width); called within the runtime's precision."""
        states: torch.Tensor = self.network.vision_model(pixel_values=pixels).last_hidden_state
        return states

    def vectors_of_pixels(self, pixels: "torch.Tensor") -> "torch.Tensor":
        return self._project(self._see(pixels))

    @abstractmethod
    def _project(self, seen: "torch.Tensor") -> "torch.Tensor":
        """The states of pictures in the common space, (n, dim)."""

    @abstractmethod
    def _match(self, seen: "torch.Tensor", ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        """The two logits of texts and one picture that was seen, (n, 2); called within the runtime's precision."""

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each cleaned text from [CLS] on, cut to the model's length, without padding."""
        return self.tokenizer.ids(texts)

    def image_states(self, images: Sequence[Image.Image]) -> ImageStates:
        """What matching reads of pictures: float32 (n, positions, width), a few megabytes each."""
        return self.runtime.in_batches(images, lambda some: self._see(self._pixels(some)), 0)

    def image_vectors(self, states: ImageStates) -> Vectors:
        """The rows of `encode_images` from `image_states`, without looking at the pictures again."""
        return unit_rows(self._projected(states))

    def _projected(self, states: ImageStates) -> Vectors:
        def run(some: Sequence[ImageStates]) -> "torch.Tensor":
            return self._project(self.runtime.on_device(np.stack(some)))

        return self.runtime.in_batches(list(states), run, self.dim)

    def itm_block(self, states: ImageStates, texts: Sequence[str]) -> Vectors:
        """The probability that each text belongs to each picture: float32 (pictures, texts) in [0, 1]."""
        return self.probabilities(self.itm_logits(states, texts))

    def probabilities(self, logits: npt.NDArray[np.float32]) -> Vectors:
        """The softmax of the two logits, the second: from (pictures, texts, 2) to float32 (pictures, texts)."""
        probabilities: Vectors = import_torch().from_numpy(logits).softmax(dim=-1)[:, :, 1].numpy()
        return probabilities

    def itm_logits(self, states: ImageStates, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The matching head's two logits for each picture and text, "no" and "yes": float32 (pictures, texts, 2)."""
        ids = self.token_ids(texts)
        logits = np.zeros((len(states), len(texts), 2), dtype=np.float32)
        for row, state in enumerate(states):
            seen = self.runtime.on_device(state[None])
            logits[row] = self._rows_of_tokens(ids, partial(self._match, seen), 2)
        return logits
