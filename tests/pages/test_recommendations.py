import base64
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.pages.answers import answer_of, rated, recommended
from tests.pages.reading import HOSTILE, Page
from tests.worlds import table_of

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.errors import CollectionError
from vernissage.pages.recommendations import recommendation_page
from vernissage.pages.visitor.for_you import apportioned
from vernissage.profiles.ratings import WeightingRule
from vernissage.recommenders.contract import EngineShare, Explanation, Reason, Recommender
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import exact_index

RATINGS = {"p0": 5.0, "words": 3.5, "bare": 2.0}


def engine(collection: Collection, seed: int, name: str) -> RatingWeightedSimilarity:
    vectors = np.random.default_rng(seed).standard_normal((len(collection), 8))
    return RatingWeightedSimilarity(exact_index(table_of(vectors, collection.ids)), name)


def page_of(
    collection: Collection,
    recommender: Recommender,
    ratings: dict[str, float] = RATINGS,
    rule: WeightingRule = "linear",
) -> str:
    answer = recommended(collection, recommender, ratings, rule)
    return recommendation_page(answer, rated(collection, ratings), title="Toys")


def page_for(collection: Collection, why: Sequence[Explanation], ratings: dict[str, float], *notes: str) -> str:
    return recommendation_page(answer_of(collection, why, notes), rated(collection, ratings), title="T")


def percents(html: str) -> list[list[float]]:
    """For each table the numbers of its last column."""
    tables = re.findall(r"<table>(.*?)</table>", html, re.DOTALL)
    found = [re.findall(r"<td>([−\d]+) %</td></tr>", each) for each in tables]
    return [[float(number.replace("−", "-")) for number in each] for each in found]


