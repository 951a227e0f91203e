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
_LOW = (7, 9, 11, 14, 17, 20)
"""Heights of rows in the style sheet, in rem; the last is the highest of all rows."""

_GROWN = 1.2
"""How much rows grow at most times, so that they end together."""

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
        policy: the content security policy of a page that is a file, which no header of a server brings.
        package: where templates are looked for, before those of the product.
    """

    look: Look
    name: str
    address: Callable[[str], str]
    static: Callable[[str], str]
    language: str = ENGLISH
    here: str = "/"
    pages: tuple[str, ...] = ("/",)
    languages: Mapping[str, str] = field(default_factory=dict)
    policy: str = ""
    package: str = _OWN

    @property
    def title(self) -> str:
        """What the museum calls the collection, else its name, which is that of a folder."""
        name = self.name.replace("_", " ").strip()
        return self.text(self.look.name) or name[:1].upper() + name[1:]

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


_FILES: Mapping[str, str] = {"/": "index.html"}
_FILE_POLICY = (
    "default-src 'none'; img-src 'self' file: blob: data:; style-src 'self' file:; script-src 'self' file:; "
    "font-src 'self' file:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


def file_frame(look: Look, name: str, up: str, here: str, pages: tuple[str, ...]) -> Frame:
    """What stands around a page that is a file; ``up`` leads from it to where the first page lies."""
    return Frame(
        look,
        name,
        address=lambda path: up + _FILES.get(path, f"{path[1:]}.html"),
        static=lambda file: f"{up}static/{static_digest(file, look)}/{file}",
        language=look.languages[0],
        here=here,
        pages=pages,
        policy=_FILE_POLICY.replace("'self'", f"'self' {look.service}") if here == "/for-you" else _FILE_POLICY,
    )


def rendered(template: str, frame: Frame, **values: Any) -> str:
    """A page from a template, with every text escaped and every `Sentence` told in the frame's language.

    In templates ``_("…", n=3)`` is a sentence of the catalogue, ``told(text)`` one that is handed over, ``frame`` this
    one, ``shape(thumbnail)`` the class of a picture's proportions, ``whole(thumbnail)`` its largest width and height.
    """

    def sentence(message: str, **of: object) -> str:
        return told(Sentence(message, **of), frame.language)

    page = environment(frame.package).get_template(template)
    given: dict[str, Any] = {
        "_": sentence,
        "told": lambda text: told(text, frame.language),
        "frame": frame,
        "shape": shape,
        "whole": whole,
        "low": low,
        "paragraphs": paragraphs,
    }
    return page.render(given | translated(values, frame.language))


def in_one_file(
    template: str,
    name: str,
    /,
    language: str = ENGLISH,
    *,
    styles: tuple[str, ...] = (STYLE,),
    package: str = _OWN,
    **values: Any,
) -> str:
    """As `rendered`, a page that is complete in itself: it loads nothing, runs nothing and leads to no other page."""
    look = Look()
    style = "".join((static_file(each) or b"").decode() for each in styles)
    allowed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    frame = Frame(look, name, lambda _: "#main", lambda _: "", language, pages=(), policy=policy, package=package)
    return rendered(template, frame, style=Markup(style), **values)  # noqa: S704  (our own file)


def report(template: str, title: str, /, **values: Any) -> str:
    """As `in_one_file`, a page of numbers and figures, from a template that fills ``report.html``."""
    return in_one_file(template, title, title=title, styles=(STYLE, "report.css"), **values)


def whole(thumbnail: Mapping[str, Any]) -> tuple[int, int]:
    """Width and height of the largest size of a picture, which is never shown larger."""
    width = int(thumbnail["srcset"].rpartition(" ")[2].removesuffix("w") or thumbnail["width"])
    return width, max(1, round(width * thumbnail["height"] / thumbnail["width"]))


def low(works: Sequence[Mapping[str, Any]]) -> str:
    """The class that keeps rows of pictures so low that most need not be enlarged to fill them; empty for no bound."""
    heights = sorted(whole(each["thumbnail"])[1] for each in works if each["thumbnail"])
    if not heights:
        return ""
    least = heights[len(heights) // 5] / _GROWN
    return f"low-{max((rem for rem in _LOW if rem * 16 <= least), default=_LOW[0])}"


def shape(thumbnail: Mapping[str, Any]) -> str:
    """The class of the style sheet for a picture's width over its height."""
    ratio = math.log(thumbnail["width"] / thumbnail["height"]) / math.log(_STEP)
    return f"r{min(_FLATTEST, max(_STEEPEST, round(ratio)))}"


_digests: dict[tuple[str, str], str] = {}


@cache
def static_file(name: str) -> bytes | None:
    """The content of a file that pages load; None where there is none of that name."""
    found = files(_OWN).joinpath("static", name)
    if "/" in name or name.rpartition(".")[2] not in STATIC_TYPES or not found.is_file():
        return None
    content = found.read_bytes()
    return content + _shapes() if name == STYLE else content


def static_content(name: str, look: Look) -> tuple[bytes, str] | None:
    """The content and the media type of a file that pages load, of the museum's own too; None where there is none."""
    if name in look.files:
        return look.files[name]
    content = static_file(name)
    if content is None:
        return None
    return content + look.css().encode() if name == STYLE else content, STATIC_TYPES[name.rpartition(".")[2]]


def static_digest(name: str, look: Look) -> str:
    """What stands for the content of a file in its address: another content has another address."""
    key = name, look.digest
    if key not in _digests:
        content, _ = static_content(name, look) or (b"", "")
        _digests[key] = digest(content)[:12]
    return _digests[key]


def paragraphs(text: str) -> Markup:
    """Paragraphs, which blank lines part, as HTML."""
    return Markup("\n").join(Markup("<p>{}</p>").format(each.strip()) for each in text.split("\n\n") if each.strip())


def _shapes() -> bytes:
    """The rules of `shape`."""
    rules = (f".r{step}{{--ratio:{_STEP**step:.3f}}}" for step in range(_STEEPEST, _FLATTEST + 1))
    return "\n".join(rules).encode() + b"\n"
