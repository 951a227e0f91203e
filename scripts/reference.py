"""Write the pages of docs/ that are made from the code: commands, REST, settings, encoders.

python scripts/reference.py           write them
python scripts/reference.py --check   end with 1 where one of them is not up to date
"""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fastapi.testclient import TestClient
from typer.main import get_command

import vernissage
from vernissage.cli.main import app
from vernissage.encoders import register
from vernissage.web.serving import Server
from vernissage.web.settings import Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "made from the code by `python scripts/reference.py`"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown, as a part of its own; the empty text without rows."""
    lines = [[" ".join(str(cell).split()).replace("|", "\\|") for cell in line] for line in (head, *rows)]
    first, *rest = (f"| {' | '.join(line)} |" for line in lines)
    return "\n".join(["", first, "|---" * len(head) + "|", *rest, ""]) if rows else ""


def commands(command: Any, name: str, context: Any = None) -> Iterator[tuple[str, Any, Any]]:
    """Every command below this one that is not hidden, with its full name and context."""
    here = command.context_class(command, info_name=name, parent=context)
    if hasattr(command, "list_commands"):
        for each in command.list_commands(here):
            below = command.get_command(here, each)
            if below is not None and not below.hidden:
                yield from commands(below, each, here)
    else:
        yield here.command_path, command, here


def command_page() -> str:
    """Every command and option, as `--help` prints them."""
    parts = [f"# Commands\n\nEvery command and every option, {MADE}.\n"]
    for path, command, context in commands(get_command(app), "vernissage"):
        parts.append(f"\n## `{path}`\n\n{_prose(command.help or '')}\n")
        rows = [record for option in command.params if (record := option.get_help_record(context)) is not None]
        parts.append(table(("option", "meaning"), [(f"`{name}`", meaning) for name, meaning in rows]))
    return "".join(parts)


def _prose(text: str) -> str:
    """A help text as Markdown: what click keeps as it is (after \\b) is a block of code."""
    blocks = []
    for block in inspect.cleandoc(text).split("\n\n"):
        kept, _, rest = block.partition("\b\n")
        if rest:
            head, _, lines = rest.partition("\n")
            blocks.append(f"{head}\n\n```\n{inspect.cleandoc(lines)}\n```")
        else:
            blocks.append(" ".join(kept.split()))
    return "\n\n".join(blocks)


def settings_page() -> str:
    """Every setting of a server."""
    fields = Settings.model_fields.items()
    rows = [(f"`{name}`", _default(of.get_default()), of.description) for name, of in fields]
    return f"""# Settings of a server

