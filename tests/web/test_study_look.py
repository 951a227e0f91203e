"""Pages of a study in a museum's own look: name, colours, font and footer, and nothing that leads out of the study."""

import re
from pathlib import Path

from tests.web.conftest import PASSWORD, Serve
from tests.web.walking import Walker, loaded_by

from vernissage.pages.look import read_look
from vernissage.web.templating import Templates

LOOK = """[look]
name = "Harbour <Museum>"
logo = "harbour.svg"
headings = "ship.woff2"
footer = "Open daily."
links = [{text = "Visit", address = "https://museum.example/visit"}]
footer_links = [{text = "Shop", address = "https://museum.example/shop"}]

[look.dark]
accent = "#7fd1de"
"""


def test_every_page_of_a_study_has_the_museums_look_and_none_leads_away(serve: Serve, tmp_path: Path) -> None:
    for name, content in (("museum.toml", LOOK), ("harbour.svg", "<svg/>"), ("ship.woff2", "a font")):
        (tmp_path / name).write_text(content, "utf-8")
    world = serve(templates=Templates(read_look(tmp_path / "museum.toml"), "toy"))
    walker = Walker(world.client)
    pages = [walker.open(), walker.get("/nowhere"), walker.get("/study/experimenter/login")]
    pages.append(walker.send(pages[-1], walker.filled(pages[-1]) | {"password": PASSWORD}))
    pages += [walker.begin(), walker.walk(walker.open())]
    assert [each.url.path for each in pages[-2:]] == ["/study/elicitation", "/study/thanks"]
    for page in pages:
        assert 'alt="Harbour &lt;Museum&gt;"' in page.text
        assert "<p>Open daily.</p>" in page.text
        assert "museum.example" not in page.text
        assert re.findall(r'href="(?!/study|#|[^"]*preview=)', page.text) == []
    style = next(each for each in loaded_by(pages[0]) if each.endswith("vernissage.css"))
    css = world.client.get(style)
    assert "--accent: #7fd1de;" in css.text
    font = re.search(r'url\("\.\.(/\w+/ship\.woff2)"\)', css.text)
    assert font
    assert world.client.get(f"/study/static{font[1]}").text == "a font"
    assert "font-src 'self'" in css.headers["content-security-policy"]


def test_what_the_study_does_not_say_itself_is_said_in_its_language_where_we_have_it(serve: Serve) -> None:
    walker = Walker(serve(templates=Templates(title="toy", language="de-AT")).client)
    welcome = walker.open()
    assert '<html lang="de">' in welcome.text
    assert "Ihr Alter" in welcome.text
    faulty = walker.send(welcome, walker.filled(welcome) | {"age": "7", "consent": ""})
    assert "2 Antworten fehlen oder sind nicht zu verwenden" in faulty.text
    assert "geben Sie eine Zahl von 18 bis 120 ein, oder nichts" in faulty.text
    pages = [welcome, faulty, walker.get("/nowhere"), walker.begin(), walker.walk(walker.open())]
    english = re.compile(r"\b(your|this|from|choose|page|list|rate|rating|close|thank)\b", re.IGNORECASE)
    for page in pages:
        ours = re.sub(
            r'<(\w+) [^>]*lang="en"[^>]*>.*?</\1>', "", page.text[page.text.index("<body") :], flags=re.DOTALL
        )
        words = re.sub(r"<[^>]+>", " ", ours)
        assert not english.search(words), words
    assert '<html lang="en">' in walker.get("/study/experimenter/login").text


def test_words_of_a_study_in_a_language_that_we_do_not_have_are_english(serve: Serve) -> None:
    welcome = Walker(serve(templates=Templates(title="toy", language="fr")).client).open()
    assert '<html lang="en">' in welcome.text
    assert "Your age" in welcome.text
