import numpy as np
import pytest
from tests.lab.labelled import gallery

from vernissage.errors import RequestError
from vernissage.study.simulation import Showing
from vernissage_lab.study_people import JUDGED, TasteModel

COLLECTION, LABELS = gallery(300)
QUIET = {"participant_sd": 0.0, "residual_sd": 0.0, "showing_sd": 0.0}


def showing(rows: list[int], engine: str = "any", repetition: int = 1) -> Showing:
    return Showing(tuple(LABELS.item_ids[row] for row in rows), engine, repetition)


def ranked(random: np.random.Generator) -> list[int]:
    """The works as a person with that stream likes them, the best first, by asking for all of them in turns."""
    person = TasteModel(LABELS, **QUIET)(random)
    stars = person.rate(LABELS.item_ids)
    return sorted(range(len(LABELS.item_ids)), key=lambda row: -stars[LABELS.item_ids[row]])


def test_lists_that_suit_a_taste_are_judged_more_accurate() -> None:
    model = TasteModel(LABELS, **QUIET)
    for seed in range(10):
        order = ranked(np.random.default_rng(seed))
        person = model(np.random.default_rng(seed))
        best, worst = (person.judge(showing(rows)) for rows in (order[:9], order[-9:]))
        assert best["accuracy"] >= 4
        assert worst["accuracy"] <= 2
        assert worst["serendipity"] == 1


def test_lists_of_one_kind_are_judged_less_diverse() -> None:
    codes = LABELS.codes
    same = [row for row in range(300) if tuple(codes[row]) == tuple(codes[0])][:5]
    different = [int(np.flatnonzero((codes[:, 0] == kind) & (codes[:, 1] == kind))[0]) for kind in range(5)]
    person = TasteModel(LABELS, **QUIET)(np.random.default_rng(0))
    assert person.judge(showing(same))["diversity"] == 1
    assert person.judge(showing(different))["diversity"] == 5
    assert person.judge(showing(same[:1]))["diversity"] == 1


@pytest.mark.parametrize(("known", "novelty"), [(0.0, 5), (1.0, 1)])
def test_novelty_is_the_share_of_unknown_works(known: float, novelty: int) -> None:
    person = TasteModel(LABELS, known=known, **QUIET)(np.random.default_rng(0))
    assert person.judge(showing(list(range(9))))["novelty"] == novelty


def test_the_engine_and_its_name_change_nothing_and_showings_differ_by_their_noise_alone() -> None:
    model = TasteModel(LABELS, showing_sd=0.0, participant_sd=1.0, residual_sd=1.0)
    person = model(np.random.default_rng(4))
    first = person.judge(showing([3, 1, 4, 1 + 4, 9], "lda", 1))
    assert person.judge(showing([3, 1, 4, 5, 9], "clip", 2)) == first
    assert tuple(first) == JUDGED
    assert any(person.judge(showing(list(rows))) != first for rows in ((30, 31, 32), (60, 61, 62), (90, 91, 92)))


def test_equal_streams_are_equal_people() -> None:
    answers = [TasteModel(LABELS)(np.random.default_rng(seed)).rate(LABELS.item_ids[:50]) for seed in (7, 7, 8)]
    assert answers[0] == answers[1] != answers[2]
    assert set(answers[0].values()) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("values", [{"known": -0.1}, {"known": 1.1}, {"showing_sd": -1.0}])
def test_people_who_cannot_be_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(RequestError, match="share of works from 0 to 1"):
        TasteModel(LABELS, **values)
