"""Requests that schemathesis makes of the service's document: no 5xx, and every answer matches its schema."""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import get_args

from tests.web.serving import run_command, served
from vernissage.values import Scope

_FUZZER = "schemathesis==4.32.5"
_SETTINGS = """
[checks]
unsupported_method.enabled = false  # it sends TRACE, which the server's HTTP answers and no route
allow_header_conformance.enabled = false  # what GET answers is answered to HEAD too, which the document does not name
ignored_auth.enabled = false  # from this machine no key is needed, so that leaving it out changes nothing
positive_data_acceptance.enabled = false  # whether a work, a person or a job is there is not in the document
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "413", "415", "422"]

[[operations]]
include-operation-id = "revokeKey"  # it would revoke the key that it asks by
enabled = false

[[operations]]
include-operation-id = "upload"  # in a form everything is text, and so is what should be an object instead of one
checks.negative_data_rejection.enabled = false
"""


def install(package: str, folder: Path) -> Path:
    """Install a program into a virtual environment of its own; returns the folder of programs. Needs a package index."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", package], check=True)
    return programs


def check_document(workspace: Path, folder: Path, examples: int) -> str:
    """Send so many requests at most to each operation, by a key of every scope; returns what schemathesis counted.

    Raises:
        AssertionError: an answer was wrong; the message tells the request.
    """
    (folder / "schemathesis.toml").write_text(_SETTINGS, "utf-8")
    os.environ["VERNISSAGE_REQUESTS_PER_SECOND"] = "1000000"
    programs = install(_FUZZER, folder / "venv")
    scopes = [word for scope in get_args(Scope) for word in ("--scope", scope)]
    key = re.findall(r"vk_\S+", run_command("admin", "make-key", workspace, "--name", "document", *scopes))[0]
    with served(workspace, None) as (address, _):
        command: list[str | Path] = [
            programs / "schemathesis",
            "run",
            f"{address}/api/v1/openapi.json",
            "--header",
            f"X-API-Key: {key}",
        ]
        command += ["--max-examples", str(examples), "--seed", "1", "--continue-on-failure", "--no-color"]
        found = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    told = re.sub(r"(?m)(?<=^.{500}).+$", " …", found.stdout + found.stderr)  # some requests have megabytes
    assert found.returncode == 0, told
    return told.rpartition("SUMMARY")[2].strip("= \n")
