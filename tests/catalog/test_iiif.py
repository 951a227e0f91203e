"""Documents of IIIF as they are read: shapes of the cookbook in both versions, and what strangers make of them."""

import json
from typing import Any

import pytest

from vernissage.catalog.sources.iiif import MOST_CANVASES, activities_of, cells_of, members, parsed, stream_of

ROOT = "https://museum.example/iiif"
PAINTED = {"id": f"{ROOT}/boat.jpg", "type": "Image", "format": "image/jpeg", "width": 3000, "height": 2000}
SERVICE = {"id": f"{ROOT}/images/boat", "type": "ImageService3", "profile": "level1"}
SIZED = f"{ROOT}/images/boat/full/1024,/0/default.jpg"


def canvas(body: Any, name: str = "c1", **more: Any) -> dict[str, Any]:
    """A canvas on which a body is painted."""
    note = {"id": f"{ROOT}/{name}/a", "type": "Annotation", "motivation": "painting", "body": body}
    page = {"id": f"{ROOT}/{name}/p", "type": "AnnotationPage", "items": [note | {"target": f"{ROOT}/{name}"}]}
    return {"id": f"{ROOT}/{name}", "type": "Canvas", "width": 3000, "height": 2000, "items": [page], **more}


def third(*canvases: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A manifest of Presentation 3."""
    told = {"@context": "http://iiif.io/api/presentation/3/context.json", "id": f"{ROOT}/m", "type": "Manifest"}
    return told | {"label": {"en": ["A boat"]}, "items": list(canvases)} | more


def second(*pictures: Any, **more: Any) -> dict[str, Any]:
    """A manifest of Presentation 2 with a canvas for each picture."""
    canvases = [
        {
            "@id": f"{ROOT}/c{n}", "@type": "sc:Canvas", "width": 2000, "height": 3000, "label": f"f. {n}r",
            "images": [{"@type": "oa:Annotation", "motivation": "sc:painting", "resource": picture, "on": f"{ROOT}/c{n}"}],
        }
        for n, picture in enumerate(pictures)
    ]  # fmt: skip
    told = {"@context": "http://iiif.io/api/presentation/2/context.json", "@id": f"{ROOT}/m", "@type": "sc:Manifest"}
    return told | {"label": "A boat", "sequences": [{"@type": "sc:Sequence", "canvases": canvases}]} | more


OLD = {"@id": f"{ROOT}/old.jpg", "@type": "dctypes:Image", "width": 2000, "height": 3000}
OLD_SERVICE = {
    "@context": "http://iiif.io/api/image/2/context.json",
    "@id": f"{ROOT}/images/old",
    "profile": ["http://iiif.io/api/image/2/level2.json", {"formats": ["jpg"]}],
}

SHAPES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "one picture": (third(canvas(PAINTED)), {"title": "A boat", "picture": PAINTED["id"], "canvas ids": f"{ROOT}/c1"}),
    "a picture with a service": (third(canvas(PAINTED | {"service": [SERVICE]})), {"picture": SIZED}),
    "a service that makes no sizes": (
        third(canvas(PAINTED | {"service": [SERVICE | {"profile": "level0"}]})),
        {"picture": f"{ROOT}/images/boat/info.json"},
    ),
    "a picture of 30,000 pixels": (
        third(canvas(PAINTED | {"width": 20_000, "height": 30_000, "service": SERVICE})),
        {"picture": f"{ROOT}/images/boat/full/683,/0/default.jpg"},
    ),
    "a choice": (
        third(canvas({"type": "Choice", "items": [PAINTED, PAINTED | {"id": f"{ROOT}/x-ray.jpg"}]})),
        {"picture": PAINTED["id"]},
    ),
    "a part of a picture": (
        third(canvas({"type": "SpecificResource", "source": PAINTED, "selector": {"region": "1,2,3,4"}})),
        {"picture": PAINTED["id"]},
    ),
    "several languages": (
        third(
            canvas(PAINTED),
            label={"de": ["Ein Boot"], "en": ["A boat"], "id": ["Perahu"]},
            metadata=[{"label": {"en": ["Artist"], "de": ["Künstler"]}, "value": {"none": ["Ann", "Bea"]}}],
            summary={"de": ["<p>Es fährt &amp; fährt.</p>"]},
        ),
        {
            "title": "A boat", "title[de]": "Ein Boot", "title[id]": "Perahu", "Artist": "Ann | Bea",
            "description": "Es fährt & fährt.",
        },
    ),
    "rights and a statement": (
        third(
            canvas(PAINTED),
            rights="http://creativecommons.org/licenses/by/4.0/",
            requiredStatement={"label": {"en": ["Credit"]}, "value": {"en": ["The museum"]}},
            homepage=[{"id": "https://museum.example/boat", "type": "Text", "format": "text/html"}],
        ),
        {
            "rights": "http://creativecommons.org/licenses/by/4.0/", "credit": "The museum",
            "link": "https://museum.example/boat",
        },
    ),
    "a book with ranges": (
        third(
            canvas(PAINTED, label={"en": ["Frontispiece"]}),
            canvas(PAINTED | {"id": f"{ROOT}/2.jpg"}, "c2", label={"none": ["2"]}),
            behavior=["paged"],
            structures=[{"id": f"{ROOT}/r", "type": "Range", "items": [{"id": f"{ROOT}/c2", "type": "Canvas"}]}],
        ),
        {
            "picture": f"{PAINTED['id']}|{ROOT}/2.jpg", "canvas ids": f"{ROOT}/c1 | {ROOT}/c2",
            "contents": "Frontispiece",
        },
    ),
    "a recording with a poster": (
        third(
            canvas({"id": f"{ROOT}/a.mp3", "type": "Sound", "format": "audio/mp3"}, placeholderCanvas=canvas(PAINTED, "p"))
        ),
        {"picture": PAINTED["id"], "canvas ids": f"{ROOT}/c1"},
    ),
    "a recording with a thumbnail": (
        third(canvas({"id": f"{ROOT}/a.mp4", "type": "Video"}), thumbnail=[{"id": f"{ROOT}/t.jpg", "type": "Image"}]),
        {"picture": f"{ROOT}/t.jpg"},
    ),
    "a comment beside the picture": (
        third(canvas(PAINTED) | {"annotations": [{"items": [{"motivation": "commenting", "body": OLD}]}]}),
        {"picture": PAINTED["id"]},
    ),
    "the second version": (
        second(OLD | {"service": OLD_SERVICE}, OLD, description=["It floats.", "Gently."], attribution="The museum",
               license="http://rightsstatements.org/vocab/NoC-US/1.0/", related="https://museum.example/boat"),
        {
            "id": f"{ROOT}/m", "title": "A boat", "description": "It floats.\nGently.", "credit": "The museum",
            "rights": "http://rightsstatements.org/vocab/NoC-US/1.0/", "link": "https://museum.example/boat",
            "picture": f"{ROOT}/images/old/full/683,/0/default.jpg|{ROOT}/old.jpg", "contents": "f. 0r | f. 1r",
        },
    ),
    "languages of the second version": (
        second(
            OLD,
            label=[{"@value": "Ein Boot", "@language": "de"}, {"@value": "A boat", "@language": "en"}],
            metadata=[
                {"label": [{"@value": "Künstler", "@language": "de"}], "value": [{"@value": "Ann", "@language": "de"}]},
                {"label": "Date", "value": 1890},
                {"label": "Title", "value": "A boat"},
                {"label": "Rights", "value": "See the desk"},
            ],
        ),
        {"title": "A boat", "title[de]": "Ein Boot", "Künstler": "Ann", "Date": "1890", "Rights (metadata)": "See the desk"},
    ),
    "a choice of the second version": (
        second({"@type": "oa:Choice", "default": OLD, "item": ["rdf:nil"]}),
        {"picture": f"{ROOT}/old.jpg"},
    ),
    "a part, in the second version": (
        second({"@type": "oa:SpecificResource", "full": OLD, "selector": {"@type": "oa:SvgSelector"}}),
        {"picture": f"{ROOT}/old.jpg"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_of_the_cookbook_becomes_cells(shape: str) -> None:
    manifest, expected = SHAPES[shape]
    cells, further = cells_of(manifest, "https://elsewhere.example/m")
    assert {name: cells.get(name) for name in expected} == expected
    assert further == 0
    assert "Title (metadata)" not in cells  # which says nothing new


ODD: list[Any] = [None, 5, "x", [], {}, [None], [[{}]], {"en": None}, {"en": {"x": [1]}}, {"type": ["Manifest"]}, True]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_odd_values_anywhere_are_passed_over(odd: Any) -> None:
    names = [
        "label",
        "summary",
        "metadata",
        "rights",
        "requiredStatement",
        "homepage",
        "items",
        "thumbnail",
        "sequences",
    ]
    for name in names:
        cells, _ = cells_of(third(canvas(PAINTED), **{name: odd}), f"{ROOT}/m")
        assert cells["id"] == f"{ROOT}/m"
    for body in (odd, {"type": "Choice", "items": odd}, PAINTED | {"service": odd}, PAINTED | {"width": odd}):
        assert cells_of(third(canvas(body)), f"{ROOT}/m")[0]["title"] == "A boat"
    assert list(members({"type": "Collection", "items": odd, "members": odd, "first": odd})) == []
    assert activities_of({"orderedItems": odd, "prev": odd}) == ([], "")
    assert stream_of({"service": odd, "seeAlso": odd}) == ""


def test_a_choice_within_itself_ends() -> None:
    body: dict[str, Any] = PAINTED
    for _ in range(500):
        body = {"type": "Choice", "items": [body]}
    assert "picture" not in cells_of(third(canvas(body)), "")[0]


def test_canvases_beyond_a_bound_are_counted() -> None:
    pages = [canvas(PAINTED | {"id": f"{ROOT}/{n}.jpg"}, f"c{n}") for n in range(MOST_CANVASES + 3)]
    cells, further = cells_of(third(*pages), "")
    assert (cells["picture"].count("|") + 1, further) == (MOST_CANVASES, 3)


def test_addresses_cannot_become_two_by_the_sign_between_them() -> None:
    cells, _ = cells_of(third(canvas(PAINTED | {"id": f"{ROOT}/a|http://10.0.0.1/b c.jpg"})), "")
    assert cells["picture"] == f"{ROOT}/a%7Chttp://10.0.0.1/b%20c.jpg"
    assert "picture" not in cells_of(third(canvas(PAINTED | {"id": "file:///etc/passwd"})), "")[0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><p>Log in", "is a web page or XML, not JSON"),
        (b"{", "is not JSON, or nested too deeply"),
        (b"[" * 200_000, "is not JSON, or nested too deeply"),
        (b"[1]", "is JSON, but no object"),
        (b"\xff\xfe", "is not JSON, or nested too deeply"),
    ],
)
def test_what_is_no_document_is_said(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parsed(body)
    assert parsed(b"\xef\xbb\xbf" + json.dumps(third()).encode())["type"] == "Manifest"


def test_what_collections_of_both_versions_name() -> None:
    old = {
        "@type": "sc:Collection",
        "manifests": [{"@id": f"{ROOT}/1", "@type": "sc:Manifest"}, f"{ROOT}/2"],
        "collections": [{"@id": f"{ROOT}/inner"}],
        "members": [{"@id": f"{ROOT}/3", "@type": "sc:Manifest"}, {"@id": f"{ROOT}/4", "@type": "sc:Range"}],
        "next": f"{ROOT}/page2",
    }
    named = [(each.address.removeprefix(f"{ROOT}/"), each.kind) for each in members(old)]
    assert named == [
        ("inner", "Collection"),
        ("1", "Manifest"),
        ("2", "Manifest"),
        ("3", "Manifest"),
        ("page2", "Page"),
    ]
    [inner] = members({"type": "Collection", "items": [third(canvas(PAINTED))]})
    assert inner.inner is not None
