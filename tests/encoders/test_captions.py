import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vernissage.encoders.runtime.pairs import clean_caption_albef, clean_caption_blip

GOLDEN = Path(__file__).resolve().parents[2].parent / "shared" / "golden"


@pytest.mark.parametrize(
    ("caption", "albef", "blip"),
    [
        ("Two men's hats -- red/blue", "two mens hats red blue", "two men's hats -- red/blue"),
        ("A boat, (small) and a ship!", "a boat small and a ship", "a boat, small and a ship"),
        ("Why? left-hand; 3:4 #1 *wow* ~", "why left hand 34 1 wow", "why? left-hand 3 4 1 wow"),
        ("a.b@c.com", "ab@ccom", "a b@c com"),
        ("<person> with a <hat>", "person with a <hat>", "<person> with a <hat>"),
        ("  many   spaces \n", "many spaces", "many spaces"),
        ("one\ttab and\nline\n", "one\ttab and\nline", "one\ttab and\nline"),
        ("", "", ""),
        ("?!", "", "?"),
    ],
)
def test_each_model_has_its_own_rule(caption: str, albef: str, blip: str) -> None:
    assert clean_caption_albef(caption) == albef
    assert clean_caption_blip(caption) == blip


def test_the_tag_of_a_person_is_kept_when_asked() -> None:
    assert clean_caption_albef("<person> rides", person_tag=True) == "<person> rides"


def test_long_captions_are_cut_at_the_number_of_words() -> None:
    words = [f"w{number}" for number in range(60)]
    assert clean_caption_albef(" ".join(words)) == " ".join(words[:30])
    assert clean_caption_blip(" ".join(words)) == " ".join(words[:50])
    assert clean_caption_albef(" ".join(words[:30])) == " ".join(words[:30])
    assert clean_caption_blip(" ".join(words[:50])) == " ".join(words[:50])


@given(st.text())
def test_no_deleted_sign_and_no_outer_space_is_left(caption: str) -> None:
    albef, blip = clean_caption_albef(caption), clean_caption_blip(caption)
    assert not set(albef) & set(",.'!?\"()*#:;~-/")
    assert not set(blip) & set('.!"()*#:;~')
    assert albef == albef.strip(" ")
    assert blip == blip.strip(" ")


@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the reference values are not beside this checkout")
@pytest.mark.parametrize("folder", ["albef", "blip"])
def test_cleaned_captions_are_those_of_the_original_code(folder: str) -> None:
    inputs = json.loads((GOLDEN / folder / "inputs.json").read_text())
    rule = clean_caption_albef if folder == "albef" else clean_caption_blip
    assert [rule(caption) for caption in inputs["captions"]] == inputs["pre_caption"]
    if folder == "albef":
        zccr = [clean_caption_albef(caption, person_tag=True) for caption in inputs["captions"]]
        assert zccr == inputs["zccr_pre_caption"]
