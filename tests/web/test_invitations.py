"""Who may take part: those of a list, those with a signed link, no more than so many; and who shares a link."""

from pathlib import Path

import httpx
import pytest
from tests.web.conftest import Serve, World
from tests.web.walking import Walker

from vernissage.errors import RequestError
from vernissage.web.study.served import read_invited


def signed(world: World, name: str, code_of: str | None = None) -> str:
    return f"?PROLIFIC_PID={name}&invitation={world.served.sessions.invitation_code(code_of or name)}"


def arrives(world: World, query: str) -> tuple[int, str]:
    page = Walker(world.anybody()).open(query)
    return page.status_code, page.url.path


REFUSED, WELCOME = (403, "/study"), (200, "/study/welcome")


def test_a_list_of_those_who_are_invited(serve: Serve) -> None:
    world = serve(invited=frozenset({"ann"}))
    assert arrives(world, "?PROLIFIC_PID=ann") == WELCOME
    assert arrives(world, "?PROLIFIC_PID=bob") == arrives(world, "") == REFUSED
    assert arrives(world, signed(world, "bob")) == REFUSED
    assert arrives(world, f"?preview={world.served.sessions.preview_code()}") == WELCOME


def test_signed_links(serve: Serve) -> None:
    world = serve(signed=True)
    assert arrives(world, signed(world, "ann")) == WELCOME
    for query in ("", "?PROLIFIC_PID=ann", "?PROLIFIC_PID=ann&invitation=", signed(world, "bob", "ann")):
        assert arrives(world, query) == REFUSED
    walker = Walker(world.client)
    walker.walk(walker.begin(signed(world, "ann")))
    assert walker.open().url.path == "/study/thanks"


def test_a_link_that_was_signed_for_another_is_refused_where_none_need_be(world: World) -> None:
    assert arrives(world, signed(world, "bob", "ann")) == REFUSED


def test_no_more_than_so_many_begin(serve: Serve) -> None:
    world = serve(most_starts=2)
    late = Walker(world.anybody())
    welcome = late.open("?PROLIFIC_PID=late")
    walkers = [Walker(world.anybody()) for _ in range(2)]
    pages = [walker.begin(f"?PROLIFIC_PID=p{number}") for number, walker in enumerate(walkers)]
    full = late.send(welcome)
    assert (full.url.path, "The study is full" in full.text) == ("/study/full", True)
    assert world.served.study.register("later").key is None
    for walker, page in zip(walkers, pages, strict=True):
        walker.walk(page)
    assert world.served.study.records.overview().started == 2
    assert arrives(world, f"?preview={world.served.sessions.preview_code()}") == WELCOME


def test_an_id_that_many_browsers_come_with_is_told(world: World) -> None:
    def visit(client: httpx.Client) -> None:
        client.get("/study?PROLIFIC_PID=ann", follow_redirects=False)

    Walker(world.client).begin("?PROLIFIC_PID=ann")
    Walker(world.anybody()).begin("?PROLIFIC_PID=bob")
    visit(world.client)
    visit(world.anybody())
    assert world.served.study.records.overview().often_visited == {}
    visit(world.anybody())
    assert world.served.study.records.overview().often_visited == {"ann": 3}


@pytest.mark.parametrize("content", [b"", b"\n \n", b"ann\n{{ID}}\n", b"\xff\xfe"])
def test_what_is_no_list_of_ids(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ids.txt").write_bytes(content)
    with pytest.raises(RequestError, match="no list of participants' ids"):
        read_invited(tmp_path / "ids.txt")


def test_a_list_of_ids(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_bytes("\ufeffann\r\n bob \r\n\r\nann\r\n".encode())
    assert read_invited(tmp_path / "ids.txt") == {"ann", "bob"}
