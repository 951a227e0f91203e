"""Look for the programs that the tests use beside Python packages, and install them where that is allowed.

With ``CI=true`` a component that is still missing afterwards ends this with code 1; otherwise the tests that need it
are skipped, and say so.
"""

import os
import shutil
import subprocess
import sys
from typing import Any

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
INSTALL = "install Chromium with your system's packages (on Debian: apt-get install chromium)"


def find_chromium() -> str | None:
    """Where Chromium or Chrome is, or None."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def install_chromium() -> None:
    """Install Debian's Chromium, where apt-get is there and this runs as root."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    quiet: dict[str, Any] = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", "fonts-dejavu-core"],
        check=False,
        **quiet,
    )


def main() -> int:
    """Find or install each component; print where each is."""
    if find_chromium() is None:
        install_chromium()
    path = find_chromium()
    if path is not None:
        print(f"chromium: {path}")
        return 0
    print(f"chromium: missing; pages are not tested in a browser; {INSTALL}", file=sys.stderr)
    return 1 if os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