Each is an option of [`vernissage serve`](commands.md#vernissage-serve) (`--allowed-host`, repeated for several), a
variable of the environment (`VERNISSAGE_ALLOWED_HOST`, several with commas between them) and a key of the file that
`--settings` names. Options win over the environment, and that over the file; a key that is none of these is refused.
Paths are taken from the folder where the server is started. The table is {MADE}.

```toml
port = 8080
workers = 2
behind_proxy = ["127.0.0.1"]
allowed_host = ["works.museum.example"]
database = "postgresql://vernissage@db.museum.example/works"
```
{table(("key", "default", "meaning"), rows)}"""


def _default(value: object) -> str:
    return "" if value in (None, (), "") else str(value).lower()


def encoder_page() -> str:
    """The cards of encoders, and of their models."""
    cards = [
        (f"`{card.name}`", card.summary, ", ".join(card.modalities), "on request" if card.on_request else "")
        for card in register.cards().values()
        if not card.internal
    ]
    models = [
        (
            f"`{each.name}`",
            f"`{each.encoder}`",
            each.dim or "",
            f"{each.parameters / 1e6:,.0f} M" if each.parameters else "",
            each.licence,
            each.commercial,
            f"`{each.extra}`" if each.extra else "",
            f"{each.source}; {each.notes}" if each.notes else each.source,
        )
        for each in register.models().values()
    ]
    return f"""# Encoders

What `vernissage encoders list` knows, {MADE}.
How to use those with weights: [models.md](models.md). *On request*: built only where it is named. *Commercial*: whether
the licence allows it; *discouraged* where the authors advise against it, *unclear* where the terms of the training
pictures are.
{table(("encoder", "its vectors are", "reads", ""), cards)}
## Models
{table(("model", "encoder", "dim", "parameters", "licence", "commercial", "extra", "source"), models)}"""


def rest_page() -> str:
    """Every address of the service and every schema, from its OpenAPI document."""
    with TemporaryDirectory() as name:
        works = Path(name) / "works" / "metadata.csv"
        works.parent.mkdir()
        works.write_text("id,title\nv001,A ship\nv002,A rose\n", "utf-8")
        vernissage.build(works.parent, Path(name) / "workspace", encoders=["tfidf"])
        server = Server(Settings(), {"": Path(name) / "workspace"})
        document = TestClient(server, base_url="http://localhost").get("/api/v1/openapi.json").json()
        server.close()
    head = f"Every address and every schema of the OpenAPI document at `/api/v1/openapi.json`, {MADE}."
    parts = [f"# REST\n\n{head}\nHow they are used: [service.md](service.md). Errors are a [Problem](#problem).\n"]
    calls = [
        (operation["tags"][0], f"{method.upper()} {path}", operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    for tag in dict.fromkeys(tag for tag, _, _ in calls):
        parts.append(f"\n## {tag.upper() if tag == 'iiif' else tag.capitalize()}\n")
        parts += [_call(address, operation) for of, address, operation in calls if of == tag]
    parts.append("\n## Schemas\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += [f"\n### {name}\n", *(f"\n{each}\n" for each in (schema.get("description"),) if each)]
        parts.append(_fields(schema) or f"\n{_kind(schema)}\n")
    return "".join(parts)


def _call(address: str, operation: Mapping[str, Any]) -> str:
    """One address: its parameters, its body, and what it answers with."""
    told = [f"\n### `{address}`\n\n{operation.get('description') or operation['summary'] + '.'}"]
    for word, content in (("Body", operation.get("requestBody", {})), *_answers(operation)):
        kinds = (_kind(each.get("schema", {})) for each in content.get("content", {}).values())
        if schemas := list(dict.fromkeys(filter(None, kinds))):
            told.append(f" {word}: {' or '.join(schemas)}.")
    rows = [
        (f"`{each['name']}`", each["in"], _kind(each["schema"]), _given(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    return "".join(told).rstrip() + "\n" + table(("parameter", "in", "type", "default", "meaning"), rows)


def _answers(operation: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(f"Answer {status}", each) for status, each in operation["responses"].items() if status != "default"]


def _fields(schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", ())
    rows = [
        (f"`{name}`", _kind(each), "always" if name in needed else _given(each), each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]
    return table(("field", "type", "default", "meaning"), rows)


def _given(schema: Mapping[str, Any]) -> str:
    return "" if schema.get("default") in (None, "", [], {}) else f"`{json.dumps(schema['default'])}`"


def _kind(schema: Mapping[str, Any]) -> str:
    """A type in words, with a link where it is a schema of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{json.dumps(each)}`" for each in schema.get("enum", [schema.get("const")]))
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_kind(each) for each in several)
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {})) or 'anything'}"
    if isinstance(of := schema.get("additionalProperties"), dict) and "properties" not in schema:
        return f"map to {_kind(of)}"
    told = schema.get("type", "")
    return f"{schema.get('format', '')} {told if isinstance(told, str) else ' or '.join(told)}".strip()


PAGES = {
    "commands.md": command_page,
    "settings.md": settings_page,
    "encoders.md": encoder_page,
    "rest.md": rest_page,
}


def main() -> None:
    """Write or check the pages."""
    for name, made in PAGES.items():
        text, place = made(), DOCS / name
        if "--check" not in sys.argv[1:]:
            place.write_text(text, encoding="utf-8")
        elif not place.is_file() or place.read_text(encoding="utf-8") != text:
            sys.exit(f"{place.name} is not up to date; run `python scripts/reference.py`")


if __name__ == "__main__":
    main()
