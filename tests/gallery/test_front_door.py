"""The names at the top: imported when used, and nothing of the host is changed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vernissage

CHECK = """
import sys, warnings
import PIL.Image
heavy = set(sys.modules)
import vernissage
assert not {"numpy", "faiss", "sqlalchemy"} & (set(sys.modules) - heavy), "heavy modules were imported"
import numpy  # which adds filters of its own
before = PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters)
for name in vernissage.__all__:
    getattr(vernissage, name)
assert (PIL.Image.MAX_IMAGE_PIXELS, list(warnings.filters)) == before, "the host was changed"
"""


def test_importing_costs_and_changes_nothing() -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-c", CHECK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_listed_name_is_there_and_a_wrong_one_is_told() -> None:
    assert set(vernissage.__all__) <= set(dir(vernissage))
    assert all(getattr(vernissage, name) is not None for name in vernissage.__all__)
    with pytest.raises(AttributeError, match="no attribute 'recommend'"):
        vernissage.recommend  # noqa: B018


def test_build_open_and_recommend_in_four_lines(gallery: Path, tmp_path: Path) -> None:
    vernissage.build(gallery, tmp_path / "workspace", encoders=["lsa", "colour-texture"])
    with vernissage.open(tmp_path / "workspace") as opened:
        answer = opened.recommend({"w000": 5, "w001": 1}, n=4)
    assert len(answer) == 4
    assert {work.item.group for work in answer} == {"sea"}


def test_an_option_that_a_build_has_not_is_refused_before_anything_is_written(gallery: Path, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="no option 'topic'"):
        vernissage.build(gallery, tmp_path / "workspace", topic=5)  # type: ignore[call-arg]
    assert not (tmp_path / "workspace").exists()


def test_the_command_and_python_answer_alike(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from vernissage.cli.main import main

    ratings = {"w000": 5.0, "w003": 4.0, "w009": 1.0}
    with pytest.raises(SystemExit, match="0"):
        main(["recommend", str(built), *(f"--rate={key}={value}" for key, value in ratings.items()), "--json"])
    printed = json.loads(capsys.readouterr().out)
    with vernissage.open(built, writing=False) as opened:
        assert printed == opened.recommend(ratings).to_dict()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda g: vernissage.open(None), "open takes a path, as a text or a pathlib.Path, but None was given"),
        (lambda g: vernissage.build(None, "w"), "the source takes a path"),
        (lambda g: vernissage.build("nowhere", None), "the workspace takes a path"),
        (lambda g: g.search(None), "search takes words, the Path of a picture, an open picture or a vector, but"),
        (lambda g: g.search(np.ones(3)), "without the encoder that made it"),
        (lambda g: g.search(np.ones(3), encoder="colour-texture"), r"a vector of shape \(3,\)"),
        (lambda g: g.search(np.full(512, np.nan), encoder="colour-texture"), "finite numbers"),
        (lambda g: g.recommend({"w000": 5}, weights=3), "weights takes numbers by engine, .*but 3 was given"),
        (lambda g: g.recommend({"w000": 5}, weights={"lda": "much"}), "weights takes numbers by engine"),
        (lambda g: g.recommend({"w000": 5}, fusion="rrf"), "fusion takes a Fusion"),
        (lambda g: g.person(None), "name the person"),
    ],
)
def test_values_of_other_kinds_are_told(built: Path, call: Callable[[vernissage.Gallery], object], words: str) -> None:
    with vernissage.open(built, writing=False) as opened, pytest.raises(vernissage.RequestError, match=words):
        call(opened)


def test_unknown_works_to_leave_out_are_noted(built: Path) -> None:
    with vernissage.open(built, writing=False) as opened:
        ratings = {"w000": 5.0}
        asked = [
            opened.recommend(ratings, 3, exclude=["w001", "x1", "x2"]),
            opened.search("storm", 3, exclude=["x1", "x2"]),
        ]
        assert all("there is no work x1, x2, which exclude names" in answer.notes for answer in asked)
        assert opened.elicitation(3, exclude=["w001"]).notes == ()
