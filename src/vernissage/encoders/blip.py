"""BLIP: pictures and texts in one space, and whether a text belongs to a picture, read together."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.blip_checkpoint import WEIGHTS_FILES, load_model
from vernissage.encoders.blip_words import WordPieces, load_word_pieces
from vernissage.encoders.contract import EncoderState, Modality, Vectors, unit_rows
from vernissage.encoders.loaded import NEEDED, fingerprint_of, require_same_weights, saved_settings
from vernissage.encoders.pixels import Preprocessing
from vernissage.encoders.runtime import Runtime, import_torch, in_batches
from vernissage.encoders.token_batches import TokenIds, in_order_of_length, padded
from vernissage.encoders.weights import digest_of, file_in
from vernissage.errors import EncoderError, RequestError
from vernissage.files import digest

if TYPE_CHECKING:
    import torch

FirstToken = Literal["enc", "cls"]

ImageStates = npt.NDArray[np.float32]
"""float32 (n, positions, width): what the picture half says of every patch of a picture, the class token first."""


class BLIP:
    """A loaded BLIP retrieval model; the inner product of two vectors is a cosine, across pictures and texts too.

    Li et al., ICML 2022, arXiv 2201.12086; faithful to the original code, also in how inputs are prepared. Two
    judgements: contrastive (ITC), the cosine of `encode_images` and `encode_texts`; and matching (ITM), where the text
    half reads the picture through cross-attention, far more precise and a pass of the model for every pair
    (`itm_block`). A row depends on its own work alone, but for sums in another order: differences below 1e-6.
    """

    def __init__(
        self, model: Any, words: WordPieces, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime
    ) -> None:
        """Gather what `load_blip` has loaded and checked.

        Args:
            model: transformers' BlipForImageTextRetrieval in eval mode, on its device.
            words: its word pieces.
            preprocessing: of pictures.
            state: where the weights lie and what they were.
            runtime: how the model is run.
        """
        self._model, self._words, self._runtime = model, words, runtime
        self.preprocessing, self.state = preprocessing, state
        self.fingerprint = fingerprint_of(state, preprocessing)
        self.first_token: FirstToken = state.settings["first_token"]

    @property
    def name(self) -> str:
        return "blip"

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset({"image", "text"})

    @property
    def dim(self) -> int:
        return int(self._model.config.image_text_hidden_size)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright: float32 (n, dim)."""
        return unit_rows(self.image_features(images))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts: float32 (n, dim)."""
        return unit_rows(self.text_features(texts))

    def image_features(self, images: Sequence[Image.Image]) -> Vectors:
        """What the model projects pictures to, before scaling to unit length: float32 (n, dim)."""

        def run(some: Sequence[Image.Image]) -> "torch.Tensor":
            with self._runtime.autocast():
                features: torch.Tensor = self._model.vision_proj(self._see(some)[:, 0])
            return features

        return in_batches(images, run, batch_size=self._runtime.batch_size, width=self.dim)

    def text_features(self, texts: Sequence[str]) -> Vectors:
        """What the model projects texts to, before scaling to unit length: float32 (n, dim)."""

        def run(ids: Sequence[TokenIds]) -> "torch.Tensor":
            with self._runtime.autocast():
                features: torch.Tensor = self._model.text_proj(self._read(ids))
            return features

        ids = self.token_ids(texts)
        return in_order_of_length(ids, run, batch_size=self._runtime.batch_size, width=self.dim)

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each cleaned text from [CLS] to [SEP], at most 35 with them."""
        return self._words.ids(texts)

    def image_states(self, images: Sequence[Image.Image]) -> ImageStates:
        """What matching reads of pictures: float32 (n, positions, width); 1.8 MB a picture in the published model."""
        return in_batches(images, self._see, batch_size=self._runtime.batch_size, width=0)

    def image_vectors(self, states: ImageStates) -> Vectors:
        """The rows of `encode_images` from `image_states`, without looking at the pictures again."""

        def run(some: Sequence[ImageStates]) -> "torch.Tensor":
            with self._runtime.autocast():
                features: torch.Tensor = self._model.vision_proj(self._on_device(np.stack(some)))
            return features

        firsts = [state[0] for state in states]
        return unit_rows(in_batches(firsts, run, batch_size=self._runtime.batch_size, width=self.dim))

    def itm_block(self, states: ImageStates, texts: Sequence[str]) -> Vectors:
        """The probability that each text belongs to each picture: float32 (pictures, texts) in [0, 1].

        softmax of the matching head's two logits, the second. At most ``batch_size`` pairs are in memory at once, and
        the keys and values of a picture are computed once for all texts of such a batch.
        """
        logits = import_torch().from_numpy(self.itm_logits(states, texts))
        probabilities: Vectors = logits.softmax(dim=-1)[:, :, 1].numpy()
        return probabilities

    def itm_logits(self, states: ImageStates, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The matching head's two logits for each picture and text, "no" and "yes": float32 (pictures, texts, 2)."""
        ids, size = self.token_ids(texts), self._runtime.batch_size
        logits = np.zeros((len(states), len(texts), 2), dtype=np.float32)
        for row, state in enumerate(states):
            match = partial(self._match, self._on_device(state[None]))
            logits[row] = in_order_of_length(ids, match, batch_size=size, width=2)
        return logits

    def joint_features(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Vectors:
        """One vector for each pair of a picture and its text (early fusion): float32 (n, width), not of unit length.

        The text half's output for the first token after it has read the picture: what matching judges by.

        Raises:
            RequestError: not as many texts as pictures.
        """
        if len(images) != len(texts):
            raise RequestError(f"{len(images)} pictures and {len(texts)} texts are no pairs; give one text a picture")

        def run(pairs: Sequence[tuple[Image.Image, TokenIds]]) -> "torch.Tensor":
            with self._runtime.autocast():
                return self._read([ids for _, ids in pairs], self._see([image for image, _ in pairs]))

        pairs = list(zip(images, self.token_ids(texts), strict=True))
        width = int(self._model.config.text_config.hidden_size)
        return in_batches(pairs, run, batch_size=self._runtime.batch_size, width=width)

    def _match(self, seen: "torch.Tensor", ids: Sequence[TokenIds]) -> "torch.Tensor":
        """The two logits of texts and pictures that were seen, (n, 2)."""
        with self._runtime.autocast():
            logits: torch.Tensor = self._model.itm_head(self._read(ids, seen))
        return logits.float()

    def _see(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """The states of pictures, (n, positions, width)."""
        pixels = self._on_device(np.stack([self.preprocessing(image) for image in images]))
        with self._runtime.autocast():
            states: torch.Tensor = self._model.vision_model(pixel_values=pixels).last_hidden_state
        return states

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

    def _on_device(self, array: npt.NDArray[np.float32]) -> "torch.Tensor":
        tensor: torch.Tensor = import_torch().from_numpy(array).to(self._model.device)
        return tensor

    @classmethod
    def from_state(cls, state: EncoderState) -> "BLIP":
        """The encoder that ``state`` describes, loaded again from the same place.

        Raises:
            ProvenanceError: the state is another encoder's or not whole, or other weights lie in the place now.
            EncoderError: the weights are gone or damaged.
        """
        settings = saved_settings(state, "blip", (*NEEDED, "first_token"))
        runtime = Runtime(precision=settings["precision"])
        loaded = load_blip(Path(settings["place"]), runtime=runtime, first_token=settings["first_token"])
        require_same_weights(state, loaded.state)
        return loaded


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
    settings = {
        "place": str(place.resolve()),
        "weights": _digest(file),
        "precision": how.precision,
        "first_token": first_token,
    }
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    return BLIP(model, words, preprocessing, EncoderState("blip", settings, {}), how)


def _digest(file: Path) -> str:
    """Over the weights and all that lies beside them and changes what they mean."""
    beside = [file.parent / name for name in ("config.json", "med_config.json", "vocab.txt", "tokenizer.json")]
    return digest(*(digest_of(each).encode() for each in (file, *beside) if each.is_file()))
