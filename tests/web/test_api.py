"""The REST API over the toy gallery: answers by the one schema, problems for errors, tokens that tell nothing."""

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from PIL import Image
from starlette.testclient import TestClient

from vernissage.gallery.answer import answer_schema
from vernissage.gallery.gallery import open_gallery
from vernissage.pages.iiif import MEDIA_TYPE as MANIFEST
from vernissage.pages.linked_art import MEDIA_TYPE as LINKED_ART
from vernissage.web.api.access import Access
from vernissage.web.api.app import LARGEST_BODY, create_service
from vernissage.web.api.received import LARGEST_FILE
from vernissage.web.api.service import Service
from vernissage.web.languages import preferred
from vernissage.workspace.editorial import place

ROOT = "/api/v1"
RATINGS = {"w000": 5, "w001": 1, "w004": 4}


SECRET = b"the tests' secret"


def open_to(service: Service) -> Access:
    return Access(service, SECRET, open_here=True, each_second=1_000)


@pytest.fixture(scope="module")
def client(built: Path) -> Iterator[TestClient]:
    service = Service(open_gallery(built, writing=False), SECRET)
    with TestClient(create_service(service, open_to(service)), base_url="http://museum.example") as made:
        yield made


def check(content: dict[str, Any]) -> dict[str, Any]:
    """An answer that keeps to its schema, its places from 1 and its reasons adding up."""
    whole = {name: value for name, value in content.items() if name not in {"recommendation_id", "unused"}}
    jsonschema.Draft202012Validator(answer_schema()).validate(whole)
    for work in content["works"]:
        for kind in {reason["kind"] for reason in work["reasons"]} - {"field"}:
            adds = [reason["contribution"] for reason in work["reasons"] if reason["kind"] == kind]
            assert sum(adds) == pytest.approx(work["score"])
    return content


