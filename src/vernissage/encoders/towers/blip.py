"""BLIP: pictures and texts in one space, and whether a text belongs to a picture, read together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from vernissage.encoders.contract import EncoderState, unit_rows
from vernissage.encoders.runtime.devices import Runtime, import_torch, in_batches
from vernissage.encoders.runtime.loaded import described, load_again
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.token_batches import TokenIds, padded
from vernissage.encoders.runtime.weights import digest_of, file_in
from vernissage.encoders.towers.blip_checkpoint import WEIGHTS_FILES, load_model
from vernissage.encoders.towers.blip_pairs import ImageStates, PairTower
from vernissage.encoders.towers.blip_words import load_word_pieces
from vernissage.errors import EncoderError, RequestError
from vernissage.files import digest
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch

FirstToken = Literal["enc", "cls"]


class BLIP(PairTower):
    """A loaded BLIP retrieval model; the inner product of two vectors is a cosine, across pictures and texts too.

    Li et al., ICML 2022, arXiv 2201.12086; faithful to the original code, also in how inputs are prepared. Two
    judgements: contrastive (ITC), the cosine of `encode_images` and `encode_texts`; and matching (ITM), where the text
    half reads the picture through cross-attention (`itm_block`).
    """

    @property
    def first_token(self) -> FirstToken:
        """What a text begins with where it is read with a picture."""
        first_token: FirstToken = self.state.settings["first_token"]
        return first_token

    def image_vectors(self, states: ImageStates) -> Vectors:
        """The rows of `encode_images` from `image_states`, without looking at the pictures again."""

        def run(firsts: Sequence[ImageStates]) -> "torch.Tensor":
            with self.runtime.autocast():
                return self._project(self.runtime.on_device(np.stack(firsts)))

        firsts = [state[0] for state in states]
        return unit_rows(in_batches(firsts, run, batch_size=self.runtime.batch_size, width=self.dim))

    def joint_features(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Vectors:
        """One vector for each pair of a picture and its text (early fusion): float32 (n, width), not of unit length.

        The text half's output for the first token after it has read the picture: what matching judges by.

        Raises:
            RequestError: not as many texts as pictures.
        """
        if len(images) != len(texts):
            raise RequestError(f"{len(images)} pictures and {len(texts)} texts are no pairs; give one text a picture")

        def run(pairs: Sequence[tuple[Image.Image, TokenIds]]) -> "torch.Tensor":
            with self.runtime.autocast():
                return self._read([ids for _, ids in pairs], self._see([image for image, _ in pairs]))

        pairs = list(zip(images, self.token_ids(texts), strict=True))
        width = int(self._model.config.text_config.hidden_size)
        return in_batches(pairs, run, batch_size=self.runtime.batch_size, width=width)

    def _run_images(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        return self._project(self._see(images)[:, 0])

    def _project(self, firsts: "torch.Tensor") -> "torch.Tensor":
        """The states of pictures' class tokens in the common space, (n, dim)."""
        features: torch.Tensor = self._model.vision_proj(firsts)
        return features

    def _run_texts(self, ids: Sequence[TokenIds]) -> "torch.Tensor":
        features: torch.Tensor = self._model.text_proj(self._read(ids))
        return features

    def _match(self, seen: "torch.Tensor", ids: Sequence[TokenIds]) -> "torch.Tensor":
        """A picture's keys and values are computed once for all texts of the batch."""
        logits: torch.Tensor = self._model.itm_head(self._read(ids, seen))
        return logits

    def _read(self, ids: Sequence[TokenIds], seen: "torch.Tensor | None" = None) -> "torch.Tensor":
        """The state of each text's first token, (n, width), after reading ``seen`` (pictures, positions, width).

        Of several pictures, each is read by an equal share of the texts, in order. A picture's texts pass through the
        cross-attention as one long sequence, since each position looks at the picture by itself: so the picture's keys
        and values, two thirds of the work when computed for every pair, are computed once.
        """
        text = self._model.text_encoder
        filled, mask = padded(ids, self._words.pad)
        if seen is not None and self.first_token == "enc":  # noqa: S105  (no password)
            filled[:, 0] = self._words.last
        states: torch.Tensor = text.embeddings(input_ids=filled.to(self._model.device))
        hidden = (mask == 0)[:, None, None, :].to(states.device) * import_torch().finfo(states.dtype).min
        for number, layer in enumerate(text.encoder.layer, start=1):
            states = layer.attention(states, attention_mask=hidden)[0]
            if number == len(text.encoder.layer):
                states = states[:, :1]
            if seen is not None:
                together = states.reshape(len(seen), -1, states.shape[-1])
                states = layer.crossattention(together, encoder_hidden_states=seen)[0].view(states.shape)
            states = layer.feed_forward_chunk(states)
        first: torch.Tensor = states[:, 0]
        return first

    @classmethod
    def from_state(cls, state: EncoderState) -> "BLIP":
        """The encoder that ``state`` describes; raises what `load_again` raises."""
        return load_again(state, "blip", load_blip, ("first_token",))


def load_blip(place: Path, *, runtime: Runtime | None = None, first_token: FirstToken = "enc") -> BLIP:  # noqa: S107
    """Load BLIP's retrieval model, such as Salesforce/blip-itm-base-coco.

    Args:
        place: a folder with config.json, model.safetensors and vocab.txt; or an original ``model_*_retrieval.pth`` (or
            a folder with one), with vocab.txt beside it.
        runtime: device, precision and batch size.
        first_token: what a text begins with where it is read with a picture: ``enc``, as trained, or ``cls``, as some
            ports have it, which moves probabilities by .1 and more.

    Raises:
        EncoderError: something is missing, damaged, or another model's.
    """
    if first_token not in ("enc", "cls"):
        raise EncoderError(f"there is no first token {first_token!r}; choose enc, as BLIP was trained, or cls")
    if not place.exists():
        raise EncoderError(f"there is nothing at {place}; name the folder or file of BLIP's weights with --weights")
    how = runtime or Runtime()
    file = file_in(place, WEIGHTS_FILES)
    model = load_model(file, how)
    words = load_word_pieces(file.parent, model.config.text_config.vocab_size)
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    state = described("blip", place, _digest(file), how, first_token=first_token)
    return BLIP(model, words, preprocessing, state, how)


def _digest(file: Path) -> str:
    """Over the weights and all that lies beside them and changes what they mean."""
    names = ("config.json", "med_config.json", "vocab.txt", "tokenizer.json")
    beside = [f"{name} {digest_of(file.parent / name)}" for name in names if (file.parent / name).is_file()]
    return digest(*(part.encode() for part in (digest_of(file), *beside)))
