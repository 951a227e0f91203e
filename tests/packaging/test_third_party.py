"""The notice of third-party packages, the constraints and the bill of materials name all that is installed."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("third_party", ROOT / "scripts" / "third_party.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_package_of_the_base_installation_is_named(script: ModuleType) -> None:
    installed = set(script.closure())
    listed = set(re.findall(r"^\| ([a-z0-9-]+) \| \d", (ROOT / "THIRD_PARTY.md").read_text(), re.MULTILINE))
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    assert installed <= listed, "run scripts/third_party.py"
    assert listed == pinned.keys()
    assert {"opencv-python-headless", "simplemma", "faiss-cpu", "matplotlib"} <= script.NOTES.keys() <= listed


def test_the_bill_of_materials_is_whole(script: ModuleType) -> None:
    bill = script.bill_of_materials()
    named = [each["bom-ref"] for each in bill["components"]]
    assert len(set(named)) == len(named) == len(script.closure())
    assert {each["ref"] for each in bill["dependencies"]} == {*named, bill["metadata"]["component"]["bom-ref"]}
    reached, waiting = set(), [bill["metadata"]["component"]["bom-ref"]]
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    while waiting:
        if (ref := waiting.pop()) not in reached:
            reached.add(ref)
            waiting += needs[ref]
    assert reached == needs.keys()
    assert all(each["licenses"][0]["license"]["name"] for each in bill["components"])
