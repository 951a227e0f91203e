"""Robots that visit a service whose engines are split, and open works of one engine more often than of the other."""

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from tests.web.serving import run_command, served

from vernissage.web.credentials import SECRET_NAME

OPENS = {"lda": 0.36, "colour-texture": 0.16}
"""How often a robot opens a work of each engine, before its own liking of opening, by up to 0.1 more or less."""

PLANTED = OPENS["lda"] - OPENS["colour-texture"]
_LISTS = 4


def visit_split(workspace: Path, split_by: str, visitors: int) -> dict[str, Any]:
    """What `vernissage report --json` says after so many robots have each seen four lists of nine works over HTTP."""
    (workspace / SECRET_NAME).write_text("5" * 64 + "\n")  # the same engines for the same robots in every run
    options = [word for engine in OPENS for word in ("--split", f"{engine}=.5")]
    options += ["--split-by", split_by, "--requests-per-second", "1000"]
    with served(workspace, None, *options) as (address, _), httpx.Client(base_url=address) as client:
        for number in range(visitors):
            _visit(client, f"robot {number}", np.random.default_rng(number))
    found: dict[str, Any] = json.loads(
        run_command("report", workspace, "--json", "--html", workspace.parent / f"{split_by}.html")
    )
    return found


def _visit(client: httpx.Client, name: str, chance: np.random.Generator) -> None:
    own = chance.uniform(-0.1, 0.1)
    for number in range(_LISTS):
        rated = {
            f"w{work:03}": rating for rating, work in zip((5, 4, 1), chance.choice(64, 3, replace=False), strict=True)
        }
        asked = {"ratings": rated, "limit": 9, "visitor": name, "session": f"{number}"}
        found = _sent(client, "recommendations", asked)
        works, about = [work["id"] for work in found["works"]], {"recommendation_id": found["recommendation_id"]}
        opened = [work for work in works if chance.random() < OPENS[found["engine"]] + own]
        events = [about | {"kind": "shown", "works": works}]
        events += [about | {"kind": "opened", "works": opened}] if opened else []
        _sent(client, "events", {"events": events})


def _sent(client: httpx.Client, path: str, content: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(f"/api/v1/{path}", json=content)
    assert answer.is_success, answer.text
    read: dict[str, Any] = answer.json()
    return read


def check_planted(usage: dict[str, Any], split_by: str, visitors: int) -> str:
    """The difference that was found, in words; it must be the planted one, and not be nothing."""
    [split] = usage["splits"]
    [contrast], [interval] = split["contrasts"], split["intervals"]
    sign = 1 if contrast["engine_a"] == "lda" else -1
    low, high = sorted((sign * interval["lower95"], sign * interval["upper95"]))
    assert (split["split_by"], split["visitors"], split["unnamed"]) == (split_by, visitors, 0)
    assert {contrast["engine_a"], contrast["engine_b"]} == set(OPENS)
    assert 0 < low < PLANTED < high, (low, high)
    assert contrast["p_holm"] < 0.05
    return (
        f"{split_by}: {sign * contrast['estimate']:.3f}, 95 % interval {low:.3f} to {high:.3f}, planted {PLANTED:.2f}"
    )
