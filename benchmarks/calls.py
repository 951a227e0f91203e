"""How many functions of the product one command calls, by `sys.setprofile`: work that is done twice shows here.

    python benchmarks/calls.py [WORKSPACE [OWNER]]

Without a workspace it is ``demo/workspace``, which `make demo` makes.

Counts calls of Python functions defined below ``src/vernissage`` for ``recommend --rate`` and, with an owner, for
``recommend --owner``, each in a process of its own, so that imports and lazily opened files count as for a user.
"""

import json
import subprocess
import sys
from pathlib import Path

COUNTED = """
import collections, contextlib, io, json, sys
from vernissage.cli.main import main
found = collections.Counter()
def count(frame, event, argument):
    if event == "call" and "/vernissage/" in frame.f_code.co_filename:
        found[f"{frame.f_code.co_filename.rpartition('/vernissage/')[2]}:{frame.f_code.co_qualname}"] += 1
out = io.StringIO()
with contextlib.redirect_stdout(out):
    sys.setprofile(count)
    try:
        main(sys.argv[1:])
    except SystemExit as end:
        code = end.code
    sys.setprofile(None)
print(json.dumps([code, found.total(), found.most_common(6)]))
"""


def calls(*arguments: str) -> tuple[int, list[tuple[str, int]]]:
    """How many calls the command makes, and the functions called most."""
    done = subprocess.run([sys.executable, "-c", COUNTED, *arguments], capture_output=True, text=True, check=True)
    code, total, most = json.loads(done.stdout.splitlines()[-1])
    if code != 0:
        raise SystemExit(f"vernissage {' '.join(arguments)} ended with {code}: {done.stderr}")
    return total, most


def main() -> None:
    """Print the counts."""
    workspace = sys.argv[1] if len(sys.argv) > 1 else "demo/workspace"
    if not Path(workspace).is_dir():
        print(f"there is no {workspace}; run `make demo` first, or name a workspace")
        return
    from vernissage.workspace.workspace import open_workspace

    ids = list(open_workspace(Path(workspace)).collection.ids)
    step = max(1, len(ids) // 6)
    rates = [
        word
        for place, rating in enumerate((5, 4, 1, 3, 5), start=1)
        for word in ("--rate", f"{ids[place * step]}={rating}")
    ]
    asked = {"recommend --rate, five ratings": ["recommend", workspace, *rates, "--json"]}
    if len(sys.argv) > 2:
        asked[f"recommend --owner {sys.argv[2]}"] = ["recommend", workspace, "--owner", sys.argv[2], "--json"]
    for what, arguments in asked.items():
        total, most = calls(*arguments)
        print(f"{what}: {total:,} calls; most: {', '.join(f'{name} {count:,}' for name, count in most)}")


if __name__ == "__main__":
    main()
