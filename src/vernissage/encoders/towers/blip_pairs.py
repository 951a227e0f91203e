"""What BLIP and BLIP-2 have in common: captions as word pieces, and the matching of pictures with texts.

In image-text matching (ITM) the text half reads the picture through cross-attention: far more precise than a cosine,
and a pass of the network for every pair.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime, import_torch, in_batches
from vernissage.encoders.runtime.loaded import LoadedEncoder
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.token_batches import TokenIds, in_order_of_length, padded
from vernissage.encoders.towers.blip_words import WordPieces
from vernissage.encoders.towers.two_towers import ImageTower, TextTower
from vernissage.values import Modality, Vectors

if TYPE_CHECKING:
    import torch

ImageStates = npt.NDArray[np.float32]
"""float32 (n, positions, width): what the picture half says of every patch of a picture, the class token first."""


class PairTower(LoadedEncoder, ImageTower, TextTower):
    """Pictures and texts to vectors, and to the probability that they belong together."""

    modalities: frozenset[Modality] = frozenset({"image", "text"})
    blank_is_zero = False  # an empty caption has a vector, that of the marks alone, as in the original code

    def __init__(
        self, model: Any, words: WordPieces, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime
    ) -> None:
        """Gather what was loaded and checked.

        Args:
            model: transformers' BlipForImageTextRetrieval or Blip2ForImageTextRetrieval in eval mode, on its device.
            words: its word pieces.
            preprocessing: of pictures.
            state: where the weights lie and what they were.
            runtime: how the model is run.
        """
        super().__init__(model, state, runtime, preprocessing)
        self._words, self.preprocessing = words, preprocessing

    @abstractmethod
    def _match(self, seen: "torch.Tensor", ids: Sequence[TokenIds]) -> "torch.Tensor":
        """The two logits of texts and one picture that was seen, (n, 2); called within the runtime's precision."""

    @property
    def dim(self) -> int:
        return int(self._model.config.image_text_hidden_size)

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each cleaned text from [CLS] to [SEP], cut to the model's length with them, without padding."""
        return self._words.ids(texts)

    def image_states(self, images: Sequence[Image.Image]) -> ImageStates:
        """What matching reads of pictures: float32 (n, positions, width).

        In the published models 1.8 MB a picture (BLIP) and 1.4 MB (BLIP-2).
        """
        return in_batches(images, self._see, batch_size=self.runtime.batch_size, width=0)

    def itm_block(self, states: ImageStates, texts: Sequence[str]) -> Vectors:
        """The probability that each text belongs to each picture: float32 (pictures, texts) in [0, 1].

        softmax of the two logits, the second. At most ``batch_size`` pairs are in memory at once.
        """
        logits = import_torch().from_numpy(self.itm_logits(states, texts))
        probabilities: Vectors = logits.softmax(dim=-1)[:, :, 1].numpy()
        return probabilities

    def itm_logits(self, states: ImageStates, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The matching head's two logits for each picture and text, "no" and "yes": float32 (pictures, texts, 2)."""
        ids = self.token_ids(texts)
        logits = np.zeros((len(states), len(texts), 2), dtype=np.float32)
        for row, state in enumerate(states):
            logits[row] = self._logits_with(self.runtime.on_device(state[None]), ids)
        return logits

    def _logits_with(self, seen: "torch.Tensor", ids: Sequence[TokenIds]) -> Vectors:
        """One picture's logits with all texts, (n, 2)."""

        def run(batch: Sequence[TokenIds]) -> "torch.Tensor":
            with self.runtime.autocast():
                return self._match(seen, batch)

        return in_order_of_length(ids, run, batch_size=self.runtime.batch_size, width=2)

    def _see(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """The states of pictures, (n, positions, width)."""
        with self.runtime.autocast():
            states: torch.Tensor = self._model.vision_model(pixel_values=self._pixels(images)).last_hidden_state
        return states

    def _padded(self, ids: Sequence[TokenIds]) -> "tuple[torch.Tensor, torch.Tensor]":
        """Ids and attention mask on the device, both (n, longest)."""
        filled, mask = padded(ids, self._words.pad)
        return filled.to(self._model.device), mask.to(self._model.device)
