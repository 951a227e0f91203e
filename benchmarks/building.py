"""How long a collection takes to become a workspace, and the share of each step.

Run: python benchmarks/building.py [COLLECTION]     default: the sample gallery, painted first
"""

import argparse
import tempfile
from pathlib import Path

from vernissage.workspace.build import build_workspace
from vernissage_lab.sample import paint_gallery


def main() -> None:
    """Build into a temporary folder and print one row for each step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path, nargs="?")
    given = parser.parse_args().collection
    with tempfile.TemporaryDirectory() as folder:
        source = given or Path(folder, "gallery")
        if given is None:
            paint_gallery(source)
        first = build_workspace(source, Path(folder, "workspace"))
        again = build_workspace(source, Path(folder, "workspace"))
    total = sum(first.seconds.values())
    print("step | seconds | share")
    for step, seconds in first.seconds.items():
        print(f"{step} | {seconds:.2f} | {seconds / total:.0%}")
    print(f"all {len(first.collection)} works | {total:.2f} | 100%")
    print(f"again, nothing changed | {sum(again.seconds.values()):.2f} |")


if __name__ == "__main__":
    main()
