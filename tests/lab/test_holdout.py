import csv
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import mean

import numpy as np
import pytest
from tests.worlds import table_of

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.recommenders.upload_rules import Fused
from vernissage.recommenders.uploads import UploadFusion
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.values import Modality, Ranking, Vectors
from vernissage_lab.contenders import RULES, contenders_of
from vernissage_lab.holdout import holdout, worth
from vernissage_lab.holdout_results import POSSIBLE, Cell, Holdout, Measured, write_values
from vernissage_lab.listings import Listing, interleaved, lister_of
from vernissage_lab.splits import split_works, works_of_owners
from vernissage_lab.trials import backgrounds_of, make_trial

MODALITIES: tuple[Modality, ...] = ("image", "text")
THEMES = 8
PEOPLE = {"ann": 12, "bob": 15, "cleo": 9}
"""Each loves one theme and nobody else does; the crowd, who own one work each, have the other themes."""


def planted(seed: int = 0, crowd: int = 150) -> tuple[dict[Modality, ExactIndex], dict[str, int], dict[str, str]]:
    """Works of themes far apart: those of ann, bob and cleo are of themes 0, 1 and 2, which nobody else has."""
    owners = {f"{name}-{number:02d}": name for name, count in PEOPLE.items() for number in range(count)}
    themes = {work: list(PEOPLE).index(owner) for work, owner in owners.items()}
    for number in range(crowd):
        owners[f"crowd-{number:03d}"] = f"somebody{number}"
        themes[f"crowd-{number:03d}"] = len(PEOPLE) + number % (THEMES - len(PEOPLE))
    random = np.random.default_rng(seed)
    indexes: dict[Modality, ExactIndex] = {}
    for place, modality in enumerate(MODALITIES):
        rows = np.zeros((len(owners), THEMES + 2))
        rows[np.arange(len(rows)), list(themes.values())] = 1
        rows[:, THEMES + place] = 1  # pictures lie apart from texts
        indexes[modality] = exact_index(
            table_of(rows + random.normal(0, 0.05, rows.shape), list(owners)), owners=owners
        )
    return indexes, themes, owners


