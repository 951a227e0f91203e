"""A network written as an ONNX file in memory, byte by byte: the package onnx, which would do it, takes 31 MB.

Of the format (https://onnx.ai/onnx/repo-docs/IR.html) only what a feed-forward network of float32 needs. Numbers in
the code are those of the fields in onnx.proto3.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_IR_VERSION, _OPSET = 4, 9
"""Of 2019: read by every ONNX Runtime and OpenCV in use, and a clipping's limits are still attributes."""

Shape = Sequence[int | str]
"""Of an input or output; a word stands for a size that is known when the network runs."""


class OnnxWriter:
    """A graph under construction: what is added is given by the names of its inputs, and gets a name."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []

    def node(self, kind: str, inputs: Sequence[str], **attributes: float | int | Sequence[int]) -> str:
        """Add an operator of ONNX, and return the name of its output."""
        name = f"{kind}-{len(self._nodes)}"
        written = [_field(1, each) for each in inputs] + [_field(2, name), _field(4, kind)]
        written += [_field(5, _attribute(key, value)) for key, value in attributes.items()]
        self._nodes.append(b"".join(written))
        return name

    def weights(self, values: npt.NDArray[Any]) -> str:
        """Add an array as float32, and return its name."""
        name, flat = f"weights-{len(self._weights)}", np.ascontiguousarray(values, "<f4")
        shape = b"".join(_field(1, size) for size in flat.shape)
        self._weights.append(shape + _field(2, _FLOAT) + _field(8, name) + _field(9, flat.tobytes()))
        return name

    def model(self, given: tuple[str, Shape], found: tuple[str, Shape]) -> bytes:
        """The bytes of the file, with one input and one output: their names and shapes."""
        graph = b"".join(_field(1, each) for each in self._nodes) + _field(2, "network")
        graph += b"".join(_field(5, each) for each in self._weights)
        graph += _field(11, _value(*given)) + _field(12, _value(*found))
        return _field(1, _IR_VERSION) + _field(2, "vernissage") + _field(7, graph) + _field(8, _field(2, _OPSET))


_FLOAT = 1


def _attribute(name: str, value: float | int | Sequence[int]) -> bytes:
    if isinstance(value, float):
        return _field(1, name) + _field(2, value) + _field(20, 1)
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, 2)
    return _field(1, name) + b"".join(_field(8, each) for each in value) + _field(20, 7)


def _value(name: str, shape: Shape) -> bytes:
    sizes = b"".join(_field(1, _field(1 if isinstance(size, int) else 2, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, sizes)))


def _field(number: int, value: int | float | str | bytes) -> bytes:
    """One field of a protocol buffer: a whole number, a float32, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """A whole number from 0 on, seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])
