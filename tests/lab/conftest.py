from collections.abc import Callable
from pathlib import Path

import pytest

from vernissage.cli.main import main

Run = Callable[..., str]


@pytest.fixture
def run(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command and return what it printed on standard output, or with another ``code`` on standard error.

    Modules whose tests call one command name its first words in ``COMMAND``.
    """
    first = getattr(request.module, "COMMAND", ())

    def call(*arguments: str | int | Path, code: int = 0, words: tuple[str, ...] = first) -> str:
        with pytest.raises(SystemExit) as end:
            main([*words, *map(str, arguments)])
        captured = capsys.readouterr()
        assert end.value.code == code, captured.err
        return captured.err if code else captured.out

    return call
