"""Taking part over HTTP as a browser without scripts does: following redirects, filling the form that is there."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

Choose = Callable[[str, list[str]], str]
"""Which of the values a question's name is answered with."""


@dataclass
class Form:
    """One form: where it goes, what it carries, and what it asks."""

    action: str
    carried: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method") == "post":
            self.forms.append(Form(values["action"]))
        self.loads += [values[name] for name in ("src", "data-picture") if name in values]
        if tag == "link":
            self.loads.append(values["href"])
        if tag == "input" and "name" in values and self.forms:
            self._input(self.forms[-1], values)

    def _input(self, form: Form, values: Mapping[str, str]) -> None:
        name, kind = values["name"], values["type"]
        if kind == "radio":
            form.choices.setdefault(name, []).append(values["value"])
            if "checked" in values:
                form.chosen[name] = values["value"]
        elif kind == "checkbox":
            form.boxes.append(name)
        else:
            form.carried[name] = values.get("value", "")


def _read(page: httpx.Response) -> _Reader:
    reader = _Reader()
    reader.feed(page.text)
    return reader


def forms_in(page: httpx.Response) -> list[Form]:
    """The forms of a page."""
    return _read(page).forms


def form_in(page: httpx.Response) -> Form:
    """The first form of a page."""
    return forms_in(page)[0]


def loaded_by(page: httpx.Response) -> list[str]:
    """What a page shows and loads: pictures, style sheets, scripts."""
    return _read(page).loads


def steady(seed: str) -> Choose:
    """Answers that look random and depend on nothing but the seed and the question."""

    def choose(name: str, values: list[str]) -> str:
        return values[hashlib.sha256(f"{seed}/{name}".encode()).digest()[0] % len(values)]

    return choose


class Walker:
    """Somebody who takes part."""

    def __init__(self, client: httpx.Client, choose: Choose | None = None) -> None:
        self.client = client
        self.choose = choose or steady("")

    def open(self, query: str = "") -> httpx.Response:
        """Follow the link of an invitation."""
        return self.get(f"/study{query}")

    def get(self, address: str, **options: Any) -> httpx.Response:
        return self.client.get(address, follow_redirects=options.pop("follow_redirects", True), **options)

    def filled(self, page: httpx.Response) -> dict[str, str]:
        """What is sent when everything on a page is answered."""
        return self._filled(form_in(page))

    def _filled(self, form: Form) -> dict[str, str]:
        chosen = {name: self.choose(name, values) for name, values in form.choices.items()}
        return {**form.carried, **chosen, **dict.fromkeys(form.boxes, "yes")}

    def send(self, page: httpx.Response, fields: Mapping[str, str] | None = None, **options: Any) -> httpx.Response:
        """Send a page's form, filled unless ``fields`` are given."""
        form = form_in(page)
        given = self._filled(form) if fields is None else dict(fields)
        follow = options.pop("follow_redirects", True)
        return self.client.post(form.action, data=given, follow_redirects=follow, **options)

    def begin(self, query: str = "") -> httpx.Response:
        """Consent; returns the elicitation."""
        return self.send(self.open(query))

    def walk(self, page: httpx.Response, until: str = "/study/thanks") -> httpx.Response:
        """Answer page after page until one of that address."""
        while page.url.path != until:
            assert page.status_code == 200, page.text
            before = page.url.path
            page = self.send(page)
            assert page.url.path != before, page.text
        return page


def fields_without(fields: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}
