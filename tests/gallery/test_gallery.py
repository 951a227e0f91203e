"""Recommendations, similar works, search and works to rate, as Python asks for them."""

import threading
from copy import copy
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vernissage.analysis.bands import Bounds
from vernissage.encoders.register import members_of_default
from vernissage.errors import Kind, RatingsError, RequestError, UnknownItemError
from vernissage.gallery.answer import Answer, answer_schema
from vernissage.gallery.engines import Fusion, make_engine
from vernissage.gallery.gallery import Gallery, open_gallery
from vernissage.gallery.likeness import KINDS_OF_LIKENESS, likeness
from vernissage.gallery.selecting import selection
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.workspace.workspace import Workspace

RATINGS = {"w000": 5.0, "w002": 4.0, "w001": 2.0, "w007": 1.0}
ENGINES = ("lsa", "late-total", "late-zscore", "lda+colour-texture", "aligned")


@pytest.fixture(scope="module")
def toy(owned: Path) -> Gallery:
    return open_gallery(owned, writing=False)


@pytest.mark.parametrize("engine", ENGINES)
def test_reasons_of_each_kind_add_up_to_the_score(toy: Gallery, engine: str) -> None:
    for rule in ("linear", "signed"):
        answer = toy.recommend(RATINGS, n=12, engine=engine, rule=rule)  # type: ignore[arg-type]
        assert len(answer) == 12
        assert not set(answer.ids) & set(RATINGS)
        for work in answer:
            for kind in {reason.kind for reason in work.reasons}:
                reasons = work.of_kind(kind)
                assert sum(reason.contribution for reason in reasons) == pytest.approx(work.score, abs=1e-9)
                speaking = [reason.share for reason in reasons if reason.contribution > 0]
                assert not speaking or sum(speaking) == pytest.approx(1)


def test_the_default_engine_counts_as_the_workspace_has_learned_unless_weights_are_named(toy: Gallery) -> None:
    workspace = toy.snapshot.workspace
    parts = members_of_default(workspace.encoder_names, workspace.manifest.pairs)
    learned = {name: {"weight": float(number)} for number, name in enumerate(parts, start=1)}
    weighing = copy(workspace)
    vars(weighing).pop("fingerprint", None)
    weighing.manifest = replace(workspace.manifest, weights=learned)

    def weights(place: Workspace, fusion: Fusion | None = None, name: str = "late-zscore") -> list[float]:
        engine = make_engine(place, name, 9, fusion)
        assert isinstance(engine, LateFusion)
        return engine.weights.tolist()

    assert weights(weighing) == [each["weight"] for each in learned.values()]
    assert set(weights(weighing, Fusion(weights={parts[0]: 5.0}))) == {5.0, 1.0}  # as asked for, and 1 where not named
    assert weights(weighing, name="late-total") == [1.0, 1.0]  # the papers' engines are as they were
    assert weighing.fingerprint != workspace.fingerprint


def valid(answer: Answer) -> None:
    jsonschema.Draft202012Validator(answer_schema()).validate(answer.to_dict())


def test_works_say_how_their_scores_compare_with_those_of_random_requests(toy: Gallery) -> None:
    found = toy.snapshot.workspace.bands["late-zscore"]
    answer = toy.recommend(RATINGS, n=50)
    assert [work.band for work in answer] == [found["3"].band(work.score) for work in answer]  # four were rated
    assert list(dict.fromkeys(work.band for work in answer)) == ["fair", "weak"]
    one = toy.similar("w000", n=30, engine="colour-texture")
    index = toy.snapshot.workspace.index("colour-texture", "image")
    means, spreads = index.moments().of_scores(index.vectors_of(["w000"]))
    bounds = toy.snapshot.workspace.bands["colour-texture"]["1"]
    assert [work.band for work in one] == [bounds.band((work.score - means[0]) / spreads[0]) for work in one]


