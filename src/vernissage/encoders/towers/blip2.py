"""BLIP-2: a frozen picture model, looked at through 32 learned queries that texts are compared with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import unit_rows
from vernissage.encoders.runtime.devices import USUAL, Runtime, import_torch
from vernissage.encoders.runtime.loaded import described
from vernissage.encoders.runtime.pairs import ImageStates, PairTower, WordPieces, bert_pieces, clean_caption_blip
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.weights import digest_of, load_model, read_config
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch

_MARKS = ("[DEC]",)
_MOST_IDS = 32
"""With [CLS] and [SEP]: how captions are cut in BLIP-2's matching."""

_EPS_OF_LAST_NORM = 1e-5
"""What the original model has behind its picture half; transformers takes that of the inner layers, 1e-6."""

_UNUSED_IDS = 64
"""What copies of the model may have behind its own ids: one for a picture's place in a text, and filling to 64."""


class BLIP2(PairTower):
    """A loaded BLIP-2 retrieval model; the inner product of two vectors is a cosine, across pictures and texts too.

    Li et al., ICML 2023, arXiv 2301.12597. A picture has a vector for each query. The first stands for it in
    `encode_images`, as in the notebook of Yilma & Leiva, UMAP 2023 (doi 10.1145/3565472.3592964); as trained, a text is
    as near to a picture as to the nearest of its queries (`image_features`). Matching (`itm_block`) reads picture and
    text together.
    """

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        """Unit vectors of pictures that stand upright, those of the first query: float32 (n, dim)."""
        return unit_rows(self.image_features(images)[:, 0])

    def image_features(self, images: Sequence[Image.Image]) -> npt.NDArray[np.float32]:
        """What the model projects each query of a picture to, not of unit length: float32 (n, queries, dim)."""
        rows = super().image_features(images)
        return rows.reshape(len(rows), int(self.network.config.num_query_tokens), self.dim)

    def image_vectors(self, states: ImageStates) -> Vectors:
        """The rows of `encode_images` from `image_states`, without looking at the pictures again."""
        return unit_rows(self._projected(states)[:, : self.dim])

    def vectors_of_tokens(self, ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        words = self.network.embeddings(input_ids=ids)
        read = self.network.qformer(query_embeds=words, query_length=0, attention_mask=mask)
        features: torch.Tensor = self.network.text_projection(read.last_hidden_state[:, 0])
        return features

    def _match(self, seen: "torch.Tensor", ids: "torch.Tensor", mask: "torch.Tensor") -> "torch.Tensor":
        """The head's logits for each query, averaged."""
        queries = self.network.query_tokens.expand(len(ids), -1, -1)
        read = self.network.qformer(
            query_embeds=self.network.embeddings(input_ids=ids, query_embeds=queries),
            query_length=queries.shape[1],
            attention_mask=import_torch().cat([mask.new_ones(queries.shape[:2]), mask], dim=1),
            encoder_hidden_states=seen.expand(len(ids), -1, -1),
        ).last_hidden_state[:, : queries.shape[1]]
        logits: torch.Tensor = self.network.itm_head(read).float().mean(dim=1)
        return logits

    def _project(self, seen: "torch.Tensor") -> "torch.Tensor":
        """The projected queries of pictures that were seen, (n, queries × dim)."""
        queries = self.network.query_tokens.expand(len(seen), -1, -1)
        looked = self.network.qformer(query_embeds=queries, encoder_hidden_states=seen).last_hidden_state
        features: torch.Tensor = self.network.vision_projection(looked).flatten(1)
        return features


def load_blip2(place: Path, *, runtime: Runtime = USUAL) -> BLIP2:
    """Load BLIP-2's retrieval model, such as Salesforce/blip2-itm-vit-g.

    Args:
        place: a folder with config.json, the weights as safetensors, and vocab.txt or tokenizer.json.

    Raises:
        EncoderError: something is missing, damaged, or another model's.
    """
    read_config(place, "blip-2", "get Salesforce/blip2-itm-vit-g, or use the encoder blip for BLIP")
    model = load_model(place, "Blip2ForImageTextRetrieval", runtime)
    model.vision_model.post_layernorm.eps = _EPS_OF_LAST_NORM
    tokenizer, _ = bert_pieces(place, model.config.qformer_config.vocab_size, _MARKS, unused=_UNUSED_IDS)
    words = WordPieces(tokenizer, clean_caption_blip, _MOST_IDS)
    preprocessing = Preprocessing("squash", int(model.config.vision_config.image_size))
    state = described("blip2", place, digest_of(place), runtime, queries="first")
    return BLIP2(model, words, preprocessing, state, runtime)