def tags_of(themes: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    return {work: (f"theme{theme}", "work") for work, theme in themes.items()}


def groups_of(themes: Mapping[str, int]) -> dict[str, str]:
    return {work: f"theme{theme}" for work, theme in themes.items()}


class ReadsThemes:
    """Encodes texts by the themes that they name."""

    name, dim, fingerprint, modalities = "themes", THEMES, "f", frozenset({"text"})

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return unit_rows(
            np.array([[f"theme{theme}" in text for theme in range(THEMES)] for text in texts], dtype=float)
        )


def run(**settings: object) -> Holdout:
    indexes, themes, _ = planted()
    chosen: dict[str, object] = {"owners_with": 9, "repetitions": 2, "depths": (3, 10), "text_encoder": ReadsThemes()}
    return holdout(indexes, tags=tags_of(themes), groups=groups_of(themes), **chosen | settings)  # type: ignore[arg-type]


@cache
def outcome() -> Holdout:
    return run()


def mean_of(rule: str, metric: str, k: int, source: str = "both", target: str = "both") -> float:
    return float(outcome().values[Measured(Cell(source, target), rule, metric, k)].mean())


@pytest.mark.parametrize("rule", [*RULES, "tag-overlap", "tag-embedding"])
def test_all_hidden_works_of_planted_owners_are_found(rule: str) -> None:
    # ann hides 4 of 12, bob 5 of 15, cleo 3 of 9, and nobody else has works of their themes
    for source in ("image", "text", "both"):
        for target in ("image", "text", "both"):
            assert mean_of(rule, "recall", 10, source, target) == 1
            assert mean_of(rule, "recall", 3, source, target) == pytest.approx(mean([3 / 4, 3 / 5, 3 / 3]))
            assert mean_of(rule, "group-recall", 3, source, target) == 1
            assert mean_of(rule, "group-precision", 3, source, target) == 1
            assert mean_of(rule, "group-precision", 10, source, target) == pytest.approx(mean([0.4, 0.5, 0.3]))


def test_chance_finds_as_many_as_chance_would() -> None:
    indexes, _, _ = planted()
    found = holdout(
        indexes, tags={}, groups={}, rules={}, owners_with=9, repetitions=100, depths=(40,), targets=["image"]
    )
    # of the 186 works, 8, 10 and 6 are kept, so 178, 176 and 180 may come back
    expected = [40 / 178, 40 / 176, 40 / 180]
    values = found.values[Measured(Cell("image", "image"), "random", "recall", 40)]
    np.testing.assert_allclose(values, expected, atol=0.06)
    assert not any(measured.metric != "recall" for measured in found.values)


def test_what_knows_nothing_of_the_person_finds_little() -> None:
    assert mean_of("popularity", "recall", 10) == 0  # five themes of the crowd have thirty users each, theirs two
    assert mean_of("random", "recall", 10) < 0.3
    assert outcome().references == {POSSIBLE, "popularity", "random"}


def test_recall_by_hand() -> None:
    groups = {"a": "cats", "b": "cats", "c": "dogs", "d": "boats", "x": "cats", "y": "", "z": "boats"}
    # of the hidden a, c and d, c alone is shown; of cats, dogs and boats two are; 2 of 4 places, with x, are of them
    found = worth(["x", "c", "y", "q"], ["a", "c", "d"], groups, 4)
    assert found == {"recall": 1 / 3, "group-recall": 2 / 3, "group-precision": 2 / 4}
    # the hidden work that has no group counts as a work only; a list that is too short has empty places
    assert worth(["z"], ["y", "d"], groups, 2) == {"recall": 0, "group-recall": 1, "group-precision": 1 / 2}
    assert worth([], ["y"], groups, 5) == {"recall": 0}


def test_the_most_that_is_possible_bounds_everything() -> None:
    found = outcome()
    assert mean_of(POSSIBLE, "recall", 3) == pytest.approx(mean([3 / 4, 3 / 5, 3 / 3]))
    for measured, values in found.values.items():
        best = found.values[measured._replace(rule=POSSIBLE)]
        assert (values <= best + 1e-12).all()
        assert (values >= 0).all()


def test_a_third_is_hidden_and_draws_do_not_depend_on_others() -> None:
    works = [f"w{number}" for number in range(11)]
    split = split_works("ann", works, seed=3)
    assert (len(split.hidden), len(split.kept)) == (3, 8)
    assert sorted(split.hidden + split.kept) == sorted(works)
    assert split == split_works("ann", works[::-1], seed=3)
    drawn = [split_works("ann", works, repetition=repetition).hidden for repetition in range(600)]
    counts = [sum(work in hidden for hidden in drawn) for work in works]
    assert len(set(drawn)) > 100
    assert all(pytest.approx(count, abs=60) == 600 * 3 / 11 for count in counts)  # five standard deviations
    assert split_works("bob", works, seed=3).hidden != split.hidden or split_works("bob", works).hidden != split.hidden


def test_kept_works_never_come_back_and_hidden_ones_may() -> None:
    indexes, themes, owners = planted()
    contenders = contenders_of(indexes, tags_of(themes), text_encoder=ReadsThemes())
    for owner, works in works_of_owners(indexes, 9).items():
        trial = make_trial(indexes, backgrounds_of(indexes), split_works(owner, works))
        for name, contender in contenders.items():
            for target in MODALITIES:
                everything = contender(trial)(trial.profile(["text"]), target, 1000).ranking.item_ids
                assert set(everything) == set(owners) - set(trial.split.kept), name
                assert len(everything) == len(set(everything))


def test_kept_works_that_cannot_speak_do_not_come_back_either() -> None:
    indexes, _, _ = planted()
    lonely = indexes["text"].remove(["ann-00", "ann-01", "ann-02"])  # pictures without a text
    partly: dict[Modality, ExactIndex] = {"image": indexes["image"], "text": lonely}
    trial = make_trial(partly, backgrounds_of(partly), split_works("ann", [f"ann-{n:02d}" for n in range(12)]))
    shown = lister_of(UploadFusion(trial.indexes, rule=RULES["knn3z"]))(
        trial.profile(["text"]), "image", 500
    ).ranking.item_ids
    assert not set(shown) & set(trial.split.kept)
    assert set(trial.split.hidden) <= set(shown)


def test_a_trial_changes_the_hidden_works_owner_and_nothing_else() -> None:
    indexes, _, owners = planted()
    split = split_works("ann", works_of_owners(indexes, 9)["ann"])
    trial = make_trial(indexes, backgrounds_of(indexes), split)
    for modality, index in indexes.items():
        given = trial.indexes[modality]
        assert {work: given.owner_of(work) for work in given.item_ids} == {
            work: "not ann" if work in split.hidden else owner for work, owner in owners.items()
        }
        np.testing.assert_array_equal(given.vectors_of(index.item_ids), index.vectors_of(index.item_ids))
        assert {work: index.owner_of(work) for work in index.item_ids} == owners
        assert set(trial.sides[modality].item_ids) == set(split.kept)


@pytest.mark.parametrize("rule", RULES)
def test_lists_are_those_that_people_would_be_shown(rule: str) -> None:
    indexes, _, _ = planted()
    trial = make_trial(indexes, backgrounds_of(indexes), split_works("bob", works_of_owners(indexes, 9)["bob"]))
    fusion = UploadFusion(trial.indexes, rule=RULES[rule], name=rule)
    for sources in (["image"], ["text"], ["image", "text"]):
        profile = trial.profile(sources)  # type: ignore[arg-type]
        listing = lister_of(fusion)(profile, "text", 20)
        shown = fusion.recommend(profile, "text", 20).ranking
        assert listing.ranking.item_ids == shown.item_ids
        np.testing.assert_array_equal(listing.ranking.scores, shown.scores)
        whole = fusion.recommend(profile, "text", fusion.count(profile, "text")).ranking.scores
        assert (listing.mean, listing.deviation) == pytest.approx((whole.mean(), whole.std()), abs=1e-12)


def test_two_listings_become_one_by_z_scores() -> None:
    # z: a 2, b 1, c 0 and d 3, a 1, b 0.5
    pictures = Listing(Ranking(("a", "b", "c"), np.array([0.9, 0.7, 0.5])), 0.5, 0.2)
    texts = Listing(Ranking(("d", "a", "b"), np.array([13.0, 11.0, 10.5])), 10.0, 1.0)
    assert interleaved([pictures, texts], 4) == ("d", "a", "b", "c")
    assert interleaved([texts, pictures], 2) == ("d", "a")
    level = Listing(Ranking(("q", "p"), np.array([7.0, 7.0])), 7.0, 0.0)
    assert interleaved([level, pictures], 4) == ("a", "b", "c", "p")  # equal scores say nothing; ties by id


def test_equal_seeds_give_equal_results() -> None:
    first, again, other = (run(repetitions=1, depths=(60,), seed=seed) for seed in (0, 0, 1))
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    changed = [not np.array_equal(first.values[each], other.values[each]) for each in first.values]
    assert any(changed)
    assert json.loads(json.dumps(first.to_dict(), allow_nan=False))["protocol"]["seed"] == 0


def test_more_repetitions_average_each_person() -> None:
    measured = Measured(Cell("image", "image"), "random", "recall", 10)
    indexes, _, _ = planted()

    def values(repetitions: int) -> np.ndarray:
        found = holdout(
            indexes,
            tags={},
            groups={},
            rules={},
            owners_with=9,
            repetitions=repetitions,
            depths=(10,),
            sources=["image"],
            targets=["image"],
        )
        return found.values[measured]

    one, two = values(1), values(2)
    second = 2 * two - one
    counts = second * [4, 5, 3]
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)  # whole numbers of hidden works


