"""What a story is told with: titles, opening sentences, what else is seen, what it brings to mind, keywords.

``extras`` are said when their fact is greater than zero; ``lines`` speak of what no picture contradicts.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """The patterns that one subject is told with (see `grammar.spoken`)."""

    titles: tuple[str, ...]
    opens: tuple[str, ...]
    extras: Mapping[str, str]
    lines: tuple[str, ...]
    keywords: tuple[str, ...]
