"""Pages for visitors from plain values: works without pictures, titles or anything, and what a museum sets itself."""

import hashlib
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vernissage.catalog.item import Item
from vernissage.errors import RequestError
from vernissage.gallery.answer import record_of
from vernissage.pages.look import Look, contrast, read_look
from vernissage.pages.visitor.about import LOOKED_AT, about_page
from vernissage.pages.visitor.collection import collection_page
from vernissage.pages.visitor.frame import Frame, shape, static_content, static_file
from vernissage.pages.visitor.work import Fact, work_page
from vernissage.pages.works import name_without_title
from vernissage.web.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]


def frame(look: Look | None = None, **values: Any) -> Frame:
    return Frame(look or Look(), "works", lambda path: path, lambda name: f"/static/{name}", **values)


def style_sheet(look: Look) -> str:
    content, kind = static_content("vernissage.css", look) or (b"", "")
    assert kind.startswith("text/css")
    return content.decode()


def record(item: Item, width: int = 0, height: int = 0) -> dict[str, Any]:
    found = record_of(item) | {"url": f"/works/{item.id}", "reasons": []}
    if name := name_without_title(item):
        found["name"] = name
    if width:
        src = f"/p/{item.id}.webp"
        found["thumbnail"] = {"src": src, "srcset": f"{src} {width}w", "width": width, "height": height, "alt": "A & B"}
    return found


class _Balanced(HTMLParser):
    """Raises where an element is closed that was not the last to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert tag != "style"
        for name, value in attrs:
            assert not name.startswith(("style", "on")), attrs
            assert "javascript:" not in (value or ""), attrs
        if tag not in {"meta", "link", "img", "input", "br", "circle", "path"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag


def checked(page: str) -> str:
    parser = _Balanced()
    parser.feed(page)
    assert not parser.open
    return page


ODD = {
    "nothing": Item("nothing"),
    "text": Item("text", description="Long ago. " * 200),
    "long": Item("long", title="Of the sea " * 50, artist="Many painters " * 40),
    "hostile": Item("hostile", title="</title><script>alert(1)</script>", description='"><img src=x onerror=alert(1)>'),
    "arabic": Item("arabic", title="منظر من البحر", language="ar", description="مركب صغير في البحر"),
}


@pytest.mark.parametrize("item", ODD.values(), ids=ODD)
@pytest.mark.parametrize("size", [(0, 0), (4_000, 40), (40, 4_000), (1, 1)])
def test_odd_works_have_pages_too(item: Item, size: tuple[int, int]) -> None:
    work = record(item, *size)
    pictures = [work["thumbnail"]] if work["thumbnail"] else []
    for page in (
        collection_page(frame(), [work], total=1),
        work_page(frame(), work, pictures=pictures, facts=[Fact("Medium", item.medium)], lists={"": [work]}),
    ):
        checked(page)
        assert re.search(r'<(h1|span class="title")[^>]*>[^<\s]', page)
        assert "<script>alert" not in page
        if item.language:
            assert 'lang="ar"' in page
            assert 'dir="auto"' in page


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (Item("a", title="Sea", medium="oil"), ""),
        (Item("a", medium="oil on  canvas", year="c. 1710"), "oil on canvas, c. 1710"),
        (Item("a", year="1710"), "1710"),
        (Item("a", description="A letter to a friend."), "A letter to a friend."),
        (Item("a"), ""),
    ],
)
def test_a_work_without_a_title_is_named_by_what_is_known(item: Item, name: str) -> None:
    assert name_without_title(item) == name


def test_what_a_picture_seems_to_show_names_it_and_says_that_it_is_by_software() -> None:
    assert name_without_title(Item("a"), ("boat", "sea")) == "seems to show: boat, sea (described by software)"


def test_proportions_have_a_rule_in_the_style_sheet() -> None:
    """The class of a picture is within 2.5 % of its width over its height, and the flattest and steepest are bounded."""
    rules = dict(re.findall(r"\.(r-?\d+)\{--ratio:([\d.]+)\}", style_sheet(Look())))
    for width, height in ((100, 100), (384, 251), (251, 384), (1920, 1080)):
        assert float(rules[shape({"width": width, "height": height})]) == pytest.approx(width / height, rel=0.026)
    assert shape({"width": 9_000, "height": 1}) in rules
    assert shape({"width": 1, "height": 9_000}) in rules


def test_everything_that_encoders_look_at_is_explained() -> None:
    page = checked(
        about_page(frame(), works=3, pictures=2, looked_at=list(LOOKED_AT), named_by_software=True, people=True)
    )
    assert page.count("<li>") >= len(LOOKED_AT)
    assert "3 works, 2 of them with a picture" in page


def test_the_vendored_viewer_is_the_one_that_the_page_names() -> None:
    content = static_file("openseadragon.js")
    assert content is not None
    assert hashlib.sha256(content).hexdigest()[:16] in (ROOT / "docs" / "pages.md").read_text("utf-8")
    licence = files("vernissage.pages").joinpath("static", "openseadragon.LICENSE.txt").read_text("utf-8")
    assert "Redistribution and use in source and binary forms" in licence
    assert static_file("openseadragon.LICENSE.txt") is None  # a file of the package, no file of pages


def test_a_museum_sets_its_own_look(tmp_path: Path) -> None:
    Image.new("RGB", (80, 20), "navy").save(tmp_path / "logo.png")
    file = tmp_path / "museum.toml"
    file.write_text(
        """[look]
