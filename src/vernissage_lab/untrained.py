"""Published architectures with random weights, for timing and nothing else: weights change no speed.

Sizes are those of the published configurations; the numbers of parameters are those of the model cards. Vocabularies
cannot be had without a download either and are made of the texts at hand: nearly every word is one token. Such an
encoder is called untrained by its name, is kept nowhere, and no saved state gives it back.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vernissage.encoders.contract import EncoderState
from vernissage.encoders.runtime.devices import Runtime, import_extra, import_torch
from vernissage.encoders.runtime.loaded import LoadedEncoder
from vernissage.encoders.runtime.pixels import Preprocessing
from vernissage.encoders.runtime.weights import quiet
from vernissage.encoders.towers.albef import ALBEF, AlbefArchitecture, AlbefNetwork, albef_words
from vernissage.encoders.towers.clip import CLIP, byte_letters, clean_text, tokenizer_of_merges
from vernissage.encoders.towers.resnet import PREPROCESSING, ResNet50
from vernissage.errors import EncoderError
from vernissage.values import Modality

_BERT_WORDS = 30_522
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORD = re.compile(r"[^\W_]+")
_NORMAL = 0.02
"""The standard deviation that transformers draws such networks' weights with."""


@dataclass(frozen=True)
class Making:
    """What an untrained encoder is made from.

    Attributes:
        name: of the encoder, with the word untrained.
        texts: that its vocabulary is made of.
        runtime: device, precision and batch size.
        seed: of the weights.
    """

    name: str
    texts: Sequence[str]
    runtime: Runtime
    seed: int

    def state(self, **settings: Any) -> EncoderState:
        """What the encoder is; there is no place that it could be loaded from again."""
        weights = f"random, seed {self.seed}"
        return EncoderState(self.name, {"weights": weights, "precision": self.runtime.precision, **settings}, {})


@dataclass(frozen=True)
class Architecture:
    """A network that is known without a download: what builds the encoder, and what that reads."""

    make: Callable[..., LoadedEncoder]
    modalities: frozenset[Modality]


def load_untrained(card: str, texts: Sequence[str], *, runtime: Runtime | None = None, seed: int = 0) -> LoadedEncoder:
    """The network of a model card with random weights; equal seeds give equal weights.

    Args:
        texts: its vocabulary is made of; read by no network of pictures alone.

    Raises:
        EncoderError: there is no such card, or its network cannot be made without a download.
    """
    require_architecture(card)
    found, torch = ARCHITECTURES[card], import_torch()
    with torch.random.fork_rng(devices=[]), quiet(import_extra("transformers")):
        torch.manual_seed(seed)
        return found.make(Making(f"untrained {card}", texts, runtime or Runtime(), seed))


def require_architecture(card: str) -> None:
    """Refuse a card whose network is not known here.

    Raises:
        EncoderError: there is none; the message names those that there are.
    """
    if card not in ARCHITECTURES:
        raise EncoderError(
            f"no untrained network can be made of {card!r}; choose from {', '.join(ARCHITECTURES)}; others are "
            f"timed with their weights, by -e"
        )


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


def _clip(making: Making, **sizes: Any) -> CLIP:
    transformers = import_extra("transformers")
    model = transformers.CLIPModel(transformers.CLIPConfig(**sizes))
    tokenizer = byte_pair_tokenizer(making.texts, model.config.text_config.vocab_size)
    preprocessing = Preprocessing("shorter", int(model.config.vision_config.image_size))
    return CLIP(_placed(model, making), tokenizer, preprocessing, making.state(prompt=None), making.runtime)


def _albef(making: Making) -> ALBEF:
    torch, architecture = import_torch(), AlbefArchitecture()
    device = making.runtime.resolved_device()
    weights = {}
    for name, shape in architecture.shapes().items():
        drawn = torch.randn(shape) * _NORMAL
        norm = "norm" in name.lower() and name.endswith("weight")
        weights[name] = (drawn + 1 if norm else drawn).to(device)
    pieces = word_pieces(making.texts, architecture.vocabulary)
    tokenizer = import_extra("transformers").BertTokenizer(vocab=pieces, do_lower_case=True)
    words = albef_words(tokenizer, "albef", architecture.positions)
    preprocessing = Preprocessing("squash", architecture.image_size)
    return ALBEF(AlbefNetwork(architecture, weights), words, preprocessing, making.state(), making.runtime)


def _resnet(making: Making) -> ResNet50:
    transformers = import_extra("transformers")
    model = transformers.ResNetForImageClassification(transformers.ResNetConfig(num_labels=1000))
    return ResNet50(_placed(model, making), None, PREPROCESSING, making.state(), making.runtime)


def _placed(model: Any, making: Making) -> Any:
    return model.eval().to(making.runtime.resolved_device())


_IMAGE: frozenset[Modality] = frozenset({"image"})
_TEXT: frozenset[Modality] = frozenset({"text"})

ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType(
    {
        "clip-vit-base-patch32": Architecture(_clip, _IMAGE | _TEXT),
        "albef": Architecture(_albef, _IMAGE | _TEXT),
        "resnet50": Architecture(_resnet, _IMAGE),
    }
)
"""The networks of the papers that can be made without a download, by model card."""