def post(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post(f"{ROOT}/recommendations", json=body)
    assert answer.status_code == 200, answer.text
    return check(answer.json())


def problem(answer: Any, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    content = answer.json()
    assert content["status"] == status
    assert {"type", "title", "detail", "instance"} <= content.keys()
    return str(content["detail"])


def test_similar_works_are_those_of_python(client: TestClient, built: Path) -> None:
    content = check(client.get(f"{ROOT}/works/w000/similar?limit=5").json())
    with open_gallery(built, writing=False) as gallery:
        expected = gallery.similar("w000", 5)
    assert [work["id"] for work in content["works"]] == list(expected.ids)
    assert [work["score"] for work in content["works"]] == pytest.approx(list(expected.scores))
    assert [work["rank"] for work in content["works"]] == [1, 2, 3, 4, 5]


def test_equal_requests_are_answered_once_in_each_state(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, ranked = Service(open_gallery(workspace, writing=False), SECRET), list[object]()
    recommend = service.gallery.recommend
    monkeypatch.setattr(service.gallery, "recommend", lambda *a, **k: [ranked.append(a), recommend(*a, **k)][1])
    with TestClient(create_service(service, open_to(service)), base_url="http://museum.example") as client:
        first = post(client, ratings=RATINGS, limit=2)
        assert post(client, ratings=RATINGS, limit=2)["works"] == first["works"]
        assert len(ranked) == 1
        assert post(client, ratings={**RATINGS, "w001": 2}, limit=2)["works"] != first["works"]
        assert len(ranked) == 2
        banned = first["works"][0]["id"]
        place(workspace, [banned], "banned")
        assert banned not in {work["id"] for work in post(client, ratings=RATINGS, limit=2)["works"]}


def test_recommendations_keep_to_conditions_and_caps(client: TestClient) -> None:
    content = post(client, ratings=RATINGS, limit=4, where=["year>=1810"], per={"artist": 2})
    assert len(content["works"]) == 4
    assert all(int(work["year"]) >= 1810 for work in content["works"])
    artists = [work["artist"] for work in content["works"]]
    assert max(map(artists.count, artists)) <= 2
    assert not {work["id"] for work in content["works"]} & RATINGS.keys()


def test_liked_and_disliked_count_as_five_and_one(client: TestClient) -> None:
    ids = [[work["id"] for work in post(client, **body)["works"]] for body in (
        {"ratings": {"w000": 5, "w001": 1}}, {"liked": ["w000"], "disliked": ["w001"]},
    )]  # fmt: skip
    assert ids[0] == ids[1]


def test_equal_requests_are_answered_once_with_an_id_each(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first, asked = post(client, ratings={"w001": 5}, limit=3), list[object]()
    answered = Service.answered
    monkeypatch.setattr(Service, "answered", lambda *given: asked.append(given) or answered(*given))
    again = post(client, ratings={"w001": 5}, limit=3)
    assert first | {"recommendation_id": ""} == again | {"recommendation_id": ""}
    assert first["recommendation_id"] != again["recommendation_id"]  # events of either are counted
    assert not asked
    post(client, ratings={"w001": 4}, limit=3)
    assert len(asked) == 1


def test_more_of_a_list_goes_on_where_it_ended(client: TestClient) -> None:
    whole = [work["id"] for work in post(client, ratings=RATINGS, limit=9)["works"]]
    first = post(client, ratings=RATINGS, limit=3)
    token, found = first["recommendation_id"], [work["id"] for work in first["works"]]
    for _ in range(2):
        more = check(client.get(f"{ROOT}/recommendations/{token}/next?limit=3").json())
        found += [work["id"] for work in more["works"]]
        token = more["recommendation_id"]
    assert found == whole


def test_a_token_tells_nothing_and_cannot_be_made_up(client: TestClient, built: Path) -> None:
    token = post(client, ratings=RATINGS)["recommendation_id"]
    assert b"w000" not in base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    changed = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    for each in (changed, "x", token[:-4]):
        assert "no such recommendation" in problem(client.get(f"{ROOT}/recommendations/{each}/next"), 404)
    assert "NUL" in problem(client.get(f"{ROOT}/recommendations/%00/next"), 404)
    other = Service(open_gallery(built, writing=False), b"another secret")
    with TestClient(create_service(other, open_to(other))) as elsewhere:
        problem(elsewhere.get(f"{ROOT}/recommendations/{token}/next"), 404)


def test_ids_that_no_work_has_are_told_and_left_out(client: TestClient) -> None:
    content = post(client, ratings={"w000": 5, "nobody": 4}, limit=2)
    assert content["unused"] == [{"id": "nobody", "why": "the collection has no such work"}]
    told = problem(client.post(f"{ROOT}/recommendations", json={"ratings": {"nobody": 4}}), 400)
    assert "none of the 1 rated works is in this collection" in told


def test_a_batch_answers_each_request_or_tells_its_problem(client: TestClient) -> None:
    asked = [{"ratings": RATINGS, "limit": 2}, {"ratings": {"nobody": 3}}, {"ratings": RATINGS, "where": ["colour=1"]}]
    good, unknown, wrong = client.post(f"{ROOT}/recommendations/batch", json={"requests": asked}).json()["results"]
    assert len(check(good)["works"]) == 2
    assert unknown["problem"]["status"] == wrong["problem"]["status"] == 400
    assert "has no field 'colour'" in wrong["problem"]["detail"]


def test_kinds_of_likeness_are_confirmed_by_the_table(client: TestClient) -> None:
    asked = "by=look,text,artist,place,period&limit=3"
    content = check(client.get(f"{ROOT}/works/w000/similar?{asked}").json())
    lists = {each["by"]: each for each in content["kinds"]}
    assert {work["artist"] for work in lists["artist"]["works"]} == {"The red master"}
    assert all("by the same hand" in work["reasons"][0]["words"] for work in lists["artist"]["works"])
    assert {abs(int(work["year"]) - 1800) <= 10 for work in lists["period"]["works"]} == {True}
    assert lists["place"]["works"] == []
    assert lists["place"]["notes"] == ["nothing is known of the place of w000"]
    assert len(lists["look"]["works"]) == len(lists["text"]["works"]) == len(content["works"]) == 3
    ranks = {each["by"]: [work["id"] for work in each["works"]] for each in content["kinds"]}
    best = content["works"][0]
    for reason in best["reasons"]:
        assert reason["contribution"] == pytest.approx(1 / (60 + reason["rank"]))
        if reason["rank"] <= 3:
            assert ranks[reason["id"]][reason["rank"] - 1] == best["id"]


def test_an_address_tells_which_methods_it_takes(client: TestClient) -> None:
    answer = client.post(f"{ROOT}/works")
    assert "POST is not understood here, but GET, HEAD" in problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD"
    assert client.get(f"{ROOT}/people/ann/ratings/w000").headers["allow"] == "PUT, DELETE"


def test_a_batch_counts_as_the_requests_that_it_holds(built: Path) -> None:
    service = Service(open_gallery(built, writing=False), SECRET)
    access = Access(service, SECRET, open_here=True, each_second=0.5)  # five at once
    with TestClient(create_service(service, access)) as client:
        body = {"requests": [{"ratings": RATINGS, "limit": 1}] * 4}
        assert client.post(f"{ROOT}/recommendations/batch", json=body).status_code == 200
        refused = client.post(f"{ROOT}/recommendations/batch", json=body)
        problem(refused, 429)
        assert int(refused.headers["retry-after"]) > 2


def test_lists_of_works_are_read_page_by_page(client: TestClient) -> None:
    found, address = [], f"{ROOT}/works?limit=25&sort=-year&fields=year"
    while True:
        page = client.get(address).json()
        assert page["total"] == 64
        found += [int(work["year"]) for work in page["works"]]
        if page["next"] is None:
            break
        address = f"{ROOT}/works?limit=25&sort=-year&fields=year&cursor={page['next']}"
    assert found == sorted(found, reverse=True)
    assert len(found) == 64
    some = client.get(f"{ROOT}/works?where[]=group=sea&where[]=year<1810&limit=50").json()
    assert [work["id"] for work in some["works"]] == ["w000", "w002", "w004", "w006", "w008"]


def test_a_work_is_found_by_id_and_by_key_with_its_picture(client: TestClient) -> None:
    work = client.get(f"{ROOT}/works/w003").json()
    assert work["url"] == f"http://museum.example{ROOT}/works/w003"
    picture = client.get(work["thumbnail"]["src"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"
    assert "immutable" in picture.headers["cache-control"]
    assert client.get(work["thumbnail"]["src"].replace(".jpg", ".webp")).content[8:12] == b"WEBP"
    assert "no such picture" in problem(client.get(work["thumbnail"]["src"].replace("/56.", "/57.")), 404)
    assert "no work 'w999'" in problem(client.get(f"{ROOT}/works/w999"), 404)


def test_equal_requests_of_one_state_are_not_sent_again(client: TestClient) -> None:
    first = client.get(f"{ROOT}/works/w003/similar")
    again = client.get(f"{ROOT}/works/w003/similar", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert client.get(f"{ROOT}/works/w003/similar", headers={"If-None-Match": "*"}).status_code == 304
    assert client.get(f"{ROOT}/works/w003/similar?limit=3").headers["etag"] != first.headers["etag"]


def test_works_and_recommendations_are_manifests_and_collections(client: TestClient) -> None:
    work = client.get(f"{ROOT}/works/w003").json()
    made = client.get(work["manifest"]).json()
    assert made["id"] == work["manifest"]
    assert made["label"] == {"none": [work["title"]]}
    [canvas] = made["items"]
    [painting] = canvas["items"][0]["items"]
    assert painting["target"] == canvas["id"]
    assert (canvas["width"], canvas["height"]) == (56, 40)
    assert client.get(painting["body"]["id"]).headers["content-type"] == painting["body"]["format"]
    found = post(client, ratings=RATINGS, limit=3)
    listed = client.get(f"{ROOT}/iiif/3/collection/{found['recommendation_id']}").json()
    assert listed["label"] == {"en": ["Recommended works"], "de": ["Empfohlene Werke"]}
    assert [each["id"] for each in listed["items"]] == [each["manifest"] for each in found["works"]]


def test_manifests_and_collections_are_read_by_another_library(client: TestClient) -> None:
    """`make check` installs iiif-prezi3 by itself: no extra can, since its metadata hold Pillow back."""
    iiif_prezi3 = pytest.importorskip("iiif_prezi3", reason="iiif-prezi3 is not installed")
    made = client.get(f"{ROOT}/iiif/3/manifest/w003").json()
    found = post(client, ratings=RATINGS, limit=3)
    listed = client.get(f"{ROOT}/iiif/3/collection/{found['recommendation_id']}").json()
    assert iiif_prezi3.Manifest.model_validate(made).items[0].width == 56
    assert len(iiif_prezi3.Collection.model_validate(listed).items) == 3
    with pytest.raises(ValueError, match="label"):
        iiif_prezi3.Manifest.model_validate({name: value for name, value in made.items() if name != "label"})


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/works?sort=size", 400, "choose from id, title, artist, year"),
        ("/works?limit=0", 422, "/query/limit"),
        ("/works?cursor=abc", 400, "take next of the page before"),
        ("/works?where[]=colour=red", 400, "has no field 'colour'"),
        ("/works?fields=id,size", 400, "works have no field 'size'"),
        (
            "/works?where=year>=1850",
            400,
            "no parameter 'where'; choose from cursor, fields, lang, limit, q, sort, where[]",
        ),
        ("/works/w000?engine=lsa", 400, "no parameter 'engine'; choose from lang"),
        ("/works/w000/similar?by=smell", 400, "there is no kind of likeness 'smell'"),
        ("/works/w000/similar?per=artist", 400, "takes a column and a number"),
        ("/works/w000/similar?engine=magic", 400, "there is no engine 'magic'"),
        ("/works/..%2f..%2fetc%2fpasswd", 404, "no work"),
        ("/search", 422, "/query/q"),
        ("/nowhere", 404, "there is nothing at"),
        ("/thumbnails/..%2f..%2fx/320.jpg", 404, ""),
    ],
)
def test_wrong_requests_are_told_what_is_right(
    client: TestClient, built: Path, address: str, status: int, words: str
) -> None:
    told = problem(client.get(ROOT + address), status)
    assert words in told
    assert str(built) not in told


@pytest.mark.parametrize(
    "body",
    [
        {"ratings": {"w000": 6}},
        {"ratings": {"w000": "five"}},
        {"ratings": RATINGS, "limit": 201},
        {"ratings": RATINGS, "limits": 3},
        {"ratings": RATINGS, "per": {"artist": 0}},
        {"ratings": RATINGS, "diversity": 2},
        {"ratings": {"w000": True}},
        {"ratings": RATINGS, "limit": "3"},
        {"ratings": RATINGS, "explain": 0},
        [],
    ],
)
def test_wrong_bodies_are_refused_with_pointers(client: TestClient, body: Any) -> None:
    answer = client.post(f"{ROOT}/recommendations", json=body)
    problem(answer, 422)
    assert all(each["pointer"].startswith("/") for each in answer.json()["errors"])


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    told = problem(client.post(f"{ROOT}/recommendations", content=b" " * (LARGEST_BODY + 1)), 413)
    assert "send less at once" in told


def test_a_head_that_is_too_large_is_refused(client: TestClient) -> None:
    assert "send less" in problem(client.get(f"{ROOT}/search", params={"q": "a" * 17_000}), 431)
    assert "send less" in problem(client.get(f"{ROOT}/works", headers={"X-Long": "a" * 17_000}), 431)


def test_the_document_describes_every_call_and_all_schemas_are_there(client: TestClient) -> None:
    document = client.get(f"{ROOT}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    text = json.dumps(document)
    names = set(document["components"]["schemas"])
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= names
    assert {"/api/v1/works/{key}/similar", "/api/v1/recommendations"} <= set(document["paths"])
    calls = [call for path in document["paths"].values() for call in path.values()]
    named = [call["operationId"] for call in calls]
    assert len(set(named)) == len(named)
    assert {"listWorks", "similarWorks", "recommend", "rateWork", "upload", "healthz"} <= set(named)
    for call in calls:
        assert all(parameter.get("description") for parameter in call.get("parameters", ())), call["operationId"]
        [(status, answer)] = [(each, told) for each, told in call["responses"].items() if each != "default"]
        contents = answer.get("content", {}).values()
        assert all(each["schema"] for each in contents), call["operationId"]
        assert bool(contents) == (status != "204")
    public = {call["operationId"] for call in calls if not call["security"]}
    assert public == {"getManifest", "getManifests", "getPicture", "healthz", "readyz", "version", "encoders"}
    page = client.get(f"{ROOT}/docs")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert client.get(f"{ROOT}/docs/reference.js").status_code == 200


def test_generators_of_clients_find_what_they_name_things_by(client: TestClient) -> None:
    document = client.get(f"{ROOT}/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z]+", name)] == []
    assert len({name.lower() for name in schemas}) == len(schemas)
    assert [
        name for name, schema in schemas.items() if schema.get("title", name) not in {name, schema.get("const")}
    ] == []
    unnamed = [name for name, schema in schemas.items() for part in parts(schema) if "properties" in part]
    assert unnamed == ["Recommendation"]  # an answer and what stands beside it
    calls = [call for path in document["paths"].values() for call in path.values()]
    bodies = [(call["operationId"], call["requestBody"]["content"].values()) for call in calls if "requestBody" in call]
    inline = {name for name, contents in bodies for each in contents if "properties" in each["schema"]}
    assert inline == set()
    assert [call["operationId"] for call in calls if not re.fullmatch(r"[a-z][A-Za-z]+", call["operationId"])] == []
    given = [(call["operationId"], each) for call in calls for each in call.get("parameters", ())]
    assert [name for name, each in given if {"type": "null"} in each["schema"].get("anyOf", ())] == []
    assert {each["schema"]["$ref"] for _, each in given if each["name"] == "lang"} == {"#/components/schemas/Language"}
    assert schemas["UploadForm"]["properties"]["pictures"]["items"]["format"] == "binary"


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The schemas within one."""
    below = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    for each in below:
        if isinstance(each, dict) and "type" in each:
            yield each
        yield from parts(each)


def test_health_version_encoders_and_metrics_are_told(client: TestClient) -> None:
    assert client.get("/healthz").text == client.get("/readyz").text == "ok\n"
    assert client.get(f"{ROOT}/version").json()["works"] == 64
    there = client.get(f"{ROOT}/encoders").json()
    assert {"lda", "colour-texture"} <= {each["name"] for each in there["encoders"]}
    assert "late-zscore" in there["engines"]
    client.get(f"{ROOT}/works/w000")
    metrics = client.get("/metrics").text
    assert 'http_route="/api/v1/works/{key:path}"' in metrics
    assert 'vernissage_index_works{encoder="lda",modality="text"} 64.0' in metrics
    assert "w000" not in metrics


def picture_of(built: Path, turn: int = 1) -> bytes:
    """The picture of w003, stored lying on its side with the note by which viewers turn it, where ``turn`` is 6."""
    target = io.BytesIO()
    with open_gallery(built, writing=False) as gallery:
        path = gallery.snapshot.picture_path(gallery["w003"])
    assert path is not None
    picture = Image.open(path).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = turn
    picture = picture.transpose(Image.Transpose.ROTATE_90) if turn == 6 else picture
    picture.save(target, "PNG", exif=exif)
    return target.getvalue()


@pytest.mark.parametrize("turn", [1, 6])
def test_a_picture_finds_what_it_shows_however_it_is_held(client: TestClient, built: Path, turn: int) -> None:
    before = sorted(built.rglob("*"))
    sent = {"files": {"picture": ("mine.png", picture_of(built, turn), "image/png")}}
    content = check(client.post(f"{ROOT}/search/picture?limit=3&where[]=year>=1801", **sent).json())
    assert [content["works"][0]["id"], len(content["works"])] == ["w003", 3]
    with open_gallery(built, writing=False) as gallery:
        path = gallery.snapshot.picture_path(gallery["w003"])
        expected = gallery.search(path, 3, within="pictures", where=["year>=1801"])
    assert [work["id"] for work in content["works"]] == list(expected.ids)
    assert sorted(built.rglob("*")) == before


def test_a_vector_finds_what_its_picture_finds(client: TestClient) -> None:
    told = client.get(f"{ROOT}/works/w003/vectors?encoder=colour-texture").json()
    assert (told["type"], told["target"]) == ("Annotation", f"http://museum.example{ROOT}/works/w003")
    [body] = told["body"]
    assert {body["fingerprint"]} == {
        each["fingerprint"]
        for each in client.get(f"{ROOT}/encoders").json()["encoders"]
        if each["name"] == "colour-texture"
    }
    query = {"vector": body["value"], "encoder": "colour-texture", "fingerprint": body["fingerprint"]}
    found = check(client.post(f"{ROOT}/search/picture?limit=4", json=query).json())
    like = client.get(f"{ROOT}/works/w003/similar?limit=3&engine=colour-texture").json()
    ids = [work["id"] for work in found["works"]]
    assert ids == ["w003", *(work["id"] for work in like["works"])]
    longer = query | {"vector": [7 * each for each in body["value"]]}
    assert [w["score"] for w in client.post(f"{ROOT}/search/picture?limit=4", json=longer).json()["works"]] == (
        pytest.approx([work["score"] for work in found["works"]], abs=1e-6)
    )
    everything = client.get(f"{ROOT}/works/w003/vectors").json()["body"]
    assert {"image", "text"} == {each["modality"] for each in everything}
    for change, status in (
        ({"fingerprint": "0" * 16}, 409),
        ({"vector": body["value"][1:]}, 422),
        ({"vector": [0] * len(body["value"])}, 422),
        ({"vector": []}, 422),
        ({"vector": ["a"]}, 422),
        ({"encoder": "none"}, 400),
        ({"limit": 3}, 422),
    ):
        problem(client.post(f"{ROOT}/search/picture", json=query | change), status)
    infinite = json.dumps(query).replace(json.dumps(body["value"])[:-1], "[NaN", 1)
    for content in (infinite, "{", ""):
        problem(client.post(f"{ROOT}/search/picture", content=content), 422)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 400),
        ("page.png", b"<script>alert(1)</script>", 400),
        ("cut.png", b"\x89PNG\r\n\x1a\n", 400),
        ("large.png", b"\0" * (LARGEST_FILE + 1), 413),
    ],
)
def test_what_is_no_picture_is_not_searched_with(client: TestClient, name: str, content: bytes, status: int) -> None:
    problem(client.post(f"{ROOT}/search/picture", files={"picture": (name, content)}), status)
    problem(client.post(f"{ROOT}/search/picture", files={"other": (name, b"x")}), 400)


def test_sentences_are_told_in_the_language_that_is_asked_for(client: TestClient) -> None:
    address = f"{ROOT}/works/w000/similar?limit=2"
    english, german = client.get(address), client.get(f"{address}&lang=de")
    accepted = client.get(address, headers={"Accept-Language": "fr, de-AT;q=0.9, en;q=0.5, *;q=0.1"})
    assert english.headers["content-language"] == "en"
    assert german.headers["content-language"] == accepted.headers["content-language"] == "de"
    assert german.json() == accepted.json()
    assert english.headers["etag"] != accepted.headers["etag"]
    assert "Accept-Language" in accepted.headers["vary"]
    told = [reason["words"] for reason in check(german.json())["works"][0]["reasons"]]
    assert told[0].startswith("ähnelt ")
    assert told[1].startswith("Grundlage: ")
    same = [[(work["id"], work["score"]) for work in each.json()["works"]] for each in (english, german)]
    assert same[0] == same[1]
    body = {"ratings": RATINGS, "limit": 70}
    content = client.post(f"{ROOT}/recommendations?lang=de", json=body).json()
    assert "70 Werke waren gewünscht, aber nur 61 passen zur Anfrage" in content["notes"]
    assert {"Sie haben", "anders als"} & {reason["words"][:10].strip() for reason in content["works"][0]["reasons"]}
    told = problem(client.get(f"{address}&lang=fr"), 422)
    assert "Input should be 'en' or 'de'" in told


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("de", "de"), ("en, de", "en"), ("de;q=0.2, en;q=0.9", "en"), ("de;q=0", "en"), ("de;q=x, , ;q=", "en"), ("DE-ch ; q=1", "de")],
)  # fmt: skip
def test_the_language_that_is_liked_best(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@pytest.mark.parametrize(
    ("accepted", "media_type", "kind"),
    [
        ("", "application/json", None),
        ("text/html, */*;q=0.1", "application/json", None),
        ('application/ld+json;profile="https://linked.art/ns/v1/linked-art.json"', LINKED_ART, "HumanMadeObject"),
        ("application/ld+json, application/json;q=0.5", LINKED_ART, "HumanMadeObject"),
        ('application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"', MANIFEST, "Manifest"),
        ("application/json, application/ld+json", "application/json", None),
    ],
)
def test_a_work_in_the_form_that_is_asked_for(
    client: TestClient, accepted: str, media_type: str, kind: str | None
) -> None:
    answer, plain = (client.get(f"{ROOT}/works/w000", headers={"Accept": each}) for each in (accepted, "*/*"))
    assert answer.headers["content-type"] == media_type
    assert answer.json().get("type") == kind
    assert "Accept" in answer.headers["vary"]
    assert (answer.headers["etag"] == plain.headers["etag"]) is (kind is None)


def test_a_search_by_a_picture_counts_as_several_requests(built: Path) -> None:
    service = Service(open_gallery(built, writing=False), SECRET)
    access = Access(service, SECRET, open_here=True, each_second=1)
    sent = {"files": {"picture": ("mine.png", picture_of(built), "image/png")}}
    with TestClient(create_service(service, access)) as client:
        answers = [client.post(f"{ROOT}/search/picture", **sent) for _ in range(4)]
    assert answers[0].status_code == 200
    assert "more requests" in problem(answers[-1], 429)