def test_page_has_landmarks_a_language_and_headings_in_order(gallery: Collection) -> None:
    page = Page(page_of(gallery, engine(gallery, 1, "texts")))
    tags = [tag for tag, _ in page.elements]
    assert page.all("html")[0]["lang"] == "en"
    assert [tags.count(tag) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels == [1, 2, 2, 2, 2]
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    assert {found["href"][1:] for found in page.all("a") if "href" in found} <= set(ids)
    assert {found["popovertarget"] for found in page.all("button")} <= set(ids)


@pytest.mark.parametrize("rule", ["linear", "signed"])
def test_printed_percents_add_up(gallery: Collection, rule: WeightingRule) -> None:
    fused = LateFusion([engine(gallery, 1, "texts"), engine(gallery, 2, "pictures")])
    for recommender, tables in ((engine(gallery, 1, "texts"), 3), (fused, 6)):
        found = percents(page_of(gallery, recommender, rule=rule))
        assert len(found) == tables
        for parts in found:
            assert sum(map(abs, parts)) == pytest.approx(100, abs=len(parts))


def test_reasons_name_the_work_that_counts_most_and_places_of_engines() -> None:
    collection = Collection([Item(id="a", title="Sea"), Item(id="b", title="Wood"), Item(id="c", title="Hill")], Path())
    explanation = Explanation(
        "c",
        0.03,
        (Reason("a", 1.0, 0.02), Reason("b", 0.25, 0.01)),
        (EngineShare("texts", 2, 0.025), EngineShare("pictures", 14, 0.005), EngineShare("tags", 0, 0.0)),
    )
    html = page_for(collection, [explanation], {"a": 5, "b": 2})
    assert "Because you liked “Sea”" in Page(html).text
    assert percents(html) == [[67, 33], [83, 17, 0]]


def test_reasons_that_speak_against_a_work_say_so() -> None:
    collection = Collection([Item(id="a", title="Sea"), Item(id="b", title="Wood"), Item(id="c", title="Hill")], Path())
    explanation = Explanation("c", 0.3, (Reason("a", -1.0, 0.4), Reason("b", 1.0, -0.1)))
    html = page_for(collection, [explanation], {"a": 1, "b": 5})
    assert "Because it is unlike “Sea”, which you rated 1 of 5" in Page(html).text
    assert percents(html) == [[80, -20]]


def test_reasons_say_what_a_liked_work_and_this_one_share(gallery: Collection) -> None:
    why = [Explanation(each, 0.5, (Reason("p0", weight, 0.5),)) for each, weight in (("p1", 1.0), ("p2", -1.0))]
    works = rated(gallery, {"p0": 5})

    def common(one: Item, other: Item) -> list[str]:
        return [f"{one.id} and {other.id}"]

    text = Page(recommendation_page(answer_of(gallery, why), works, title="T", common=common)).text
    assert "p0 and p1" in text
    assert "p0 and p2" not in text


def test_every_picture_stands_in_the_page_once_and_can_be_decoded(gallery: Collection) -> None:
    html = page_of(gallery, engine(gallery, 1, "texts"))
    images = Page(html).all("img")
    assert len(images) == 4
    assert html.count("data:image") == 4
    for image in images:
        kind, content = image["src"].split(",")
        assert kind == "data:image/jpeg;base64"
        with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
            picture.load()
            assert picture.size == (int(image["width"]), int(image["height"]))
    assert "Picture 1, Painter 1" in [image["alt"] for image in images]


def test_the_page_can_load_nothing(gallery: Collection) -> None:
    html = page_of(gallery, engine(gallery, 1, "texts"))
    policy = next(found["content"] for found in Page(html).all("meta") if "http-equiv" in found)
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    assert "url(" not in html
    found = Page(html).elements
    assert all(each["src"].startswith("data:") for _, each in found if "src" in each)
    assert all(each["href"].startswith("#") for _, each in found if "href" in each)
    assert Page(html).scripts == []
    assert not [tag for tag, _ in found if tag in {"link", "iframe", "form", "object"}]


def test_the_policy_admits_the_page_s_own_style_and_no_other(gallery: Collection) -> None:
    html = page_of(gallery, engine(gallery, 1, "texts"))
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    allowed = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{allowed}';" in html.replace("&#39;", "'")


def test_text_of_the_catalogue_is_shown_and_never_run(tmp_path: Path) -> None:
    fields = dict.fromkeys(("title", "artist", "year", "description", "group", "licence"), HOSTILE)
    collection = Collection(
        [Item(id=f"{HOSTILE}{n}", **fields, attributes={"Credit": HOSTILE}) for n in range(4)], tmp_path
    )
    ratings = {collection.ids[0]: 5.0}
    answer = recommended(collection, engine(collection, 1, HOSTILE), ratings, notes=[HOSTILE])
    html = recommendation_page(answer, rated(collection, ratings), title=HOSTILE)
    page = Page(html)
    assert page.scripts == []
    assert page.all("img") == []
    assert not [name for _, found in page.elements for name in found if name.startswith("on")]
    assert page.text.count("<script>alert(1)</script>") > 20


def test_a_work_without_a_picture_is_words(gallery: Collection) -> None:
    page = Page(page_of(gallery, engine(gallery, 1, "texts"), {"p0": 5}))
    assert len(page.all("li", "wordy")) == 2
    assert "Of the Sea" in page.text
    assert "Untitled" in page.text


def test_credits_stand_with_their_works(gallery: Collection) -> None:
    page = Page(page_of(gallery, engine(gallery, 1, "texts")))
    assert page.text.count("CC0 1.0") == 4


def test_works_that_are_the_same_are_named_with_the_one_that_is_shown(gallery: Collection) -> None:
    answer = recommended(gallery, engine(gallery, 1, "texts"), {"p0": 5})
    first, *others = answer.works
    folded = replace(answer, works=(replace(first, also=("k1", "<b>")), *others))
    page = Page(recommendation_page(folded, rated(gallery, {"p0": 5}), title="Toy"))
    assert page.text.count("The same under other ids: k1, <b>") == 1


def test_how_close_a_work_is_is_said_in_words(gallery: Collection) -> None:
    answer = recommended(gallery, engine(gallery, 1, "texts"), {"p0": 5})
    first, second, *others = answer.works
    banded = replace(answer, works=(replace(first, band="strong"), replace(second, band="weak"), *others))
    text = Page(recommendation_page(banded, rated(gallery, {"p0": 5}), title="Toy")).text
    assert (text.count("Close to what you like"), text.count("Not very close to what you like")) == (1, 1)
    assert "Fairly close" not in text


def test_ratings_are_stars_and_words(gallery: Collection) -> None:
    text = Page(page_of(gallery, engine(gallery, 1, "texts"))).text
    assert "★★★★★ 5 of 5" in text
    assert "★★★★ 3.5 of 5" in text


def test_a_work_without_explanation_is_shown_without_reasons(gallery: Collection) -> None:
    bare = [Explanation("p1", 0.5, ()), Explanation("p2", 0.25, ())]
    text = Page(page_for(gallery, bare, RATINGS)).text
    assert "Picture 2" in text
    assert "Because" not in text
    assert "%" not in text


def test_no_recommendation_is_said_in_words(gallery: Collection) -> None:
    assert "Nothing here is like what you rated." in page_for(gallery, [], RATINGS)


def test_equal_input_gives_equal_bytes_and_progress_is_reported(gallery: Collection) -> None:
    steps: list[tuple[str, int, int]] = []
    answer = answer_of(gallery, [Explanation("p1", 0.5, ()), Explanation("p2", 0.25, ())])

    def page() -> str:
        return recommendation_page(
            answer, rated(gallery, RATINGS), title="T", progress=lambda *step: steps.append(step)
        )

    assert page() == page()
    assert steps[:5] == [("reading pictures", done, 5) for done in range(1, 6)]


def test_a_picture_that_is_gone_is_named(tmp_path: Path) -> None:
    collection = Collection([Item(id="a"), Item(id="b", picture="gone.jpg")], tmp_path)
    with pytest.raises(CollectionError, match=r"gone\.jpg"):
        page_for(collection, [Explanation("b", 1.0, ())], {"a": 5})


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12))
def test_apportioned_percents_add_up_and_stay_within_one(parts: list[float]) -> None:
    numbers = [int(each.removesuffix(" %").replace("−", "-")) for each in apportioned(parts, sum(parts))]
    assert sum(numbers) == round(100 * sum(parts))
    assert np.allclose(numbers, 100 * np.array(parts), rtol=0, atol=1.0001)


def test_apportioned_thirds() -> None:
    assert apportioned([1 / 3, 1 / 3, 1 / 3], 1.0) == ["34 %", "33 %", "33 %"]
