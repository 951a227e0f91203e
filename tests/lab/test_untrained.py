"""Networks without their weights: of the published sizes, called untrained, and lost when the process ends."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.encoders.tiny_models import pictures  # noqa: E402

from vernissage.encoders.loading import restore  # noqa: E402
from vernissage.encoders.register import models  # noqa: E402
from vernissage.encoders.runtime.devices import Runtime  # noqa: E402
from vernissage.encoders.towers.clip import CLIP  # noqa: E402
from vernissage.errors import EncoderError, ProvenanceError  # noqa: E402
from vernissage_lab import untrained  # noqa: E402
from vernissage_lab.untrained import byte_pair_tokenizer, word_pieces  # noqa: E402

TEXTS = ["A storm at sea, with two ships.", "the rose in a garden", "Roses &amp; a sea of ships"]
TINY = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES = {"vision_config": {**TINY, "image_size": 32, "patch_size": 16}, "text_config": TINY, "projection_dim": 8}


class OnMeta(Runtime):
    """torch's device of shapes without numbers, on which the largest network costs nothing."""

    def resolved_device(self) -> str:
        return "meta"


def tiny_clip(seed: int = 0, runtime: Runtime | None = None) -> CLIP:
    torch.manual_seed(seed)
    making = untrained.Making("untrained tiny", TEXTS, runtime or Runtime("cpu"), seed)
    made = untrained.ARCHITECTURES["clip-vit-base-patch32"].make(making, **SIZES)
    assert isinstance(made, CLIP)
    return made


@pytest.mark.parametrize("card", untrained.ARCHITECTURES)
def test_sizes_are_those_of_the_model_cards(card: str) -> None:
    with torch.device("meta"):
        made = untrained.load_untrained(card, TEXTS, runtime=OnMeta())
    published = models()[card]
    assert made.name == f"untrained {card}"
    assert made.dim == published.dim  # type: ignore[attr-defined]
    assert made.modalities == untrained.ARCHITECTURES[card].modalities == set(published.modalities)  # type: ignore[attr-defined]
    assert made.parameters == published.parameters


def test_equal_seeds_make_equal_vectors_and_others_do_not() -> None:
    images = pictures()
    first, again, other = tiny_clip(0), tiny_clip(0), tiny_clip(1)
    assert np.array_equal(first.encode_images(images), again.encode_images(images))
    assert np.array_equal(first.encode_texts(TEXTS), again.encode_texts(TEXTS))
    assert np.abs(first.encode_images(images) - other.encode_images(images)).max() > 0.01
    assert first.encode_texts(TEXTS).shape == (3, 8)
    assert np.linalg.norm(first.encode_texts(TEXTS), axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert np.abs(first.encode_texts(TEXTS)[0] - first.encode_texts(TEXTS)[1]).max() > 1e-4


def test_loading_leaves_the_random_numbers_of_others_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    made = untrained.load_untrained("resnet50", (), runtime=Runtime("cpu"))
    assert torch.equal(torch.rand(3), expected)
    rows = made.encode_images(pictures()[:2])  # type: ignore[attr-defined]
    assert rows.shape == (2, 2048)
    assert np.isfinite(rows).all()


def test_no_saved_state_gives_one_back() -> None:
    state = tiny_clip().state
    with pytest.raises(ProvenanceError, match="'untrained tiny'"):
        restore("clip", state)
    with pytest.raises(ProvenanceError, match="this one is of 'untrained tiny'"):
        restore("sentence", state)


@pytest.mark.parametrize("card", ["blip2-itm-vit-g", "siglip2-base-patch16-224", "minilm", "nothing"])
def test_cards_whose_network_needs_a_hub_are_refused(card: str) -> None:
    with pytest.raises(EncoderError, match=f"'{card}'.*clip-vit-base-patch32.*resnet50"):
        untrained.load_untrained(card, TEXTS)


def test_every_word_of_the_texts_is_one_byte_pair_and_the_end_is_the_last_entry() -> None:
    tokenizer = byte_pair_tokenizer(TEXTS, 49_408)
    assert len(tokenizer) == 49_408
    assert tokenizer.eos_token_id == 49_407
    words = tokenizer.convert_ids_to_tokens(tokenizer("the roses &c at sea")["input_ids"])
    assert words[1:-1] == ["the</w>", "roses</w>", "&</w>", "c</w>", "at</w>", "sea</w>"]
    ids = tokenizer("an unseen zebra")["input_ids"]
    assert 49_407 not in ids[:-1]  # spelled out, not unknown
    assert len(ids) > 5


def test_a_list_of_byte_pairs_that_is_too_long_for_the_size_is_cut() -> None:
    assert len(byte_pair_tokenizer(TEXTS, 2 * 256 + 2 + 7)) == 2 * 256 + 2 + 7


def test_word_pieces_have_the_size_with_marks_first_and_the_commonest_words_kept() -> None:
    pieces = word_pieces(TEXTS, 200)
    assert len(pieces) == 200
    assert sorted(pieces.values()) == list(range(200))
    assert list(pieces)[:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert {"sea", "ships", "##z", "rose"} <= pieces.keys()
    assert pieces["a"] < pieces["sea"] < pieces["rose"]  # letters, then words by how often they stand
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.BertTokenizer(vocab=pieces)
    assert tokenizer.tokenize("Roses at sea, zebra") == [
        "roses",
        "at",
        "sea",
        ",",
        "z",
        *(f"##{letter}" for letter in "ebra"),
    ]


def test_precision_is_part_of_what_it_is() -> None:
    assert tiny_clip().fingerprint != tiny_clip(runtime=Runtime("cpu", "bfloat16")).fingerprint
    assert tiny_clip().fingerprint != tiny_clip(seed=1).fingerprint
    assert math.isclose(float(np.abs(tiny_clip().encode_texts([" "])).max()), 0.0)
