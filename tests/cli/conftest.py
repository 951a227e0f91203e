from collections.abc import Callable
from pathlib import Path

import pytest

from vernissage.cli.main import main

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command that must succeed, and return what it printed on standard output."""

    def call(*arguments: str | Path) -> str:
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert end.value.code == 0, captured.err
        return captured.out

    return call