def test_a_note_says_where_nothing_is_strongly_like_what_was_searched_for(
    toy: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = "nothing here is strongly like what was searched for"
    kinds = toy.snapshot.workspace.bands["aligned"]
    for bound, weak in ((-1.0, False), (2.0, True)):
        monkeypatch.setitem(kinds, "text-to-image", Bounds(bound, bound))
        answer = toy.search("lighthouse", within="pictures")
        assert {work.band for work in answer} == {"weak" if weak else "strong"}
        assert (note in answer.notes) == weak


def test_nothing_is_said_of_scores_that_were_not_measured(toy: Gallery) -> None:
    answers = [
        toy.recommend(RATINGS, engine="lda+lsa"),
        toy.recommend(RATINGS, engine="late-zscore", weights={"lsa": 2.0}),
        toy.recommend(RATINGS, engine="late-total"),
        toy.search("lighthouse"),
        toy.search("lighthouse", within="mixed"),
    ]
    assert {work.band for answer in answers for work in answer} == {None}
    assert all("band" not in work.to_dict(1) for answer in answers for work in answer)


def test_every_answer_fits_the_schema(toy: Gallery, owned: Path) -> None:
    picture = owned.parent / "gallery" / "images" / "w005.png"
    for answer in (
        toy.recommend(RATINGS, engine="late-total"),
        toy.similar(["w000", "w004"]),
        toy.search("a storm in the harbour"),
        toy.search("a storm in the harbour", within="mixed"),
        toy.search(picture),
        toy.elicitation(4),
        toy.person("ann").recommend(4, per_area=True),
    ):
        valid(answer)
        assert answer.fingerprint == toy.fingerprint


conditions = st.lists(
    st.sampled_from(["year>=1810", "year<1850", "group=sea", "artist~red", "owner!=bob", "title~1"]), max_size=2
)
caps = st.dictionaries(st.sampled_from(["artist", "owner", "group", "year"]), st.integers(1, 4), max_size=2)
excluded = st.sets(st.integers(0, 63).map(lambda number: f"w{number:03d}"), max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(conditions, caps, excluded, st.integers(1, 30), st.sampled_from(ENGINES))
def test_exactly_n_come_back_under_any_filter(
    toy: Gallery, where: list[str], per: dict[str, int], exclude: set[str], n: int, engine: str
) -> None:
    asked = {"engine": engine, "where": where, "per": per, "exclude": exclude}
    answer = toy.recommend(RATINGS, n=n, **asked)  # type: ignore[arg-type]
    everything = toy.recommend(RATINGS, n=64, **asked)  # type: ignore[arg-type]
    assert answer.ids == everything.ids[:n]
    assert len(answer) == min(n, len(everything))
    assert not set(answer.ids) & (exclude | set(RATINGS))
    for field, most in per.items():
        values = [getattr(work.item, field) for work in everything]
        assert max(map(values.count, values), default=0) <= most
    if not per:
        fits = toy.collection.fulfilling(selection(toy.snapshot, 1, where).allow.conditions, toy.collection.ids)
        there = {item_id for item_id, fit in zip(toy.collection.ids, fits, strict=True) if fit}
        assert set(everything.ids) <= there
        assert len(everything) == len(there - exclude - set(RATINGS))


def test_caps_leave_out_no_work_that_fits(toy: Gallery) -> None:
    free = toy.recommend(RATINGS, n=64)
    capped = toy.recommend(RATINGS, n=4, per={"artist": 1, "group": 1})
    assert len(capped) == 2  # two artists, two groups: the best work, and the best that shares neither
    first = free.works[0]
    other = next(w for w in free if w.artist != first.artist and w.item.group != first.item.group)
    assert capped.ids == (first.id, other.id)
    assert "4 works were asked for, but only 2 fit" in capped.notes[0]


def test_what_is_left_out_changes_no_score(toy: Gallery) -> None:
    free = {work.id: work.score for work in toy.recommend(RATINGS, n=64)}
    some = toy.recommend(RATINGS, n=9, where="year>=1830", exclude=["w040"], per={"artist": 3})
    assert {work.id: work.score for work in some} == {item_id: free[item_id] for item_id in some.ids}


def test_diversity_reorders_and_extends(toy: Gallery) -> None:
    few, more = (toy.recommend(RATINGS, n=n, diversity=0.6) for n in (5, 6))
    assert few.ids == more.ids[:5]
    assert few.ids != toy.recommend(RATINGS, n=5).ids


def test_similar_works_are_like_all_that_were_named(toy: Gallery) -> None:
    one = toy.similar("w000", n=6, engine="lsa")
    assert {work.item.group for work in one} == {"sea"}
    both = toy.similar(["w000", "w002"], n=6)
    assert not {"w000", "w002"} & set(both.ids)
    assert both.to_dict()["similar_to"] == ["w000", "w002"]


def test_a_picture_finds_pictures_and_words_find_both(toy: Gallery, owned: Path) -> None:
    picture = owned.parent / "gallery" / "images" / "w005.png"
    assert toy.search(picture, n=1).ids == ("w005",)
    with Image.open(picture) as opened:
        assert toy.search(opened, n=1).ids == ("w005",)
    assert {work.item.group for work in toy.search("ship wave harbour", n=5)} == {"sea"}
    assert {work.item.group for work in toy.search("ship wave harbour", n=5, within="pictures")} <= {"sea", "garden"}
    mixed = toy.search("ship wave harbour", n=40, within="mixed")
    assert {work.modality for work in mixed} == {"image", "text"}


def test_works_to_rate_are_near_the_centres_of_clusters(toy: Gallery) -> None:
    asked = toy.elicitation()
    assert (asked.engine, len(asked), asked.notes) == ("central", 9, ())
    clusters = dict(zip(toy.collection.ids, toy.snapshot.workspace.clusters.tolist(), strict=True))
    assert [clusters[item_id][0] for item_id in asked.ids] == list(range(9))
    assert all(clusters[item_id][1] < 8 for item_id in asked.ids)
    assert toy.elicitation(9, seed=1).ids != asked.ids
    for n in (4, 20, 64):
        assert len(set(toy.elicitation(n).ids)) == n
        assert toy.elicitation(n).ids[:9] == asked.ids[:n]
    assert set(toy.elicitation(64, exclude=asked.ids).ids) == set(toy.collection.ids) - set(asked.ids)
    assert "no works fit" in toy.elicitation(3, exclude=toy.collection.ids).notes[0]
    some = toy.elicitation(5, where="artist~red")
    assert {work.item.artist for work in some} == {"The red master"}
    assert len(set(some.ids)) == 5


def test_works_to_rate_stand_for_groups_or_for_all(toy: Gallery) -> None:
    groups = toy.elicitation(3, by="group")
    assert groups.engine == "group"
    assert [work.item.group for work in groups] in (["sea", "garden", "sea"], ["garden", "sea", "garden"])
    assert groups.works[0].reasons[0].words == f"one of 32 works in {groups.works[0].item.group}"
    assert toy.elicitation(3, by="group", seed=1).ids != groups.ids
    assert toy.elicitation(2, by="group").ids == groups.ids[:2]
    covering = toy.elicitation(4, by="coverage")
    assert len(set(covering.ids)) == 4
    assert {work.item.artist for work in toy.elicitation(2, where="artist~red")} == {"The red master"}


@pytest.mark.parametrize(
    ("call", "match", "kind"),
    [
        (lambda g: g.recommend({}), "no ratings were given", Kind.BAD_REQUEST),
        (lambda g: g.recommend({"w000": 6}), "ratings go from 1 to 5", Kind.BAD_REQUEST),
        (lambda g: g.recommend({"nobody": 5}), "no work 'nobody'", Kind.NOT_FOUND),
        (lambda g: g.recommend(RATINGS, n=0), "0 works were asked for", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, engine="magic"), "there is no engine 'magic'", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, where="colour=red"), "no field 'colour'", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, where="year>=old"), "needs a number", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, per={"artist": 0}), "ask for 1 or more", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, per={"colour": 1}), "no field 'colour'", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, diversity=2), "diversity goes from 0", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, engine="lsa", weights={"lsa": 2}), "is one engine", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, engine="lsa+lda", weights={"clip": 2}), "is no part", Kind.BAD_REQUEST),
        (lambda g: g.recommend(RATINGS, engine="lsa+lsa"), "names one part twice", Kind.BAD_REQUEST),
        (lambda g: g.similar([]), "no work was named", Kind.BAD_REQUEST),
        (lambda g: g.search("sea", within="music"), "no search within 'music'", Kind.BAD_REQUEST),
        (lambda g: g.elicitation(3, by="magic"), "by central, group or coverage", Kind.BAD_REQUEST),
        (lambda g: g.person(" "), "name the person", Kind.BAD_REQUEST),
        (lambda g: g.person("zoe").recommend(), "nobody named 'zoe'", Kind.NOT_FOUND),
    ],
)
def test_what_is_not_understood_is_told_in_one_line(toy: Gallery, call: object, match: str, kind: Kind) -> None:
    with pytest.raises((RequestError, RatingsError, UnknownItemError), match=match) as told:
        call(toy)  # type: ignore[operator]
    assert "\n" not in str(told.value)
    assert told.value.kind is kind


