"""Reading ahead: in order, side by side, within memory, and ended by errors and Ctrl-C."""

import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vernissage.catalog.ahead import picture_batches, read_ahead
from vernissage.catalog.pictures import decoded_pixels, open_as_stored, open_picture


@given(st.lists(st.integers(0, 4), max_size=9), st.integers(1, 4), st.integers(1, 3))
def test_results_come_in_the_order_of_their_functions(sizes: list[int], ahead: int, threads: int) -> None:
    batches = [[partial(divmod, row, place + 1) for place in range(size)] for row, size in enumerate(sizes)]
    with read_ahead(batches, ahead=ahead, threads=threads) as results:
        assert list(results) == [[read() for read in batch] for batch in batches]


def test_the_next_batches_are_read_while_the_first_is_worked_on_and_no_others() -> None:
    called = [threading.Event() for _ in range(6)]
    with read_ahead([[event.set] for event in called], ahead=2, threads=2) as results:
        next(results)
        assert called[1].wait(20)
        assert called[2].wait(20)
        next(results)
        assert called[3].wait(20)
        assert not any(event.is_set() for event in called[4:])
        assert len(list(results)) == 4


def test_functions_of_a_batch_run_side_by_side() -> None:
    together = threading.Barrier(3)
    with read_ahead([[partial(together.wait, 20)] * 3], threads=3) as results:
        assert sorted(next(results)) == [0, 1, 2]


def test_an_error_comes_where_its_function_stands() -> None:
    with read_ahead([[lambda: 1], [lambda: 1 // 0], [lambda: 3]], ahead=3, threads=1) as results:
        assert next(results) == [1]
        with pytest.raises(ZeroDivisionError):
            next(results)


@pytest.mark.parametrize("end", [KeyboardInterrupt, ValueError])
def test_leaving_calls_no_further_function_and_leaves_no_thread(end: type[BaseException]) -> None:
    held, called = threading.Event(), []

    def read(number: int) -> int:
        called.append(number)
        if number:
            held.wait(20)
        return number

    def leave() -> None:
        with read_ahead([[partial(read, number)] for number in range(50)], ahead=9, threads=1) as results:
            next(results)
            threading.Timer(0.2, held.set).start()
            raise end

    with pytest.raises(end):
        leave()
    assert called in ([0], [0, 1])
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_batches_end_at_their_size_and_where_memory_would(tmp_path: Path) -> None:
    for name, side in zip("abcdef", (10, 10, 10, 20, 10, 10), strict=True):
        Image.new("RGB", (side, 10)).save(tmp_path / f"{name}.png")
    paths = sorted(tmp_path.iterdir())

    def names(size: int, most: int) -> list[str]:
        return ["".join(path.stem for path in batch) for batch in picture_batches(paths, size, most_pixels=most)]

    assert names(4, 10_000) == ["abcd", "ef"]
    assert names(4, 300) == ["abc", "de", "f"]
    assert names(4, 100) == list("abcdef"), "a picture of more than a batch's pixels stands alone"
    assert list(picture_batches([], 4)) == []


@pytest.mark.parametrize(("at_least", "pixels"), [(None, 480_000), (300, 120_000), (150, 30_000), (301, 480_000)])
def test_pixels_are_told_before_decoding(at_least: int | None, pixels: int, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (800, 600), "red").save(path)
    assert decoded_pixels(path, at_least=at_least) == pixels
    image = open_picture(path, at_least=at_least)
    assert image.width * image.height == pixels


def test_of_what_is_no_picture_no_pixels_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert decoded_pixels(tmp_path / "a.png") == 0
    assert decoded_pixels(tmp_path / "none.png") == 0


def test_as_stored_nothing_is_turned_or_converted(tmp_path: Path) -> None:
    greys = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6))
    exif = Image.Exif()
    exif[0x0112] = 6
    greys.save(tmp_path / "a.png", exif=exif)
    stored = open_as_stored(tmp_path / "a.png")
    assert stored.mode == "L"
    assert np.array_equal(np.asarray(stored), np.asarray(greys))
    assert open_picture(tmp_path / "a.png").size == (4, 6)
