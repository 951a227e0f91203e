"""`vernissage report`: the numbers of events that are known by construction, and a planted difference of two engines."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree

import pytest
from tests.web.visitors import check_planted, visit_split

from vernissage import storage
from vernissage.cli.main import main
from vernissage.gallery.gallery import open_gallery
from vernissage.storage.events import Event


@pytest.fixture
def workspace(built: Path, tmp_path: Path) -> Path:
    return Path(copytree(built, tmp_path / "workspace"))


def report(workspace: Path, *options: str) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["report", str(workspace), *options])


@pytest.mark.long
@pytest.mark.parametrize("split_by", ["visitor", "session"])
def test_robots_over_http_show_the_planted_difference(workspace: Path, split_by: str) -> None:
    usage = visit_split(workspace, split_by, 25)
    check_planted(usage, split_by, 25)
    everything, *engines = usage["engines"]
    assert everything["answers"] == 100
    assert everything["shown"] == 9 * 100 == sum(each["shown"] for each in engines)
    assert {each["position"] for each in usage["places"]} == set(range(1, 10))
    assert "percentage points" in (workspace.parent / f"{split_by}.html").read_text()


def test_counts_coverage_and_empty_answers(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = [
        Event("r1", "w000", "opened", "lda", 1),
        Event("r1", "w001", "shown", "lda", 2),
        Event("r2", "", "shown", "lda", 0),
    ]
    events += [Event("r3", "w000", "hidden", "lsa", 1), Event("r3", "gone", "kept", "lsa", 2)]
    with open_gallery(workspace) as gallery, gallery.repository.database.writing() as connection:
        storage.events.add_events(connection, events, datetime.now(UTC))
    report(workspace, "--json")
    usage = json.loads(capsys.readouterr().out)
    names = ("engine", "answers", "empty", "shown", "opened", "kept", "hidden", "works_shown", "works_opened")
    assert [tuple(each[name] for name in names) for each in usage["engines"]] == [
        ("all engines", 3, 1, 4, 1, 1, 1, 2, 1), ("lda", 2, 1, 2, 1, 0, 0, 2, 1), ("lsa", 1, 0, 2, 0, 1, 1, 1, 0),
    ]  # fmt: skip
    assert (usage["works"], usage["splits"]) == (64, [])
    assert usage["engines"][1]["opened_share"]["estimate"] == 0.5
    report(workspace, "--html", str(workspace.parent / "page.html"))
    told = capsys.readouterr().out
    assert re.search(r"lda +2 +1 +2 +1 +0 +0 +50.0", told)
    page = (workspace.parent / "page.html").read_text()
    assert "3 answers with 4 works were shown, 1 of them opened (25.0 %), 1 answers were empty" in page


def test_without_events_it_is_told_how_they_are_sent(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", str(workspace)])
    assert "docs/measuring.md" in capsys.readouterr().err
