"""Settings of a server: the command line over the environment over one file."""

from pathlib import Path

import pytest

from vernissage.cli.main import main
from vernissage.errors import RequestError
from vernissage.web.settings import Settings, read_settings


def settings_file(folder: Path, words: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(words)
    return path


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings_file(tmp_path, 'port = 1\nhost = "::1"\nworkers = 2\nallowed_host = ["a.example", "b.example"]')
    monkeypatch.setenv("VERNISSAGE_PORT", "2")
    monkeypatch.setenv("VERNISSAGE_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("VERNISSAGE_ALLOW_ORIGIN", "https://a.example, https://b.example")
    told = read_settings({"port": 3}, file)
    assert (told.port, told.host, told.workers) == (3, "0.0.0.0", 2)  # noqa: S104
    assert told.allowed_host == ("a.example", "b.example")
    assert told.allow_origin == ("https://a.example", "https://b.example")
    assert type(told) is Settings


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("prot = 80", "sets 'prot', which is no setting; did you mean port?"),
        ("port = 99999", "port was given 99999: .* less than or equal to 65535"),
        ("port = [", "cannot be read as TOML"),
        ('behind_proxy = ["*"]', "'\\*' is no address; name the proxy's"),
        ("signed_links = true", "signed_links is of a study, and none is served"),
        ('log_format = "xml"', "log_format was given 'xml'"),
    ],
)
def test_wrong_settings_are_told(tmp_path: Path, words: str, expected: str) -> None:
    with pytest.raises(RequestError, match=expected):
        read_settings({}, settings_file(tmp_path, words))


def test_a_file_that_is_missing_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(["serve", str(tmp_path), "--settings", str(tmp_path / "nowhere.toml")])
    assert "nowhere.toml" in capsys.readouterr().err