def test_engines_of_the_paper_weigh_linearly_and_say_what_stands_for_what(toy: Gallery) -> None:
    answer = toy.recommend(RATINGS, engine="late-partial")
    assert any("no resnet50, so they run LDA + efficientnet-lite0" in note for note in answer.notes)
    assert answer.ids == toy.recommend(RATINGS, engine="late-partial", rule="linear").ids
    weighed = toy.recommend(RATINGS, engine="lda+lsa", fusion=Fusion("zscore"), weights={"lsa": 3})
    assert {reason.id for work in weighed for reason in work.of_kind("engine")} == {"lda", "lsa"}


@pytest.mark.parametrize("engine", [None, *ENGINES])
def test_ratings_weigh_as_the_engine_has_it(toy: Gallery, engine: str | None) -> None:
    usual = "linear" if engine == "late-total" else "signed"
    answer, said = (toy.recommend(RATINGS, 9, engine=engine, rule=rule) for rule in (None, usual))
    assert [(work.id, work.score) for work in answer] == [(work.id, work.score) for work in said]
    rated = [reason for work in answer for reason in work.of_kind("rated")]
    assert any((reason.weight or 0) < 0 for reason in rated) == (usual == "signed")
    for reason in rated:
        unlike = (reason.weight or 0) < 0 < reason.contribution
        assert (reason.words.startswith("unlike ") and "which you rated " in reason.words) == unlike


