"""What all encoders with a network share: how pictures become its input, and how exact float32 is."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vernissage.encoders.runtime.devices import Runtime
from vernissage.encoders.runtime.loaded import ImageTower
from vernissage.encoders.runtime.pixels import Pixels, Preprocessing

torch = pytest.importorskip("torch")


class Noting(Preprocessing):
    """Notes on which thread a picture was prepared, and waits there until another thread came, if two are to."""

    seen: set[str] = set()  # noqa: RUF012
    together = threading.Barrier(1)

    def __call__(self, image: Image.Image) -> Pixels:
        self.together.wait(timeout=30)
        self.seen.add(threading.current_thread().name)
        return super().__call__(image)


class Mean(ImageTower):
    """The mean of each channel."""

    dim = 3

    def __init__(self) -> None:
        self.runtime, self.preprocessing = Runtime(device="cpu"), Noting("squash", 8)

    def vectors_of_pixels(self, pixels: "torch.Tensor") -> "torch.Tensor":
        return pixels.mean(dim=(2, 3))


@pytest.fixture
def images() -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (20, 30, 3), dtype=np.uint8)) for _ in range(4)]


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_pictures_are_prepared_on_as_many_threads_as_torch_has(images: list[Image.Image]) -> None:
    found = []
    for count in (1, 2):
        torch.set_num_threads(count)
        Noting.seen, Noting.together = set(), threading.Barrier(count)
        found.append(Mean().image_features(images))
        assert len(Noting.seen) == count
        assert (threading.current_thread().name in Noting.seen) == (count == 1)
    assert found[0].tobytes() == found[1].tobytes()


@pytest.fixture
def rounding() -> Iterator[list[Any]]:
    """What decides on TF32, set to allow it."""
    places = [torch.backends.cuda.matmul, torch.backends.cudnn]
    before = [each.allow_tf32 for each in places]
    for each in places:
        each.allow_tf32 = True
    yield places
    for each, allowed in zip(places, before, strict=True):
        each.allow_tf32 = allowed


def test_float32_on_a_gpu_keeps_all_its_bits_and_leaves_no_trace(
    rounding: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Runtime, "resolved_device", lambda _: "cuda:0")
    with pytest.raises(RuntimeError, match="out of range"), Runtime().autocast():
        assert [each.allow_tf32 for each in rounding] == [False, False]
        raise RuntimeError("out of range")
    assert [each.allow_tf32 for each in rounding] == [True, True]


def test_a_cpu_is_left_as_it_is(rounding: list[Any]) -> None:
    with Runtime(device="cpu").autocast():
        assert [each.allow_tf32 for each in rounding] == [True, True]
