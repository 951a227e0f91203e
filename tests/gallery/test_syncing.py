"""Keeping up with a folder: what changed is taken over, alone; what looks like an accident is refused; kills cost nothing."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.catalog.oai_server import repository
from tests.catalog.xml_works import XmlWork
from tests.forks import Forks
from tests.galleries import paint, toy_gallery, toy_row, write_table
from tests.published import published

import vernissage
from vernissage.catalog.fetching import FetchOptions
from vernissage.catalog.loading import source_of
from vernissage.catalog.sources.contract import Source
from vernissage.cli.main import main
from vernissage.errors import CollectionError, Kind, RequestError
from vernissage.gallery.syncing import Difference, sync
from vernissage.workspace.workspace import open_workspace

COUNT = 20


class World:
    """A folder of 20 works, and a workspace of it."""

    def __init__(self, folder: Path) -> None:
        self.gallery, self.workspace = toy_gallery(folder / "gallery", COUNT), folder / "workspace"
        vernissage.build(self.gallery, self.workspace, encoders=["colour-texture"])

    def tell(self, numbers: Sequence[int], **changed: str) -> None:
        """Let the table name these works; ``changed`` are titles by ids."""
        rows = [toy_row(number) for number in numbers]
        write_table(self.gallery, [row | {"title": changed.get(row["id"], row["title"])} for row in rows])

    @property
    def state(self) -> bytes:
        return (self.workspace / "workspace.json").read_bytes()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_nothing_is_built_where_nothing_changed(world: World) -> None:
    before = world.state
    outcome = vernissage.sync(world.workspace)
    assert (outcome.built, outcome.difference, outcome.alarming) == (None, Difference(COUNT), False)
    assert outcome.lines() == ["The source has not changed since it was last read: 20 works."]
    assert world.state == before


def test_what_changed_is_taken_over_and_encoded_alone(world: World) -> None:
    """Of twenty works one is new, one is gone, one has another picture and one another title."""
    for number, colours in ((20, 20), (3, 44)):
        paint(world.gallery / "images" / f"w{number:03d}.png", colours)
    world.tell(range(1, 21), w007="Renamed")
    with (world.gallery / "metadata.csv").open("a") as file:
        file.write("w001,,Twice\n")
    outcome = sync(world.workspace)
    assert outcome.difference == Difference(20, ("w020",), ("w003", "w007"), ("w000",))
    assert outcome.built is not None
    assert outcome.built.result.encoded == {"colour-texture.image": 2}
    assert outcome.alarming  # four of twenty
    assert outcome.lines()[0] == "20 works: 1 added, 2 changed, 1 removed; encoded anew: 2 with colour-texture.image."
    assert outcome.lines()[4].startswith("rows left out: 1 (rejected.csv lists them), the first: row 22")
    assert outcome.to_dict() == {
        "before": 20,
        "added": ["w020"],
        "changed": ["w003", "w007"],
        "removed": ["w000"],
        "share": 0.2,
        "alarming": True,
        "encoded": {"colour-texture.image": 2},
    }
    with vernissage.open(world.workspace) as gallery:
        assert gallery.snapshot.collection["w007"].title == "Renamed"
        assert [each.item.id for each in gallery.similar("w020", n=19).works]
    assert sync(world.workspace).built is None


def test_more_than_a_share_goes_only_where_it_is_said(world: World) -> None:
    """Two of twenty may go by the usual tenth, three may not."""
    world.tell(range(2, 20))
    assert not sync(world.workspace).alarming
    before = world.state
    world.tell(range(4, 20))
    with pytest.raises(
        CollectionError, match=r"gallery lacks 2 of the 18 works of .*the first: w002.*more than 10%"
    ) as error:
        sync(world.workspace)
    assert error.value.kind is Kind.CONFLICT
    assert world.state == before
    assert len(open_workspace(world.workspace).collection) == 18
    assert sync(world.workspace, remove=True).difference.removed == ("w002", "w003")
    world.tell(range(8, 20))
    assert len(sync(world.workspace, most=0.5).difference.removed) == 4


def test_the_command_tells_states_apart_by_exit_codes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def code(*more: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main(["sync", str(world.workspace), *more])
        return ended.value.code

    assert code() == 0
    world.tell(range(20), w001="A", w002="B", w003="C")
    assert code("--most-changed", "15%") == 0
    world.tell(range(20))
    assert code() == 8
    assert "more than 10% of the works changed" in capsys.readouterr().err
    world.tell(range(10))
    assert code() == 4
    assert code("--yes", "--json") == 8
    assert '"removed": [\n    "w010"' in capsys.readouterr().out
    for wrong in ("5", "-3%", "nan%", "many"):
        assert code("--most-changed", wrong) == 1
    assert f"--most-changed '{wrong}' is no number; write 10% (of all)" in capsys.readouterr().err


def test_a_source_that_is_gone_or_cannot_be_read_leaves_the_state(world: World) -> None:
    before = world.state
    world.gallery.rename(world.gallery.with_name("moved"))
    with pytest.raises(CollectionError, match=r"there is no .*gallery, which .* was built from; put it there again"):
        sync(world.workspace)
    world.gallery.with_name("moved").rename(world.gallery)
    (world.gallery / "metadata.csv").write_text("id,title,file_name\n")
    with pytest.raises(CollectionError, match="has no row with a work in it"):
        sync(world.workspace)
    assert world.state == before
    with pytest.raises(RequestError, match="2 is no share of the works"):
        sync(world.workspace, most=2)


def test_a_source_in_python_is_given_again(world: World, tmp_path: Path) -> None:
    class Own:
        """A folder in other clothes."""

        def __init__(self) -> None:
            self.base = source_of(world.gallery)

        def __getattr__(self, name: str) -> object:
            return getattr(self.base, name)

    own = Own()
    assert isinstance(own, Source)
    path = tmp_path / "own"
    vernissage.build(own, path, encoders=["colour-texture"])
    with pytest.raises(RequestError, match=r"was built from a source in Python \(Own\)"):
        sync(path)
    assert sync(path, own).built is None
    world.tell(range(20), w001="Renamed")
    again = Own()
    assert isinstance(again, Source)
    assert sync(path, again).difference.changed == ("w001",)


def test_works_of_feeds_stay_beside_what_the_source_has(world: World) -> None:
    from vernissage.catalog.sources.feed import FeedChanges, FeedWork
    from vernissage.gallery.building import change_works

    with vernissage.open(world.workspace, writing=True) as gallery:
        change_works(gallery, FeedChanges({"fed": FeedWork(title="Sent by a platform"), "w001": None}))
    assert sync(world.workspace).built is None  # what the source was read as last is known still
    world.tell(range(20), w002="Renamed")
    outcome = sync(world.workspace)
    assert (outcome.difference.changed, outcome.difference.removed) == (("w002",), ())
    collection = open_workspace(world.workspace).collection
    assert "fed" in collection
    assert "w001" not in collection


def test_a_killed_sync_is_gone_on_with(world: World, forked: Forks) -> None:
    """Killed before each of its first files: every state in between opens, and the last run takes the rest over."""
    paint(world.gallery / "images" / "w003.png", 44)
    world.tell(range(1, 20))
    command = ["sync", str(world.workspace)]
    for number in (1, 2, 4):
        assert forked.run("vernissage.cli.main:main", command, dies_at=number) == -signal.SIGKILL
        assert len(open_workspace(world.workspace).collection) == 20
    assert forked.run("vernissage.cli.main:main", command) == 0
    assert len(open_workspace(world.workspace).collection) == 19
    assert sync(world.workspace).built is None


def test_a_repository_is_harvested_built_and_kept_up_with_kills_in_between(tmp_path: Path, forked: Forks) -> None:
    """Killed while it harvests, while it builds, and while it takes an update over: what was there is kept."""
    workspace = tmp_path / "workspace"

    def run(*command: str, dies_at: int = 0) -> int:
        return forked.run("vernissage.cli.main:main", [*command, "--allow-private-hosts"], dies_at=dies_at)

    def titles() -> dict[str, str]:
        collection = open_workspace(workspace).collection
        return {item.id.rpartition(":")[2]: item.title for item in collection}

    with repository(12) as server:
        build = ("build", server.address, "-o", str(workspace), "-e", "lsa")
        for number in (3, 3, 4):
            assert run(*build, dies_at=number) == -signal.SIGKILL
        assert run(*build) == 0
        assert server.pages <= 3 + 3  # a page that was on its way when the kill came is asked for again
        assert len(titles()) == 12
        assert run("sync", str(workspace)) == 0
        server.put(XmlWork("w-03", "Renamed"), XmlWork("w-12", "New"))
        server.take_out("w-00")
        pages = server.pages
        for number in (1, 2, 3):
            assert run("sync", str(workspace), "--most-changed", "30%", dies_at=number) == -signal.SIGKILL
            assert len(titles()) == 12
        assert run("sync", str(workspace), "--most-changed", "30%") == 0
        assert server.pages <= pages + 4  # the one page of the update, and whether more has changed since
    assert (titles()["w-03"], "w-12" in titles(), "w-00" in titles()) == ("Renamed", True, False)
    before = (workspace / "workspace.json").read_bytes()
    with pytest.raises(CollectionError, match="was not fetched"):  # the server is gone
        sync(workspace, fetch_pictures=FetchOptions(private_hosts=True, pictures=False))
    assert (workspace / "workspace.json").read_bytes() == before


def test_private_addresses_are_asked_only_where_that_is_said(tmp_path: Path) -> None:
    with repository(2) as server, pytest.raises(CollectionError, match="on a private network or this machine"):
        vernissage.build(server.address, tmp_path / "workspace", encoders=["lsa"])
    assert server.asked == []


def test_vectors_stay_joined_with_their_works(tmp_path: Path) -> None:
    vectors, works = published(tmp_path / "in" / "vectors.parquet"), tmp_path / "works.csv"
    works.write_text("id,title\nwork/1,Mill\nwork/2,Quay\n", "utf-8")
    vernissage.build(vectors, tmp_path / "workspace", works=works)
    assert sync(tmp_path / "workspace").built is None
    works.write_text("id,title\nwork/1,Windmill\nwork/2,Quay\n", "utf-8")
    assert sync(tmp_path / "workspace").difference.changed == ("work/1",)
    assert open_workspace(tmp_path / "workspace").collection["work/1"].title == "Windmill"
    works.unlink()
    with pytest.raises(CollectionError, match="there is no .*works.csv, which .* was built from"):
        sync(tmp_path / "workspace")
