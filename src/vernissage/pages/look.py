"""A museum's own look: name, logo, colours, fonts, links, footer and languages, by one table of a settings file."""

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from vernissage.errors import RequestError
from vernissage.files import digest
from vernissage.sentences import LANGUAGES, Language

_TYPES: Mapping[str, str] = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_LARGEST = 512 * 1024
"""Bytes of a logo or a font: what is larger keeps visitors on telephones waiting."""

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_CONTRAST = 4.5
"""The least contrast of text and its ground, WCAG 2.2, 1.4.3."""

_DEFAULTS = {
    "light": {"ground": "#ffffff", "ink": "#191918", "accent": "#8a3324"},
    "dark": {"ground": "#131312", "ink": "#eeeeea", "accent": "#e8a491"},
}
_GENERIC = {"serif": "serif", "sans-serif": "sans"}
_NAMED = re.compile(r"[\w -]+")


def _in_languages(given: object) -> object:
    """One text for all languages, or a table of them."""
    return dict.fromkeys(LANGUAGES, given) if isinstance(given, str) else given


def _beside(given: object, info: ValidationInfo) -> object:
    """A file's place, from where the settings are."""
    return info.context / given if isinstance(given, str) and info.context is not None else given


Texts = Annotated[dict[Language, str], BeforeValidator(_in_languages)]
File = Annotated[Path, BeforeValidator(_beside)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Colours(_Table):
    """Colours of one scheme, as ``#rrggbb``; what is not set stays."""

    ground: str = ""
    ink: str = ""
    accent: str = ""


class Link(_Table):
    """A link beside those to the pages."""

    text: Texts
    address: str = Field(pattern=r"^(https?://|mailto:|/)\S+$")


class Look(_Table):
    """How pages look and what stands around them.

    Attributes:
        name: what the collection is called; empty for the name of its workspace.
        logo: a picture that stands in the place of the name.
        light, dark: colours of the two schemes.
        headings, text: fonts: a file in WOFF2, or the name of one that visitors have.
        links: further ones in the header; ``footer_links`` below pages.
        footer, about: what the museum says below each page, and of the collection; paragraphs apart by blank lines.
        languages: which pages are told in, the first where a browser wants no other.
        service, key: the address of a service, and a publishable key for it, by which pages that are files recommend.
    """

    name: Texts = Field(default_factory=dict)
    logo: File | None = None
    light: Colours = Colours()
    dark: Colours = Colours()
    headings: str = ""
    text: str = ""
    links: tuple[Link, ...] = ()
    footer_links: tuple[Link, ...] = ()
    footer: Texts = Field(default_factory=dict)
    about: Texts = Field(default_factory=dict)
    languages: tuple[Language, ...] = Field(default=("en", "de"), min_length=1)
    service: str = Field(default="", pattern=r"^(https?://[^\s;,'\"]+)?$")
    key: str = ""
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _can_be_seen(self) -> "Look":
        for scheme in ("light", "dark"):
            colours = self._colours(scheme)
            for name, colour in colours.items():
                if not _COLOUR.fullmatch(colour):
                    raise ValueError(f"{scheme}.{name} is {colour!r}; write a colour as #8a3324")
            for name in ("ink", "accent"):
                found = contrast(colours[name], colours["ground"])
                if found < _CONTRAST:
                    raise ValueError(
                        f"{scheme}.{name} {colours[name]} on {colours['ground']} has a contrast of {found:.1f} and "
                        f"cannot be read by all; choose one of {_CONTRAST} or more"
                    )
        for font in filter(None, (self.headings, self.text)):
            # The name of a font that visitors have goes into the style sheet as it is; of a file, its stem alone does.
            named = Path(font).stem if font.endswith(".woff2") else font
            if not _NAMED.fullmatch(named):
                raise ValueError(f"the font {font!r} has no name of letters, digits, blanks and hyphens alone")
        self.files  # noqa: B018  (raises for a file that cannot be read)
        return self

    @cached_property
    def files(self) -> Mapping[str, tuple[bytes, str]]:
        """Contents and media types of logo and fonts, by their names."""
        places = [self.logo, *(self.folder / each for each in (self.headings, self.text) if each.endswith(".woff2"))]
        found = {}
        for place in filter(None, places):
            kind = _TYPES.get(place.suffix.lower())
            try:
                content = place.read_bytes()
            except OSError as error:
                raise ValueError(f"{place} cannot be read: {error.strerror or error}") from error
            if kind is None or len(content) > _LARGEST:
                raise ValueError(
                    f"{place} has {len(content):,} bytes; take a logo or a font in {', '.join(_TYPES)}, of "
                    f"{_LARGEST:,} bytes at most"
                )
            found[place.name] = (content, kind)
        return found

    @cached_property
    def digest(self) -> str:
        """What stands for all of it: another look has another."""
        contents = (content for _, (content, _) in sorted(self.files.items()))
        return digest(self.model_dump_json(exclude={"logo"}).encode(), *contents)[:16]

    def css(self) -> str:
        """What follows the style sheet of all pages: colours and fonts where they are set."""
        parts, given = [], {"light": self.light, "dark": self.dark}
        rules = {
            scheme: [f"--{name}: {value};" for name, value in colours.model_dump().items() if value]
            for scheme, colours in given.items()
        }
        for variable, font in (("serif", self.headings), ("sans", self.text)):
            if not font:
                continue
            family = Path(font).stem if font.endswith(".woff2") else font
            if font.endswith(".woff2"):
                file = Path(font).name
                place = f"../{digest(self.files[file][0])[:12]}/{file}"
                parts.append(
                    f'@font-face {{ font-family: "{family}"; src: url("{place}") format("woff2"); '
                    f"font-weight: 100 900; font-display: swap; }}"
                )
            rules["light"].append(f'--{variable}: "{family}", {"serif" if variable == "serif" else "sans-serif"};')
        if rules["light"]:
            parts.append(f":root {{ {' '.join(rules['light'])} }}")
        if rules["dark"]:
            parts.append(f"@media (prefers-color-scheme: dark) {{ :root {{ {' '.join(rules['dark'])} }} }}")
        return "\n".join(parts)

    def _colours(self, scheme: str) -> dict[str, str]:
        given = getattr(self, scheme).model_dump()
        return {name: (given[name] or usual).lower() for name, usual in _DEFAULTS[scheme].items()}


def read_look(file: Path) -> Look:
    """The ``[look]`` table of a settings file; places of files are from where it lies.

    Raises:
        RequestError: the file cannot be read, has no such table, or a value is not one that it takes.
    """
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{file} cannot be read as TOML: {error}") from error
    if "look" not in content:
        raise RequestError(f"{file} has no table [look]; docs/pages.md shows one")
    return look_of(content["look"], file)


def look_of(table: Any, file: Path) -> Look:
    """As `read_look`, of the table as it was read from ``file``."""
    try:
        given = {**table, "folder": file.parent} if isinstance(table, dict) else table
        return Look.model_validate(given, context=file.parent)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        told = str(first["msg"]).removeprefix("Value error, ")
        raise RequestError(f"{file}: look{'.' if at else ''}{at}: {told}; docs/pages.md lists what it takes") from error


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21, WCAG 2.2."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
