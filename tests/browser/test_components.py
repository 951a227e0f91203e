"""What the browser tests install is pinned, and comes from wherever the user's npm gets it."""

import json
from pathlib import Path

LOCK = Path(__file__).parent / "package-lock.json"


def test_the_lock_pins_by_content_and_names_no_host() -> None:
    text = LOCK.read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert [name for name in packages if name] == ["node_modules/axe-core"]
    assert packages["node_modules/axe-core"]["integrity"].startswith("sha512-")
