"""Where and how large models run: device, precision, batches that shrink when the memory is not enough."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from vernissage.errors import EncoderError
from vernissage.values import Vectors

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16", "float16"]
_Input = TypeVar("_Input")


@dataclass(frozen=True)
class Runtime:
    """How a model is run.

    Attributes:
        device: cpu, cuda, cuda:1 …, mps; None takes CUDA where it is there, else the CPU.
        precision: float32, or on a GPU bfloat16 or float16; bfloat16 also on CPUs, by autocast.
        batch_size: how many pictures or texts go through the model at once, at most.
    """

    device: str | None = None
    precision: Precision = "float32"
    batch_size: int = 32

    def resolved_device(self) -> str:
        """The device that is used.

        Raises:
            EncoderError: torch is not installed, or the device that was asked for is not there.
        """
        torch = import_torch()
        name = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        kind = name.partition(":")[0]
        if not there.get(kind, False):
            usable = ", ".join(device for device, present in there.items() if present)
            raise EncoderError(f"the device {name!r} is not there; this machine has {usable}; choose one with --device")
        return name

    def in_batches(
        self, items: Sequence[_Input], run: "Callable[[Sequence[_Input]], torch.Tensor]", width: int
    ) -> Vectors:
        """Run a model over items in batches, in the precision: float32 (n, width).

        When the memory is not enough for a batch, it is halved and tried again, down to single items.

        Raises:
            EncoderError: even one item does not fit; or as `autocast`.
        """
        torch = import_torch()
        rows: list[npt.NDArray[np.float32]] = []
        start, size = 0, max(1, self.batch_size)
        while start < len(items):
            try:
                with torch.inference_mode(), self.autocast():
                    features = run(items[start : start + size])
            except (MemoryError, RuntimeError) as error:
                if not _is_out_of_memory(error):
                    raise
                if size == 1:
                    raise EncoderError(
                        "the memory is not enough for a single item; use a smaller model or a CPU"
                    ) from error
                size //= 2
                continue
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                raise EncoderError(
                    f"the network cannot compute with its own settings ({type(error).__name__}: {error}); get "
                    f"config.json and the weights anew, from one and the same model"
                ) from error
            rows.append(features.float().cpu().numpy())
            start += size
        return np.concatenate(rows) if rows else np.zeros((0, width), dtype=np.float32)

    def on_device(self, array: npt.NDArray[Any]) -> "torch.Tensor":
        """The array as a tensor on the device."""
        tensor: torch.Tensor = import_torch().from_numpy(array).to(self.resolved_device())
        return tensor

    def autocast(self) -> AbstractContextManager[Any]:
        """Within it, a model's products are computed in the precision; weights stay float32.

        In float32 a GPU keeps all 23 bits: torch lets convolutions round to 10 (TF32) unless told otherwise, which
        makes a row depend on the others of its batch.

        Raises:
            EncoderError: float16 on a CPU, which computes it wrongly or not at all.
        """
        kind = self.resolved_device().partition(":")[0]
        if self.precision == "float32":
            return _without_tf32() if kind == "cuda" else nullcontext()
        torch = import_torch()
        if kind == "cpu" and self.precision == "float16":
            raise EncoderError("float16 needs a GPU; on a CPU choose the precision float32 or bfloat16")
        context: AbstractContextManager[Any] = torch.autocast(kind, dtype=getattr(torch, self.precision))
        return context


USUAL = Runtime()


@contextmanager
def _without_tf32() -> Iterator[None]:
    """Let CUDA's products and convolutions keep all bits of float32, and put back what was allowed before."""
    backends = import_torch().backends
    before = backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32
    backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        backends.cuda.matmul.allow_tf32, backends.cudnn.allow_tf32 = before


def import_extra(module: str, extra: str = "models") -> Any:
    """A module of an optional extra. Raises EncoderError: it is not installed; the message says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EncoderError(
            f"this encoder needs {module.partition('.')[0]}, which is not installed ({error}); install it with "
            f"`pip install 'vernissage[{extra}]'`, or use an encoder without weights: lda, lsa, tfidf, colour-texture, "
            f"aligned"
        ) from error


import_torch = partial(import_extra, "torch")


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "can't allocate" in str(error)