def test_means_and_differences_are_paired_by_person() -> None:
    found = outcome()
    row = next(each for each in found.rows() if (each.rule, each.metric, each.k) == ("random", "recall", 10))
    values = found.values[Measured(Cell(row.source, row.target), "random", "recall", 10)]
    assert (row.mean, row.owners) == (pytest.approx(values.mean()), 3)
    assert row.se == pytest.approx(values.std(ddof=1) / np.sqrt(3))
    for each in found.differences():
        base = Measured(Cell(each.source, each.target), "knn3z", each.metric, each.k)
        expected = found.values[base._replace(rule=each.rule)] - found.values[base]
        assert each.difference.mean == pytest.approx(expected.mean(), abs=1e-12)
        assert each.difference.p <= each.p_holm
    assert {each.rule for each in found.differences()} == set(found.rules) - {"knn3z"}
    with pytest.raises(RequestError, match="no rule 'nobody'"):
        found.differences("nobody")


def test_a_modality_that_somebody_lacks_leaves_that_person_out() -> None:
    indexes, themes, _ = planted()
    indexes["text"] = indexes["text"].remove([f"bob-{number:02d}" for number in range(15)])
    found = holdout(indexes, tags={}, groups=groups_of(themes), owners_with=9, repetitions=1, depths=(10,))
    people = {(row.source, row.target): row.owners for row in found.rows()}
    assert people["text", "image"] == people["image", "text"] == people["text", "text"] == 2
    assert people["image", "image"] == people["both", "both"] == 3


