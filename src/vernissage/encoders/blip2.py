"""BLIP-2: a frozen picture model, looked at through 32 learned queries that texts are compared with."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.blip_words import BLIP2_MARKS, WordPieces, load_word_pieces
from vernissage.encoders.contract import EncoderState, Modality, Vectors, unit_rows
from vernissage.encoders.loaded import NEEDED, fingerprint_of, require_same_weights, saved_settings
from vernissage.encoders.pixels import Preprocessing
from vernissage.encoders.runtime import Runtime, import_torch, in_batches
from vernissage.encoders.token_batches import TokenIds, in_order_of_length, padded
from vernissage.encoders.transformers_folder import load_model, read_config
from vernissage.encoders.weights import digest_of
from vernissage.errors import EncoderError

if TYPE_CHECKING:
    import torch

Queries = Literal["first", "max"]

_EPS_OF_LAST_NORM = 1e-5
"""What the original model has behind its picture half; transformers takes that of the inner layers, 1e-6."""

_UNUSED_IDS = 64
"""What copies of the model may have behind its own ids: one for a picture's place in a text, and filling to 64."""


class BLIP2:
    """A loaded BLIP-2 retrieval model; the inner product of two vectors is a cosine, across pictures and texts too.

    Li et al., ICML 2023, arXiv 2301.12597. A picture has a vector for each query. The first stands for it in
    `encode_images`, as in the notebook of Yilma & Leiva, UMAP 2023 (doi 10.1145/3565472.3592964); as trained, a text is
    as near to a picture as to the nearest of its queries (`similarity` with ``queries="max"``). Matching
    (`itm_block`) reads picture and text together.
    """

    def __init__(
        self, model: Any, words: WordPieces, preprocessing: Preprocessing, state: EncoderState, runtime: Runtime
    ) -> None:
        """Gather what `load_blip2` has loaded and checked.

        Args:
            model: transformers' Blip2ForImageTextRetrieval in eval mode, on its device.
            words: its word pieces.
            preprocessing: of pictures.
            state: where the weights lie and what they were.
            runtime: how the model is run.
        """
        self._model, self._words, self._runtime = model, words, runtime
        self.preprocessing, self.state = preprocessing, state
        self.fingerprint = fingerprint_of(state, preprocessing)
        self.queries: Queries = state.settings["queries"]

    @property
    def name(self) -> str:
        return "blip2"

    @property
    def modalities(self) -> frozenset[Modality]:
        return frozenset({"image", "text"})

    @property
    def dim(self) -> int:
        return int(self._model.config.image_text_hidden_size)

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright, those of the first query: float32 (n, dim)."""
        return unit_rows(self.image_features(images)[:, 0])

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of texts: float32 (n, dim)."""
        return unit_rows(self.text_features(texts))

    def similarity(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Vectors:
        """The cosine of each picture with each text, float32 (pictures, texts).

        Of the first query's vector with ``queries="first"``; of the nearest query's with ``queries="max"``.
        """
        features, read = self.image_features(images), self.encode_texts(texts)
        kept = features[:, :1] if self.queries == "first" else features
        vectors = unit_rows(kept.reshape(-1, self.dim)).reshape(kept.shape)
        cosines: Vectors = np.einsum("iqd,jd->iqj", vectors, read).max(axis=1)
        return cosines

    def image_features(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """What the model projects each query of a picture to, not of unit length: float32 (n, queries, dim)."""

        def run(some: Sequence[Image.Image]) -> "torch.Tensor":
            with self._runtime.autocast():
                return self._project(self._see(some))

        return self._by_query(in_batches(images, run, batch_size=self._runtime.batch_size, width=0))

    def text_features(self, texts: Sequence[str]) -> Vectors:
        """What the model projects texts to, before scaling to unit length: float32 (n, dim)."""

        def run(ids: Sequence[TokenIds]) -> "torch.Tensor":
            filled, mask = self._padded(ids)
            with self._runtime.autocast():
                words = self._model.embeddings(input_ids=filled)
                read = self._model.qformer(query_embeds=words, query_length=0, attention_mask=mask)
                features: torch.Tensor = self._model.text_projection(read.last_hidden_state[:, 0])
            return features

        ids = self.token_ids(texts)
        return in_order_of_length(ids, run, batch_size=self._runtime.batch_size, width=self.dim)

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The ids of each cleaned text from [CLS] to [SEP], at most 32 with them."""
        return self._words.ids(texts)

    def image_states(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """What the queries look at in pictures: float32 (n, positions, width); 1.4 MB each in the published model."""
        return in_batches(images, self._see, batch_size=self._runtime.batch_size, width=0)

    def image_vectors(self, states: npt.NDArray[np.float32]) -> Vectors:
        """The rows of `encode_images` from `image_states`, without looking at the pictures again."""

        def run(some: Sequence[npt.NDArray[np.float32]]) -> "torch.Tensor":
            with self._runtime.autocast():
                return self._project(self._on_device(np.stack(some)))

        size = self._runtime.batch_size
        return unit_rows(self._by_query(in_batches(list(states), run, batch_size=size, width=0))[:, 0])

    def itm_block(self, states: npt.NDArray[np.float32], texts: Sequence[str]) -> Vectors:
        """The probability that each text belongs to each picture: float32 (pictures, texts) in [0, 1].

        softmax of the matching head's two logits, averaged over the queries, the second. At most ``batch_size`` pairs
        are in memory at once.
        """
        logits = import_torch().from_numpy(self.itm_logits(states, texts))
        probabilities: Vectors = logits.softmax(dim=-1)[:, :, 1].numpy()
        return probabilities

    def itm_logits(self, states: npt.NDArray[np.float32], texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The matching head's two logits for each picture and text, "no" and "yes": float32 (pictures, texts, 2)."""
        ids, size = self.token_ids(texts), self._runtime.batch_size
        logits = np.zeros((len(states), len(texts), 2), dtype=np.float32)
        for row, state in enumerate(states):
            match = partial(self._match, self._on_device(state[None]))
            logits[row] = in_order_of_length(ids, match, batch_size=size, width=2)
        return logits

    def _match(self, seen: "torch.Tensor", ids: Sequence[TokenIds]) -> "torch.Tensor":
        """The two logits of texts and one picture that was seen, (n, 2)."""
        filled, mask = self._padded(ids)
        queries = self._model.query_tokens.expand(len(ids), -1, -1)
        attended = import_torch().cat([mask.new_ones(queries.shape[:2]), mask], dim=1)
        with self._runtime.autocast():
            read = self._model.qformer(
                query_embeds=self._model.embeddings(input_ids=filled, query_embeds=queries),
                query_length=queries.shape[1],
                attention_mask=attended,
                encoder_hidden_states=seen.expand(len(ids), -1, -1),
            ).last_hidden_state[:, : queries.shape[1]]
            logits: torch.Tensor = self._model.itm_head(read).float().mean(dim=1)
        return logits

    def _see(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        """The states of pictures, (n, positions, width)."""
        pixels = self._on_device(np.stack([self.preprocessing(image) for image in images]))
        with self._runtime.autocast():
            states: torch.Tensor = self._model.vision_model(pixel_values=pixels).last_hidden_state
        return states

    def _project(self, seen: "torch.Tensor") -> "torch.Tensor":
        """The projected queries of pictures that were seen, (n, queries × dim)."""
        queries = self._model.query_tokens.expand(len(seen), -1, -1)
        looked = self._model.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        features: torch.Tensor = self._model.vision_projection(looked).flatten(1)
        return features

    def _by_query(self, rows: Vectors) -> npt.NDArray[np.float32]:
        return rows.reshape(len(rows), int(self._model.config.num_query_tokens), self.dim)

    def _padded(self, ids: Sequence[TokenIds]) -> "tuple[torch.Tensor, torch.Tensor]":
        filled, mask = padded(ids, self._words.pad)
        return filled.to(self._model.device), mask.to(self._model.device)

    def _on_device(self, array: npt.NDArray[np.float32]) -> "torch.Tensor":
        tensor: torch.Tensor = import_torch().from_numpy(array).to(self._model.device)
        return tensor

    @classmethod
    def from_state(cls, state: EncoderState) -> "BLIP2":
        """The encoder that ``state`` describes, loaded again from the same place.

        Raises:
            ProvenanceError: the state is another encoder's or not whole, or other weights lie in the place now.
            EncoderError: the weights are gone or damaged.
        """
        settings = saved_settings(state, "blip2", (*NEEDED, "queries"))
        runtime = Runtime(precision=settings["precision"])
        loaded = load_blip2(Path(settings["place"]), queries=settings["queries"], runtime=runtime)
        require_same_weights(state, loaded.state)
        return loaded


def load_blip2(place: Path, *, queries: Queries = "first", runtime: Runtime | None = None) -> BLIP2:
    """Load BLIP-2's retrieval model, such as Salesforce/blip2-itm-vit-g.

    Args:
        place: a folder with config.json, the weights as safetensors, and vocab.txt or tokenizer.json.
        queries: what `BLIP2.similarity` compares a text with: the first query (``first``), or the nearest (``max``).
        runtime: device, precision and batch size.

    Raises:
        EncoderError: something is missing, damaged, or another model's.
    """
    if queries not in ("first", "max"):
        raise EncoderError(f"there is no rule {queries!r} for queries; choose first or max")
    kind = read_config(place).get("model_type")
    if kind != "blip-2":
        raise EncoderError(
            f"{place} holds a model of the type {kind!r}, not blip-2; get Salesforce/blip2-itm-vit-g, or use the "
            f"encoder blip for BLIP"
        )
    how = runtime or Runtime()
    model = load_model(place, "Blip2ForImageTextRetrieval", how)
    model.vision_model.post_layernorm.eps = _EPS_OF_LAST_NORM
    words = load_word_pieces(place, model.config.qformer_config.vocab_size, BLIP2_MARKS, unused=_UNUSED_IDS)
    settings = {
        "place": str(place.resolve()),
        "weights": digest_of(place),
        "precision": how.precision,
        "queries": queries,
    }
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    return BLIP2(model, words, preprocessing, EncoderState("blip2", settings, {}), how)
