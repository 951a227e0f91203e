"""One HTML file from a template, its style sheets and its scripts; it loads nothing from anywhere."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup, escape

from vernissage.sentences import told

_OWN = "vernissage.pages"


def render(
    template: str, *, styles: Sequence[str], scripts: Sequence[str] = (), package: str = _OWN, **values: Any
) -> str:
    """Fill ``template`` with ``values``, every text escaped, and put the style sheets and scripts into it.

    Files are looked for in ``package``, then among the product's own. The scripts share one scope, in their order. The
    page's content security policy forbids all loading, and any script but these.
    """
    script = '(() => {{\n"use strict";\n{}\n}})();'.format("\n".join(_text(package, name) for name in scripts))
    return (
        environment(package)
        .get_template(template)
        .render(
            policy=_policy(script),
            style=Markup("\n".join(_text(package, name) for name in styles)),  # noqa: S704  (our own files)
            script=Markup(script),  # noqa: S704  (our own files)
            **values,
        )
    )


@cache
def environment(package: str) -> Environment:
    """Templates of ``package``, then the product's own; every text is escaped. Filters are below."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(each) for each in dict.fromkeys((package, _OWN))]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {each.__name__: each for each in (plain, shortened, told, with_marks, without_title)}
    return made


def embedded_json(value: Any) -> Markup:
    """``value`` as JSON that can stand in a script element: no text in it can end that element."""
    return htmlsafe_json_dumps(value, ensure_ascii=False, separators=(",", ":"))


def data_uri(content: bytes, media_type: str) -> str:
    """``content`` as an address that carries it."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def plain(text: str) -> str:
    """``text`` on one line, single blanks between words."""
    return " ".join(text.split())


def shortened(text: str, longest: int) -> str:
    """``text`` on one line of at most ``longest`` characters, the last an ellipsis where more follow."""
    line = plain(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def without_title(text: str, title: str) -> str:
    """``text`` without a title that it begins with, which pages show above it; whole where nothing else is in it."""
    begins = title and text.lstrip().startswith(tuple(f"{title}{mark}" for mark in ".:\n"))
    return (text.lstrip()[len(title) + 1 :].strip() if begins else "") or text


def with_marks(text: str) -> Markup:
    """``text`` as HTML in which what stands between asterisks is marked."""
    mark = Markup("<mark>{}</mark>")
    marked = (escape(part) if place % 2 == 0 else mark.format(part) for place, part in enumerate(text.split("*")))
    return Markup().join(marked)


def _policy(script: str) -> str:
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{allowed}'; "
        f"base-uri 'none'; form-action 'none'"
    )


@cache
def _text(package: str, name: str) -> str:
    found = files(package).joinpath("templates", name)
    return (found if found.is_file() else files(_OWN).joinpath("templates", name)).read_text(encoding="utf-8").strip()
