"""The record of a run: what a reader needs to judge it and to run it again."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import vernissage

PACKAGES = ("numpy", "scipy", "scikit-learn", "faiss-cpu", "torch", "transformers", "onnxruntime")


def versions() -> dict[str, str]:
    """The versions of this package, of Python, and of the libraries that numbers can depend on, where installed."""
    found = {"vernissage": vernissage.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """What ran: cores, memory and kind of processor, and no name."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory(),
        "processor": platform.machine(),
        "system": platform.system(),
    }


def options_of(options: object) -> Mapping[str, Any]:
    """The options of a recipe as JSON values; what is no plain value stands by its own description."""
    return {name: _plain(value) for name, value in vars(options).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None
