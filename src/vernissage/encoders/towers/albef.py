"""ALBEF: pictures and texts in one space, and whether a picture and a text belong together.

Li et al., *Align before Fuse*, NeurIPS 2021 (doi 10.48550/arXiv.2107.07651), from the authors' checkpoints. A vision
transformer and the lower half of a BERT give 256-d vectors; BERT's upper half looks at the picture and gives the
probability that both belong together (image-text matching, ITM).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime, import_torch, in_batches
from vernissage.encoders.runtime.loaded import LoadedEncoder, described, fingerprint_of, load_again
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.token_batches import TokenIds
from vernissage.encoders.runtime.weights import digest_of
from vernissage.encoders.towers.albef_network import AlbefNetwork
from vernissage.encoders.towers.albef_weights import AlbefFiles, albef_files, read_albef
from vernissage.encoders.towers.albef_words import AlbefWords, Cleaning, read_words
from vernissage.encoders.towers.two_towers import ImageTower, TextTower
from vernissage.errors import EncoderError, ProvenanceError
from vernissage.files import digest
from vernissage.progress import Progress, silent
from vernissage.values import Modality

if TYPE_CHECKING:
    import torch

_MATCHING = "matching pictures and texts"


@dataclass(frozen=True)
class Matches:
    """Whether pictures and texts belong together.

    Attributes:
        probabilities: float32, the softmax of the logits at "yes".
        logits: float32 with one more axis of length 2: "no", "yes".
    """

    probabilities: npt.NDArray[np.float32]
    logits: npt.NDArray[np.float32]

    @classmethod
    def from_logits(cls, logits: npt.NDArray[np.float32]) -> "Matches":
        """The probability of "yes" is 1 / (1 + exp(no - yes)), here in the form that cannot overflow."""
        difference = logits[..., 1].astype(np.float64) - logits[..., 0]
        return cls((0.5 * (1 + np.tanh(difference / 2))).astype(np.float32), logits)


class ALBEF(LoadedEncoder, ImageTower, TextTower):
    """Pictures and texts as unit vectors of one space; the inner product is a cosine. `load_albef` makes it."""

    modalities: frozenset[Modality] = frozenset({"image", "text"})
    blank_is_zero = False  # an empty caption has a vector, that of [CLS] alone, as in the original code

    def __init__(
        self,
        network: AlbefNetwork,
        words: AlbefWords,
        preprocessing: Preprocessing,
        state: EncoderState,
        runtime: Runtime,
    ) -> None:
        """Join the parts; ``state`` says where they came from and what they are."""
        super().__init__(network, state, runtime, preprocessing)
        self.network, self.words, self.preprocessing = network, words, preprocessing

    @property
    def dim(self) -> int:
        return self.network.architecture.dim

    @property
    def parameters(self) -> int:
        return sum(int(values.numel()) for values in self.network.weights.values())

    def token_ids(self, texts: Sequence[str]) -> list[TokenIds]:
        """The word pieces of each text that the network reads, [CLS] first, without padding."""
        return self.words.ids(texts)

    def _run_images(self, images: Sequence[Image.Image]) -> "torch.Tensor":
        return self.network.image_features(self._pixels(images))

    def _run_texts(self, ids: Sequence[TokenIds]) -> "torch.Tensor":
        return self.network.text_features(*self._ids(ids))

    def itm(self, images: Sequence[Image.Image], texts: Sequence[str]) -> Matches:
        """Match every picture with the text at its place: probabilities (n,), logits (n, 2).

        A picture that stands at several places as the same object goes through the vision transformer once a batch.

        Raises:
            EncoderError: there are not as many texts as pictures.
        """
        if len(images) != len(texts):
            raise EncoderError(
                f"{len(images)} pictures and {len(texts)} texts are no pairs; give one text for each picture, or use "
                f"itm_grid to match every picture with every text"
            )

        def run(pairs: Sequence[tuple[Image.Image, list[int]]]) -> "torch.Tensor":
            different = {id(image): image for image, _ in pairs}
            place = {key: row for row, key in enumerate(different)}
            with self.runtime.autocast():
                tokens = self.network.image_tokens(self._pixels(list(different.values())))
                ids, real = self._ids([row for _, row in pairs])
                states = self.network.text_states(ids, real)
                return self.network.match_logits(states, real, tokens[[place[id(image)] for image, _ in pairs]])

        pairs = list(zip(images, self.words.ids(texts), strict=True))
        return Matches.from_logits(in_batches(pairs, run, batch_size=self.runtime.batch_size, width=2))

    def itm_grid(self, images: Sequence[Image.Image], texts: Sequence[str], *, progress: Progress = silent) -> Matches:
        """Match every picture with every text: probabilities (images, texts), logits (images, texts, 2).

        Every picture and every text goes once through its own layers, and every pair through the fusion layers; the
        states of all texts are kept meanwhile: 92 kB a text with the published weights.
        """
        logits = np.zeros((len(images), len(texts), 2), dtype=np.float32)
        if images and texts:
            ids, real = self._ids(self.words.ids(texts))
            states = self._text_states(ids, real)
            for row, image in enumerate(images):
                progress(_MATCHING, row, len(images))
                logits[row] = self._match_one(image, states, real)
        progress(_MATCHING, len(images), len(images))
        return Matches.from_logits(logits)

    def _match_one(self, image: Image.Image, states: "torch.Tensor", real: "torch.Tensor") -> npt.NDArray[np.float32]:
        """One picture's logits with all texts, (n, 2); its tokens stand once for a whole batch of texts."""
        with import_torch().inference_mode(), self.runtime.autocast():
            tokens = self.network.image_tokens(self._pixels([image]))

        def run(rows: Sequence[int]) -> "torch.Tensor":
            some = slice(rows[0], rows[-1] + 1)
            with self.runtime.autocast():
                return self.network.match_logits(states[some], real[some], tokens)

        return in_batches(range(len(states)), run, batch_size=self.runtime.batch_size, width=2)

    def _text_states(self, ids: "torch.Tensor", real: "torch.Tensor") -> "torch.Tensor":
        """The texts' states below the fusion layers, (n, length, width), made a batch at a time."""
        size, split, join = max(1, self.runtime.batch_size), import_torch().split, import_torch().cat
        with import_torch().inference_mode(), self.runtime.autocast():
            parts = zip(split(ids, size), split(real, size), strict=True)
            states: torch.Tensor = join([self.network.text_states(*part) for part in parts])
        return states

    def _ids(self, rows: Sequence[TokenIds]) -> "tuple[torch.Tensor, torch.Tensor]":
        """Ids filled up with [PAD], and which are real: both (n, longest), on the device."""
        ids = self.runtime.on_device(self.words.padded(rows))
        return ids, ids != self.words.padding

    @classmethod
    def from_state(cls, state: EncoderState) -> "ALBEF":
        """The encoder that ``state`` describes, with its precision and sizes.

        Raises:
            ProvenanceError: what `load_again` refuses, or the weights are read with other layers or heads now.
            EncoderError: the weights are gone or damaged.
        """

        def load(place: Path, vocabulary: str, **options: Any) -> ALBEF:
            return load_albef(place, vocabulary=Path(vocabulary), **options)

        again = load_again(state, "albef", load, ("vocabulary", "image_size", "cleaning"))
        if again.fingerprint != fingerprint_of(state, again.preprocessing):
            raise ProvenanceError(
                f"the weights at {state.settings['place']} are read with other layers or heads than the vectors were "
                f"made with; put config.json and config_bert.json back beside them, or build again with --refit"
            )
        return again


