"""What stands around every page for visitors: names, links, language, and where files and other pages are."""

import base64
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from vernissage.files import digest
from vernissage.pages.look import Look
from vernissage.pages.templating import environment
from vernissage.sentences import ENGLISH, Sentence, told, translated

NAV: Mapping[str, Sentence] = {
    "/": Sentence("Collection"),
    "/for-you": Sentence("For you"),
    "/areas": Sentence("My areas"),
    "/map": Sentence("Map"),
    "/about": Sentence("About"),
}
"""Pages that the header links to, where they are served."""

STATIC_TYPES: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
STYLE = "vernissage.css"

_OWN = "vernissage.pages"
_LITTLE = 260
"""Pixels of the shorter side; rows of pictures are up to 320 high."""

_STEP, _FLATTEST, _STEEPEST = 1.05, 30, -20
"""Proportions of pictures are classes of the style sheet, since the policy of pages allows no styles in them."""


@dataclass(frozen=True)
class Frame:
    """What a page knows of its surroundings.

    Attributes:
        name: of the collection.
        address: of a page, by its path such as ``/about``.
        static: the address of a file, by its name.
        here: the path of this page; ``pages`` are those that there are.
        languages: the address of this page in each language.
    """

    look: Look
    name: str
    address: Callable[[str], str]
    static: Callable[[str], str]
    language: str = ENGLISH
    here: str = "/"
    pages: tuple[str, ...] = ("/",)
    languages: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What the museum calls the collection, else its name."""
        return self.look.name.get(self.language) or self.name  # type: ignore[call-overload]

    @property
    def nav(self) -> list[tuple[str, str, bool]]:
        """Address and words of each page in the header, and whether this is it."""
        return [
            (self.address(path), told(words, self.language), path == self.here)
            for path, words in NAV.items()
            if path in self.pages
        ]

    def text(self, texts: Mapping[Any, str]) -> str:
        """What the museum says, in the page's language if it is there."""
        return texts.get(self.language) or next(iter(texts.values()), "")


def rendered(template: str, frame: Frame, **values: Any) -> str:
    """A page from ``visitor/TEMPLATE``, with every text escaped and every `Sentence` told in the frame's language.

    In templates ``_("…", n=3)`` is a sentence of the catalogue, ``told(text)`` one that is handed over, ``frame`` this
    one, ``shape(thumbnail)`` the class of a picture's proportions, ``whole(thumbnail)`` its largest width and height.
    """

    def sentence(message: str, **of: object) -> str:
        return told(Sentence(message, **of), frame.language)

    page = environment(_OWN).get_template(f"visitor/{template}")
    given: dict[str, Any] = {
        "_": sentence,
        "told": lambda text: told(text, frame.language),
        "frame": frame,
        "shape": shape,
        "whole": whole,
        "little": little,
        "paragraphs": paragraphs,
    }
    return page.render(given | translated(values, frame.language))


def in_one_file(template: str, title: str, language: str = ENGLISH, **values: Any) -> str:
    """As `rendered`, a page that is complete in itself: it loads nothing, runs nothing and leads to no other page."""
    look = Look()
    style = style_sheet(look).decode()
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    frame = Frame(look, title, address=lambda _: "#main", static=lambda _: "", language=language, pages=())
    return rendered(template, frame, style=Markup(style), policy=policy, **values)  # noqa: S704  (our own file)


def whole(thumbnail: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of the largest size of a picture, which is never shown larger."""
    width = int(thumbnail["srcset"].rpartition(" ")[2].removesuffix("w") or thumbnail["width"])
    return width, max(1, round(width * thumbnail["height"] / thumbnail["width"]))


def little(works: Sequence[Mapping[str, Any]]) -> bool:
    """Whether most pictures are so small that rows of them have to be lower than others."""
    heights = sorted(min(whole(each["thumbnail"])) for each in works if each["thumbnail"])
    return bool(heights) and heights[len(heights) // 2] < _LITTLE


def shape(thumbnail: Mapping[str, Any]) -> str:
    """The class of the style sheet for a picture's width over its height."""
    ratio = math.log(thumbnail["width"] / thumbnail["height"]) / math.log(_STEP)
    return f"r{min(_FLATTEST, max(_STEEPEST, round(ratio)))}"


@cache
def static_file(name: str) -> bytes | None:
    """The content of a file that pages load; None where there is none of that name."""
    found = files(_OWN).joinpath("static", name)
    if "/" in name or name.rpartition(".")[2] not in STATIC_TYPES or not found.is_file():
        return None
    content = found.read_bytes()
    return content + _shapes() if name == STYLE else content


def static_digest(name: str, look: Look) -> str:
    """What stands for the content of a file in its address: another content has another address."""
    content = style_sheet(look) if name == STYLE else static_file(name) or look.files.get(name, (b"", ""))[0]
    return digest(content)[:12]


def style_sheet(look: Look) -> bytes:
    """The style sheet of all pages, then the museum's own."""
    return (static_file(STYLE) or b"") + look.css().encode()


def paragraphs(text: str) -> Markup:
    """Paragraphs, which blank lines part, as HTML."""
    return Markup("\n").join(Markup("<p>{}</p>").format(each.strip()) for each in text.split("\n\n") if each.strip())


def _shapes() -> bytes:
    """The rules of `shape`."""
    rules = (f".r{step}{{--ratio:{_STEP**step:.3f}}}" for step in range(_STEEPEST, _FLATTEST + 1))
    return "\n".join(rules).encode() + b"\n"
