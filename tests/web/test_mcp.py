"""Tools for assistants: over the toy gallery in this process, by standard input and output, and over HTTP with keys."""

import asyncio
import base64
import io
import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from PIL import Image
from starlette.testclient import TestClient
from tests.web.serving import served

from vernissage.cli.main import main
from vernissage.gallery.gallery import open_gallery
from vernissage.web.api.access import Access
from vernissage.web.api.app import create_service
from vernissage.web.api.service import Service
from vernissage.web.mcp import make_tools, mount_tools

RATINGS = {"w000": 5, "w001": 1}


@pytest.fixture(scope="module")
def service(built: Path) -> Iterator[Service]:
    with open_gallery(built, writing=False) as gallery:
        yield Service(gallery, b"", "https://works.museum.example")


def apart(asked: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """What a coroutine returns, in a thread of its own: the thread of tests may have an event loop by other tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(asked())).result()


def call(server: Any, tool: str, **arguments: Any) -> Any:
    """What one tool answers."""

    async def asked() -> Any:
        async with Client(server) as client:
            return await client.call_tool(tool, arguments)

    return apart(asked)


def ask(service: Service, tool: str, **arguments: Any) -> tuple[dict[str, Any], list[Any]]:
    """What one tool tells, and its pictures."""
    result = call(make_tools(service), tool, **arguments)
    assert not result.is_error, result.content
    return json.loads(result.content[0].text), [each for each in result.content if each.type == "image"]


def refused(service: Service, tool: str, **arguments: Any) -> str:
    result = call(make_tools(service), tool, **arguments)
    assert result.is_error
    [told] = result.content
    return str(told.text)


def test_all_tools_read_and_none_writes(service: Service) -> None:
    async def listed() -> Any:
        async with Client(make_tools(service)) as client:
            return await client.list_tools()

    tools = {tool.name: tool for tool in apart(listed).tools}
    assert set(tools) == {"search", "similar", "recommend", "show", "explain"}
    assert all(tool.annotations.read_only_hint and tool.description for tool in tools.values())
    assert all("context" not in tool.input_schema["properties"] for tool in tools.values())
    assert tools["search"].input_schema["properties"]["limit"]["maximum"] == 50


def test_search_finds_what_python_finds_with_links_and_small_pictures(service: Service) -> None:
    content, pictures = ask(service, "search", query="lighthouse", limit=3)
    assert [work["id"] for work in content["works"]] == list(service.gallery.search("lighthouse", 3).ids)
    best = content["works"][0]
    assert best["url"] == f"https://works.museum.example/api/v1/works/{best['id']}"
    assert "*lighthouse*" in best["reasons"][0]["words"].lower()
    assert len(pictures) == 3
    assert Image.open(io.BytesIO(base64.b64decode(pictures[0].data))).width <= 160
    assert ask(service, "search", query="lighthouse", limit=3, pictures=False)[1] == []


def test_similar_works_by_vectors_and_by_kinds_of_likeness(service: Service) -> None:
    content, _ = ask(service, "similar", work="w000", limit=4, where=["year>=1810"])
    assert [work["id"] for work in content["works"]] == list(service.gallery.similar("w000", 4, where="year>=1810").ids)
    content, _ = ask(service, "similar", work="w000", by=["artist", "place"], language="de")
    assert content["notes"] == ["Ort: über w000 ist hierzu nichts bekannt: Ort"]
    assert content["works"][0]["reasons"][0]["words"] == "von derselben Hand: The red master"
    assert {each["by"]: len(each["ids"]) for each in content["kinds"]} == {"artist": 6, "place": 0}


def test_recommendations_and_why_one_work_is_among_them(service: Service) -> None:
    content, _ = ask(service, "recommend", ratings={**RATINGS, "nobody": 4}, limit=5, most_of_one_artist=3)
    expected = service.gallery.recommend(RATINGS, 5, per={"artist": 3})
    assert [work["id"] for work in content["works"]] == list(expected.ids)
    assert content["unused"] == [{"id": "nobody", "why": "the collection has no such work"}]
    why, _ = ask(service, "explain", work=expected.ids[0], ratings=RATINGS)
    assert why["work"]["score"] == pytest.approx(expected.scores[0])
    adds = [each["contribution"] for each in why["work"]["reasons"] if each["kind"] == "rated"]
    assert sum(adds) == pytest.approx(expected.scores[0])
    assert not [each for each in why["work"]["reasons"] if "rank" in each]


def test_one_work_is_shown_with_its_picture(service: Service) -> None:
    content, pictures = ask(service, "show", work="w003")
    assert content["title"] == service.gallery["w003"].title
    assert content["manifest"] == "https://works.museum.example/api/v1/iiif/3/manifest/w003"
    assert len(pictures) == 1
    service = Service(service.gallery, b"")
    content, _ = ask(service, "show", work="w003")
    assert content["alt"].startswith(service.gallery["w003"].title)
    assert "/api/v1" not in json.dumps(content) + json.dumps(ask(service, "similar", work="w003", limit=1)[0])


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("show", {"work": "nobody"}, "no work"),
        ("show", {"work": "w" * 10_000}, "at most 2000 characters"),
        ("show", {"work": "../../etc/passwd"}, "no work"),
        ("similar", {"work": "w000", "limit": 10**6}, "less than or equal to 50"),
        ("similar", {"work": "w000", "by": ["smell"]}, "there is no kind of likeness 'smell'"),
        ("search", {"query": "a " * 10**6}, "at most 2000 characters"),
        ("search", {"query": " "}, "give at least one"),
        ("search", {"query": "sea", "where": ["colour=red"]}, "has no field 'colour'"),
        ("recommend", {"ratings": {"w000": 9}}, "less than or equal to 5"),
        ("recommend", {"ratings": {}}, "at least 1 item"),
        ("recommend", {"ratings": {"nobody": 3}}, "none of the 1 rated works is in this collection"),
        ("recommend", {"ratings": {f"w{number}": 3 for number in range(300)}}, "at most 200 items"),
        ("explain", {"work": "w000", "ratings": RATINGS}, "w000 is among the rated works"),
        ("explain", {"work": "w002", "ratings": {"nobody": 3}}, "none of the 1 rated works"),
        ("delete", {}, "delete"),
    ],
)
def test_what_cannot_be_answered_is_told(service: Service, tool: str, arguments: dict[str, Any], words: str) -> None:
    told = refused(service, tool, **arguments)
    assert words in told
    assert len(told) < 1_000
    assert str(service.gallery.path) not in told


def test_standard_input_and_output_of_a_process(built: Path) -> None:
    start = "from vernissage.cli.main import main; main()"
    # The client gives a server next to nothing of its own environment.
    there, words = dict(os.environ), ["-c", start, "mcp", str(built), "--public-url", "https://works.museum.example"]
    result = call(StdioServerParameters(command=sys.executable, args=words, env=there), "similar", work="w000", limit=2)
    content = json.loads(result.content[0].text)
    assert len(content["works"]) == 2
    assert content["works"][0]["url"].startswith("https://works.museum.example/api/v1/works/")


def test_over_http_keys_are_asked_for_and_nothing_is_kept(built: Path) -> None:
    service = Service(open_gallery(built, writing=False), b"a secret")
    access = Access(service, b"a secret", open_here=True, origins=["https://museum.example"])
    app = create_service(service, access)
    mount_tools(app, service, access)
    asked = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "show", "arguments": {"work": "w000"}},
    }
    accept = {"Accept": "application/json, text/event-stream"}
    with TestClient(app, base_url="http://museum.example") as client:
        answer = client.post("/mcp", json=asked, headers=accept)
        assert answer.status_code == 200, answer.text
        told = json.loads(answer.json()["result"]["content"][0]["text"])
        assert told["url"] == "http://museum.example/api/v1/works/w000"
        assert "mcp-session-id" not in answer.headers
        assert client.post("/mcp", json=asked, headers=accept | {"Origin": "https://museum.example"}).status_code == 200
        for headers, status in (
            ({"Origin": "https://evil.example"}, 403),
            ({"Authorization": "Bearer vk_wrong"}, 401),
            ({"X-API-Key": "vk_wrong"}, 401),
        ):
            refused = client.post("/mcp", json=asked, headers=accept | headers)
            assert refused.status_code == status
            assert refused.headers["content-type"] == "application/problem+json"
        assert client.get("/mcp", headers=accept).status_code == 405
        assert client.delete("/mcp").status_code == 405
        assert (
            client.post(
                "/mcp", content=b"x" * 3 * 1024**2, headers=accept | {"Content-Type": "application/json"}
            ).status_code
            == 413
        )


def test_the_sdk_asks_a_server_that_shows_a_study_too(workspace: Path, study_file: Path) -> None:
    with served(workspace, study_file, "--mcp") as (address, _):
        result = call(f"{address}/mcp", "similar", work="w000", limit=2)
    assert [work["rank"] for work in json.loads(result.content[0].text)["works"]] == [1, 2]
    assert sum(each.type == "image" for each in result.content) == 2


def test_without_the_package_it_is_said_what_to_install(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "vernissage.web.mcp", None)
    for words in (["mcp", workspace], ["serve", workspace, "--mcp", "--port", 0]):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, words)))
        assert end.value.code not in (0, None)
        assert "pip install 'vernissage[mcp]'" in " ".join(capsys.readouterr().err.split())