@pytest.mark.parametrize(
    ("ratings", "told"),
    [
        ({"w000": 3, "w001": 1, "w002": 2}, "above 3, so each counts by how far it is above or below their mean, 2;"),
        ({"w000": 1, "w001": 2}, "their mean, 1.5;"),
        ({"w000": 2, "w001": 2}, "above 3, none more than another, so all count for what resembles them; rate one"),
        ({"w000": 2}, "none more than another"),
        ({"w000": 4, "w001": 4}, ""),
        ({"w000": 4}, ""),
    ],
)
def test_few_or_equal_ratings_and_dislikes_alone_give_exactly_n(
    toy: Gallery, ratings: dict[str, float], told: str
) -> None:
    for engine in (None, "lsa"):
        answer = toy.recommend(ratings, len(toy) - len(ratings), engine=engine)
        assert len(answer) == len(toy) - len(ratings)
        assert np.isfinite(answer.scores).all()
        assert told in " ".join(answer.notes) if told else not answer.notes
    if len(set(ratings.values())) > 1:
        best = max(ratings, key=ratings.__getitem__)
        assert max(answer.works[0].of_kind("rated"), key=lambda reason: reason.weight).id == best


def test_lowest_ratings_alone_say_what_to_do(toy: Gallery) -> None:
    with pytest.raises(RatingsError, match="all 2 ratings are 1.*rate at least one work higher"):
        toy.recommend({"w000": 1, "w001": 1})