name = {en = "The Museum", de = "Das Museum"}
logo = "logo.png"
headings = "Georgia"
languages = ["de", "en"]
footer = "Open daily.\\n\\nFree on Sundays."
links = [{text = "Visit", address = "https://museum.example/visit"}]
[look.light]
accent = "#004488"
"""
    )
    look = read_look(file)
    page = checked(collection_page(frame(look, language="de"), []))
    assert '<img src="/static/logo.png" alt="Das Museum">' in page
    assert '<a href="https://museum.example/visit">Visit</a>' in page
    assert "<p>Free on Sundays.</p>" in page
    css = style_sheet(look)
    assert css.startswith((static_file("vernissage.css") or b"").decode())
    assert ':root { --accent: #004488; --serif: "Georgia", serif; }' in css
    assert "prefers-color-scheme: dark) { :root { --accent" not in css.partition("/* Proportions")[2]


def test_the_example_is_read() -> None:
    example = ROOT / "examples" / "museum.toml"
    assert read_settings({}, example).look == read_look(example)
    assert f"{read_look(example).name['de']}" in collection_page(frame(read_look(example), language="de"), [])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ('colour = "#ff0000"', "look.colour: Extra inputs"),
        ('logo = "logo.png"', "logo.png cannot be read"),
        ('light.accent = "#ffff00"', "contrast of 1.1 and cannot be read"),
        ('light.ink = "black"', "write a colour as #8a3324"),
        ('languages = ["fr"]', "Input should be 'en' or 'de'"),
        ('headings = "x; } body { display: none"', "has no name of letters"),
        ("headings = 'x\"; } body { display: none } /y'", "has no name of letters"),
        ('links = [{text = "x", address = "javascript:alert(1)"}]', "look.links.0.address"),
        ('name = {fr = "x"}', "look.name.fr"),
    ],
)
def test_a_look_that_means_nothing_is_told(tmp_path: Path, words: str, expected: str) -> None:
    file = tmp_path / "museum.toml"
    file.write_text(f"[look]\n{words}\n")
    with pytest.raises(RequestError, match=re.escape(expected)):
        read_look(file)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_a_list_of_all_kinds_says_what_is_by_the_same_hand() -> None:
    one, like, other = (
        record(Item(each, artist=name)) for each, name in zip("abc", ("Ann", "Ann", "Bob"), strict=True)
    )
    page = checked(work_page(frame(), one, lists={"": [like, other]}))
    assert page.count("By the same hand") == 1


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("The Beanfield. Oil on canvas.", "Oil on canvas."),
        ("The Beanfield:\nOil on canvas.", "Oil on canvas."),
        ("The Beanfields of Letchworth.", "The Beanfields of Letchworth."),
        ("The Beanfield.", "The Beanfield."),
    ],
)
def test_a_text_does_not_begin_with_the_title_that_stands_above_it(description: str, shown: str) -> None:
    work = record(Item(id="b", title="The Beanfield", description=description))
    for page in (collection_page(frame(), [work]), work_page(frame(), work)):
        assert f">{shown}</" in page