def load_albef(
    place: Path,
    *,
    image_size: int | None = None,
    vocabulary: Path | None = None,
    cleaning: Cleaning = "albef",
    runtime: Runtime | None = None,
) -> ALBEF:
    """Load ALBEF from a checkpoint of its authors, or the same tensors as safetensors.

    Args:
        place: ALBEF.pth, mscoco.pth, flickr30k.pth, a .safetensors file, or a folder that holds one of them. Settings
            of its training (config.json, config_bert.json) may lie beside it, and must for sizes of one's own.
        image_size: pixels a side; None takes what the weights are for: 256 pre-training, 384 fine-tuned. For another
            the position embeddings are interpolated bicubically, as the authors do.
        vocabulary: vocab.txt of bert-base-uncased or its folder; None takes the one beside the weights.
        cleaning: ``albef`` as in training, or ``zccr`` as the code of ZCCR: neither cut at 30 ids nor without the
            tag ``<person>``.
        runtime: device, precision and batch size.

    Raises:
        EncoderError: files are missing or damaged, or tensors are missing or do not fit; nothing is made up.
    """
    if cleaning not in ("albef", "zccr"):
        raise EncoderError(f"there is no cleaning {cleaning!r}; choose albef or zccr")
    how = runtime or Runtime()
    files = albef_files(place.resolve(), vocabulary.resolve() if vocabulary else None)
    sizes, weights = read_albef(files, image_size)
    words = read_words(files.vocabulary, cleaning, size=sizes.vocabulary, positions=sizes.positions)
    device = how.resolved_device()
    network = AlbefNetwork(sizes, {name: tensor.to(device) for name, tensor in weights.items()})
    state = described(
        "albef",
        files.weights,
        _digest(files),
        how,
        vocabulary=str(files.vocabulary),
        image_size=sizes.image_size,
        cleaning=cleaning,
        network=asdict(sizes),
    )
    return ALBEF(network, words, Preprocessing("squash", sizes.image_size), state, how)


def _digest(files: AlbefFiles) -> str:
    """SHA-256 over the weights and the vocabulary."""
    return digest(*(digest_of(file).encode() for file in (files.weights, files.vocabulary)))
