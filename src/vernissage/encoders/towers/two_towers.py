"""The halves of encoders with weights: pictures or texts in batches through a network, to vectors of unit length.

A family says how one batch passes through its own network; all the rest is here. A row depends on its own picture or
text alone, but for sums in another order: differences below 1e-6.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.runtime.devices import Runtime, import_torch, in_batches
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.token_batches import TokenIds, in_order_of_length
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch


class ImageTower(ABC):
    """Pictures to vectors."""

    runtime: Runtime
    preprocessing: Preprocessing

    @property
    @abstractmethod
    def dim(self) -> int:
        """The length of a vector."""

    @abstractmethod
    def _run_images(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """The network's vectors of a batch, (n, dim); called within the runtime's precision."""

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright: float32 (n, dim)."""
        return unit_rows(self.image_features(images))

    def image_features(self, images: Sequence[Image.Image]) -> Vectors:
        """The network's vectors of pictures before scaling to unit length: float32 (n, dim)."""

        def run(batch: Sequence[Image.Image]) -> "torch.Tensor":
            with self.runtime.autocast():
                return self._run_images(batch)

        return in_batches(images, run, batch_size=self.runtime.batch_size, width=self.dim)

    def _pixels(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """A batch as the network takes it: (n, 3, size, size), on the device.

        Pictures are resized side by side, on as many threads as torch has: a GPU waits for nothing longer.
        """
        threads = min(import_torch().get_num_threads(), len(images))
        if threads < 2:
            return self.runtime.on_device(np.stack([self.preprocessing(image) for image in images]))
        with ThreadPoolExecutor(threads, thread_name_prefix="preprocessing") as pool:
            return self.runtime.on_device(np.stack(list(pool.map(self.preprocessing, images))))


class TextTower(ABC):
    """Texts to vectors."""

    runtime: Runtime

    blank_is_zero: ClassVar[bool] = True
    """Whether a text of nothing but white space gets zeros instead of what the network makes of the marks alone."""

    @property
    @abstractmethod
    def dim(self) -> int:
        """The length of a vector."""

    @abstractmethod
    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each text with its marks, cut to the model's length, without padding."""

    @abstractmethod
    def _run_texts(self, ids: Sequence[TokenIds]) -> "torch.Tensor":
        """The network's vectors of a batch, (n, dim); called within the runtime's precision."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts: float32 (n, dim); of blank ones zeros, where `blank_is_zero`."""
        rows = unit_rows(self.text_features(texts))
        if self.blank_is_zero:
            rows[[not text.strip() for text in texts]] = 0
        return rows

    def text_features(self, texts: Sequence[str]) -> Vectors:
        """The network's vectors of texts before scaling to unit length: float32 (n, dim)."""

        def run(batch: Sequence[TokenIds]) -> "torch.Tensor":
            with self.runtime.autocast():
                return self._run_texts(batch)

        return in_order_of_length(self.token_ids(texts), run, batch_size=self.runtime.batch_size, width=self.dim)
