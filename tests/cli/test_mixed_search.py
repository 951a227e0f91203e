"""The command search with one index of pictures and texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from vernissage.cli.main import main

METHODS = ["raw", "means", "zscore"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*arguments: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.err if code else captured.out

    return call


@pytest.mark.parametrize("method", METHODS)
def test_a_search_finds_pictures_and_texts_in_one_list(run: Any, built: Path, method: str) -> None:
    asked = ("search", built, "a lighthouse in the storm", "--mixed", "--gap", method)
    answer = json.loads(run(*asked, "-n", "40", "--json"))
    assert (answer["encoder"], answer["within"], answer["method"]) == ("aligned", "mixed", method)
    assert len(answer["works"]) == 40
    assert {work["modality"] for work in answer["works"]} == {"image", "text"}
    assert all(int(work["id"][1:]) % 2 == 0 for work in answer["works"][:5])  # seas
    some = json.loads(run(*asked, "--where", "year>=1850", "-n", "28", "--json"))["works"]
    assert len(some) == 28 == len({(work["id"], work["modality"]) for work in some})
    assert all(int(work["id"][1:]) >= 50 for work in some)
    assert "found as" in run(*asked)
    assert json.loads(run(*asked[:-2], "--method", method, "-n", "40", "--json")) == answer  # the option's former name


def test_a_mixed_search_that_cannot_be_answered_says_why(run: Any, built: Path) -> None:
    asked = ("search", built, "a storm", "--mixed")
    assert "give one of them" in run(*asked, "--pictures", code=1)
    assert "add --mixed" in run("search", built, "a storm", "--gap", "raw", code=1)
    assert "choose means, zscore, raw" in run(*asked, "--gap", "mean", code=1)
    assert len(json.loads(run(*asked, "-n", "129", "--json"))["works"]) == 128
    assert json.loads(run("search", built, "☃☃", "--mixed", "--json"))["works"] == []
    assert "lsa reads texts alone" in run(*asked, "--encoder", "lsa", code=1)
