import csv
import io
import json
from collections.abc import Mapping, Sequence
from functools import cache
from statistics import mean
from types import MappingProxyType

import numpy as np
import pytest
from tests.worlds import table_of

from vernissage.encoders.contract import unit_rows
from vernissage.errors import RequestError
from vernissage.recommenders.upload_rules import Fused
from vernissage.recommenders.uploads import UploadFusion
from vernissage.search.exact import ExactIndex, exact_index
from vernissage.values import Modality, Vectors
from vernissage_lab.lists import FLOORS, RULES, Trial, listers
from vernissage_lab.recipes.holdout import (
    POSSIBLE,
    Cell,
    Holdout,
    Measured,
    most,
    run_holdout,
    split_works,
    trial_of,
    works_of_owners,
    worth,
)
from vernissage_lab.tables import as_csv, tidy, where

ENCODED: tuple[Modality, ...] = ("image", "text")
THEMES = 8
PEOPLE = {"ann": 12, "bob": 15, "cleo": 9}
"""Each loves one theme and nobody else does; the crowd, who own one work each, have the other themes."""


def themed(
    moved: Mapping[str, str] = MappingProxyType({}),
) -> tuple[dict[Modality, ExactIndex], dict[str, int], dict[str, str]]:
    """Works of themes far apart: those of ann, bob and cleo are of themes 0, 1 and 2, which nobody else has.

    ``moved`` are works that the indexes know as another person's.
    """
    owners = {f"{name}-{number:02d}": name for name, count in PEOPLE.items() for number in range(count)}
    themes = {work: list(PEOPLE).index(owner) for work, owner in owners.items()}
    for number in range(150):
        owners[f"crowd-{number:03d}"] = f"somebody{number}"
        themes[f"crowd-{number:03d}"] = len(PEOPLE) + number % (THEMES - len(PEOPLE))
    random = np.random.default_rng(0)
    indexes: dict[Modality, ExactIndex] = {}
    for place, modality in enumerate(ENCODED):
        rows = np.zeros((len(owners), THEMES + 2))
        rows[np.arange(len(rows)), list(themes.values())] = 1
        rows[:, THEMES + place] = 1  # pictures lie apart from texts
        indexes[modality] = exact_index(
            table_of(rows + random.normal(0, 0.05, rows.shape), list(owners)), owners={**owners, **moved}
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
    indexes, themes, owners = themed()
    chosen: dict[str, object] = {"owners_with": 9, "repetitions": 2, "depths": (3, 10), "text_encoder": ReadsThemes()}
    return run_holdout(indexes, owners, tags=tags_of(themes), groups=groups_of(themes), **chosen | settings)  # type: ignore[arg-type]


@cache
def outcome() -> Holdout:
    return run()


def mean_of(rule: str, metric: str, k: int, source: str = "both", target: str = "both") -> float:
    return float(outcome().values[Measured(Cell(source, target), rule, metric, k)].mean())


@pytest.mark.parametrize("rule", [*RULES, *FLOORS, "tag-overlap", "tag-embedding"])
def test_all_hidden_works_of_owners_of_one_theme_are_found(rule: str) -> None:
    # ann hides 4 of 12, bob 5 of 15, cleo 3 of 9, and nobody else has works of their themes
    for source in ("image", "text", "both"):
        for target in ("image", "text", "both"):
            assert mean_of(rule, "recall", 10, source, target) == 1
            assert mean_of(rule, "recall", 3, source, target) == pytest.approx(mean([3 / 4, 3 / 5, 3 / 3]))
            assert mean_of(rule, "group-recall", 3, source, target) == 1
            assert mean_of(rule, "group-precision", 3, source, target) == 1
            assert mean_of(rule, "group-precision", 10, source, target) == pytest.approx(mean([0.4, 0.5, 0.3]))


def test_chance_finds_as_many_as_chance_would() -> None:
    indexes, _, owners = themed()
    found = run_holdout(
        indexes, owners, tags={}, groups={}, rules={}, owners_with=9, repetitions=50, depths=(40,), targets=["image"]
    )
    # of the 186 works, 8, 10 and 6 are kept, so 178, 176 and 180 may come back
    expected = [40 / 178, 40 / 176, 40 / 180]
    values = found.values[Measured(Cell("image", "image"), "random", "recall", 40)]
    np.testing.assert_allclose(values, expected, atol=0.06)
    assert not any(each.metric != "recall" for each in found.values if each.rule == "random")


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
    assert (len(split[0]), len(split[1])) == (8, 3)
    assert sorted(split[0] + split[1]) == sorted(works)
    assert split == split_works("ann", works[::-1], seed=3)
    drawn = [split_works("ann", works, repetition=repetition)[1] for repetition in range(600)]
    counts = [sum(work in hidden for hidden in drawn) for work in works]
    assert len(set(drawn)) > 100
    assert all(pytest.approx(count, abs=60) == 600 * 3 / 11 for count in counts)  # five standard deviations
    assert split_works("bob", works, seed=3) != split or split_works("bob", works) != split


def trial(indexes: Mapping[Modality, ExactIndex], owners: Mapping[str, str], owner: str) -> Trial:
    return trial_of(indexes, owners, owner, *split_works(owner, works_of_owners(owners, 9)[owner]))


def test_kept_works_never_come_back_and_hidden_ones_may() -> None:
    indexes, themes, owners = themed()
    methods = listers(indexes, tags_of(themes), text_encoder=ReadsThemes())
    for owner in PEOPLE:
        some = trial(indexes, owners, owner)
        for name, method in methods.items():
            for target in ENCODED:
                everything = method(some, some.profile(["text"]), [target], 1000).ranking.item_ids
                assert set(everything) == set(owners) - set(some.kept), name
                assert len(everything) == len(set(everything))


def test_kept_works_without_a_text_do_not_come_back_either() -> None:
    indexes, _, owners = themed()
    lonely = indexes["text"].remove(["ann-00", "ann-01", "ann-02"])  # pictures without a text
    partly: dict[Modality, ExactIndex] = {"image": indexes["image"], "text": lonely}
    some = trial(partly, owners, "ann")
    shown = listers(partly, {})["knn3z"](some, some.profile(["text"]), ["image"], 500).ranking.item_ids
    assert not set(shown) & set(some.kept)
    assert set(some.hidden) <= set(shown)


def test_a_trial_changes_the_hidden_works_owner_and_nothing_else() -> None:
    indexes, _, owners = themed()
    some = trial(indexes, owners, "ann")
    assert sorted(some.kept + some.hidden) == [work for work in owners if work.startswith("ann")]
    for modality, works in some.works.items():
        assert dict(zip(owners, works.owners(list(owners)), strict=True)) == {
            work: "not ann" if work in some.hidden else owner for work, owner in owners.items()
        }
        assert set(some.uploads.by_modality[modality].item_ids) == set(some.kept)


@pytest.mark.parametrize("rule", RULES)
def test_lists_are_those_that_people_would_be_shown(rule: str) -> None:
    indexes, _, owners = themed()
    some = trial(indexes, owners, "bob")
    there, _, _ = themed(moved=dict.fromkeys(some.hidden, "somebody else"))
    fusion = UploadFusion(there, rule=RULES[rule])
    for sources in (["image"], ["text"], ["image", "text"]):
        profile = some.profile(sources)  # type: ignore[arg-type]
        found = listers(indexes, {})[rule](some, profile, ["text"], 20).ranking
        shown = fusion.recommend(profile, "text", 20).ranking
        assert found.item_ids == shown.item_ids
        expected = shown.scores
        if rule == "mean-vector":  # cosines, brought to z-scores over the whole index
            mean_upload = np.concatenate([each.vectors for each in profile.by_modality.values()]).mean(axis=0)
            whole = indexes["text"].vectors_of(list(owners)) @ mean_upload
            expected = (shown.scores - whole.mean()) / whole.std()
        np.testing.assert_allclose(found.scores, expected, atol=1e-5)


def test_places_for_areas_are_those_that_people_have_by_default() -> None:
    indexes, _, owners = themed()
    some = trial(indexes, owners, "bob")
    there, _, _ = themed(moved=dict.fromkeys(some.hidden, "somebody else"))
    for name, at_least in FLOORS.items():
        found = listers(indexes, {})[name](some, some.uploads, ENCODED, 20)
        shown = UploadFusion(there, at_least=at_least).recommend(some.uploads, ENCODED, 20)
        assert found.ranking.item_ids == shown.ranking.item_ids
        assert [each.area for each in found.explanations] == [each.area for each in shown.explanations]


def test_areas_with_a_place_are_counted_in_the_shortest_list() -> None:
    found = outcome()
    # a theme is one area of pictures and one of texts; their works are the same, so that one area can take them all
    assert {each.k for each in found.values if each.metric == "areas" and each.rule != POSSIBLE} == {3}
    assert mean_of("areas", "areas", 3) == mean_of("areas:1", "areas", 3) == mean_of(POSSIBLE, "areas", 3) == 1
    assert mean_of("knn3z", "areas", 3) < 1
    assert not any(each.metric == "areas" and each.rule in ("tag-embedding", "random") for each in found.values)
    assert most(["a", "b"], {"a": "cats"}, 5, 2) == {
        "recall": 1,
        "group-recall": 1,
        "group-precision": 1,
        "areas": 2 / 5,
    }


@pytest.mark.long
def test_equal_seeds_give_equal_results() -> None:
    first, again, other = (run(repetitions=1, depths=(60,), seed=seed) for seed in (0, 0, 1))
    assert json.dumps(first.to_dict()) == json.dumps(again.to_dict())
    changed = [not np.array_equal(first.values[each], other.values[each]) for each in first.values]
    assert any(changed)
    assert json.loads(json.dumps(first.to_dict(), allow_nan=False))["protocol"]["seed"] == 0


def test_more_repetitions_average_each_person() -> None:
    measured = Measured(Cell("image", "image"), "random", "recall", 10)
    indexes, _, owners = themed()

    def values(repetitions: int) -> np.ndarray:
        found = run_holdout(
            indexes,
            owners,
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
    row = where(found.rows(), rule="random", metric="recall", k=10)[0]
    values = found.values[Measured(Cell(row["source"], row["target"]), "random", "recall", 10)]
    assert (row["mean"], row["owners"]) == (pytest.approx(values.mean()), 3)
    assert row["se"] == pytest.approx(values.std(ddof=1) / np.sqrt(3))
    for each in found.differences():
        base = Measured(Cell(each["source"], each["target"]), "knn3z", each["metric"], each["k"])
        expected = found.values[base._replace(rule=each["rule"])] - found.values[base]
        assert each["mean"] == pytest.approx(expected.mean(), abs=1e-12)
        assert each["p"] <= each["p_holm"]
    assert {each["rule"] for each in found.differences()} == set(found.rules) - {"knn3z"}
    with pytest.raises(RequestError, match="no rule 'nobody'"):
        found.differences("nobody")


def test_a_modality_that_somebody_lacks_leaves_that_person_out() -> None:
    indexes, themes, owners = themed()
    indexes["text"] = indexes["text"].remove([f"bob-{number:02d}" for number in range(15)])
    found = run_holdout(indexes, owners, tags={}, groups=groups_of(themes), owners_with=9, repetitions=1, depths=(10,))
    people = {(row["source"], row["target"]): row["owners"] for row in found.rows()}
    assert people["text", "image"] == people["image", "text"] == people["text", "text"] == 2
    assert people["image", "image"] == people["both", "both"] == 3


def test_a_rule_that_has_no_answer_finds_nothing() -> None:
    indexes, themes, owners = themed()
    tags = {work: () if work.startswith("bob") else tag for work, tag in tags_of(themes).items()}
    found = run_holdout(
        indexes, owners, tags=tags, groups={}, owners_with=9, repetitions=1, depths=(10,), sources=["image"]
    )
    assert found.unanswered["tag-overlap"] == 3  # bob's lists of pictures, of texts and of both
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
        run_holdout(nobodys, {}, tags={}, groups={})


def test_values_are_written_as_a_tidy_table() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(tidy(outcome().people("toy"))).decode())))
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
    indexes, _, owners = themed()
    found = run_holdout({"text": indexes["text"]}, owners, tags={}, groups={}, owners_with=9, repetitions=1)
    assert {measured.cell for measured in found.values} == {Cell("text", "text")}
    assert found.protocol["works"] == {"text": 186}