def test_a_rule_that_has_no_answer_finds_nothing() -> None:
    indexes, themes, _ = planted()
    tags = {work: () if work.startswith("bob") else tag for work, tag in tags_of(themes).items()}
    found = holdout(indexes, tags=tags, groups={}, owners_with=9, repetitions=1, depths=(10,), sources=["image"])
    assert found.unanswered["tag-overlap"] == 2  # bob's lists of pictures and of texts
    assert found.unanswered["knn3z"] == 0
    recall = found.values[Measured(Cell("image", "image"), "tag-overlap", "recall", 10)]
    assert recall.tolist() == [1, 0, 1]


class Speechless:
    """A fusion rule that refuses everything."""

    def __call__(self, uploads: object, candidates: object, n: int) -> Fused:
        raise RequestError("nothing to say")


def test_requests_that_make_no_sense_are_refused() -> None:
    with pytest.raises(RequestError, match=r"1 of 153 owners have 13 works .* anybody has is 15, 12, 9"):
        run(owners_with=13)
    with pytest.raises(RequestError, match="ask for 3 or more"):
        run(owners_with=2)
    with pytest.raises(RequestError, match="0 repetitions"):
        run(repetitions=0)
    with pytest.raises(RequestError, match="lists of 0 works"):
        run(depths=(0,))
    with pytest.raises(RequestError, match="'audio' is neither source nor target here; choose from image, text, both"):
        run(sources=["audio"])
    with pytest.raises(RequestError, match="silence could not answer anybody: nothing to say"):
        run(rules={"silence": Speechless()})
    nobodys: dict[Modality, ExactIndex] = {"text": exact_index(table_of(np.eye(4)))}
    with pytest.raises(RequestError, match="column owner"):
        holdout(nobodys, tags={}, groups={})


def test_values_are_written_as_a_tidy_table(tmp_path: Path) -> None:
    write_values(tmp_path / "values.csv", {"toy": outcome()})
    with (tmp_path / "values.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * len(outcome().values)
    measured = Measured(Cell("image", "text"), "rrf", "recall", 3)
    written = [
        float(row["value"])
        for row in rows
        if (row["source"], row["target"], row["rule"], row["metric"], row["k"])
        == ("image", "text", "rrf", "recall", "3")
    ]
    assert written == outcome().values[measured].tolist()
    assert {(row["owner"], row["works"], row["hidden"]) for row in rows} == {
        ("ann", "12", "4"),
        ("bob", "15", "5"),
        ("cleo", "9", "3"),
    }


def test_one_modality_has_one_task() -> None:
    indexes, _, _ = planted()
    found = holdout({"text": indexes["text"]}, tags={}, groups={}, owners_with=9, repetitions=1)
    assert found.cells == (Cell("text", "text"),)
    assert found.protocol["works"] == {"text": 186}