def test_threads_share_a_gallery(toy: Gallery) -> None:
    expected = toy.recommend(RATINGS, n=20).ids
    found: list[tuple[str, ...]] = []
    fresh = open_gallery(toy.path, writing=False)
    threads = [threading.Thread(target=lambda: found.append(fresh.recommend(RATINGS, n=20).ids)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def test_an_answer_prints_as_a_table_and_shows_thumbnails(toy: Gallery) -> None:
    answer = toy.recommend(RATINGS, n=3)
    lines = repr(answer).splitlines()
    assert lines[0].split() == ["id", "title", "artist", "year", "score"]
    assert [line.split()[1] for line in lines[1:4]] == list(answer.ids)
    html = answer._repr_html_()
    assert html.count('<img src="data:image/jpeg;base64,') == 3
    assert "you rated" in html


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"n": 1.5}, "whole number, but 1.5"),
        ({"n": "9"}, "whole number"),
        ({"where": None}, "where takes conditions"),
        ({"where": ["year>=1850", 3]}, "where takes conditions"),
        ({"exclude": "w001"}, "exclude takes a list of ids"),
        ({"exclude": None}, "exclude takes a list of ids"),
        ({"per": ["artist"]}, "per takes whole numbers"),
        ({"per": {"artist": "1"}}, "per takes whole numbers"),
        ({"diversity": "0.3"}, "diversity is a number"),
        ({"ratings": [("w001", 5)]}, "ratings are numbers"),
        ({"ratings": {1: 5}}, "the id 1 is no text; write it as '1'"),
        ({"ratings": {"w001": "5"}}, "the rating of w001 is '5'"),
    ],
)
def test_values_of_another_kind_are_told(toy: Gallery, asked: dict[str, object], told: str) -> None:
    with pytest.raises((RequestError, RatingsError), match=told):
        toy.recommend(**{"ratings": {"w001": 5}, **asked})  # type: ignore[arg-type]


def test_generators_are_lists_of_conditions_and_ids(toy: Gallery) -> None:
    found = toy.recommend({"w001": 5}, 3, exclude=(name for name in ["w002"]), where=(word for word in ["year>=1"]))
    assert len(found) == 3


def test_works_compared_together_are_answered_as_one_by_one(owned: Path) -> None:
    with open_gallery(owned, writing=False) as one_by_one, open_gallery(owned, writing=False) as together:
        ids = one_by_one.collection.ids[:12]
        together.anticipate([*ids, "no such work"])
        for item_id in ids:
            for n, per in ((3, {}), (9, {"artist": 1})):
                assert (
                    together.similar(item_id, n, per=per).to_dict() == one_by_one.similar(item_id, n, per=per).to_dict()
                )


def test_lists_of_likeness_alone_are_those_beside_the_pooled_works(toy: Gallery) -> None:
    for item_id in toy.collection.ids[:6]:
        whole = toy.similar(item_id, 4, by=KINDS_OF_LIKENESS)
        alone = likeness(toy, item_id, KINDS_OF_LIKENESS, 4, pooled=False)
        assert [(each.name, each.works) for each in alone.kinds] == [(each.name, each.works) for each in whole.kinds]
        assert whole.works
        assert alone.works == ()


def test_what_works_share_adds_the_logarithm_of_its_rarity_and_ties_are_in_the_default_order(toy: Gallery) -> None:
    item = toy.collection.take([0])[0]
    same = {each.id for each in toy.collection if each.artist == item.artist} - {item.id}
    [by_artist] = toy.similar(item.id, len(same), by=["artist"]).kinds
    every = toy.similar(item.id, len(toy) - 1).ids
    assert [work.id for work in by_artist.works] == [each for each in every if each in same]
    assert {work.score for work in by_artist.works} == {np.log(len(toy) / (len(same) + 1))}
    assert [work.id for work in toy.similar(item.id, 2, by=["artist"]).kinds[0].works] == [
        work.id for work in by_artist.works[:2]
    ]
