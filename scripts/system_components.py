"""Look for what the tests use beside Python packages, and install it where that is allowed.

With ``CI=true`` a component that is still missing afterwards ends this with code 1; otherwise the tests that need it
are skipped, and say so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER_TESTS = Path(__file__).resolve().parents[1] / "tests" / "browser"
AXE = BROWSER_TESTS / "node_modules" / "axe-core" / "axe.min.js"


class Component(NamedTuple):
    """Something that tests need: how to find it, how to install it, and what to say where it is missing."""

    name: str
    find: Callable[[], str | None]
    install: Callable[[], None]
    without: str


def find_chromium() -> str | None:
    """Where Chromium or Chrome is, or None."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


def install_by_apt(*packages: str) -> None:
    """Install Debian's packages, where apt-get is there and this runs as root."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    quiet: dict[str, Any] = {"env": os.environ | {"DEBIAN_FRONTEND": "noninteractive"}, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        check=False,
        **quiet,
    )


def find_nginx() -> str | None:
    """Where nginx is, which Debian keeps off users' paths, or None."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def install_nginx() -> None:
    """Install nginx where nobody has a use of their own for the ports that its package opens."""
    if os.environ.get("CI") == "true":
        install_by_apt("nginx-light")


def find_axe() -> str | None:
    """Where axe-core is, or None."""
    return str(AXE) if AXE.is_file() else None


def install_axe() -> None:
    """Install axe-core as package-lock.json pins it, where npm is."""
    npm = shutil.which("npm")
    if npm is not None:
        subprocess.run([npm, "ci", "--silent"], cwd=BROWSER_TESTS, check=False, stdout=subprocess.DEVNULL)


COMPONENTS = (
    Component(
        "chromium",
        find_chromium,
        lambda: install_by_apt("chromium", "fonts-dejavu-core"),
        "pages are not tested in a browser; install Chromium with your system's packages "
        "(on Debian: apt-get install chromium)",
    ),
    Component(
        "axe-core",
        find_axe,
        install_axe,
        "pages are not searched for barriers; install Node.js with npm, then run `npm ci` in tests/browser",
    ),
    Component(
        "nginx",
        find_nginx,
        install_nginx,
        "deploy/nginx.conf is not tried; install nginx with your system's packages "
        "(on Debian: apt-get install nginx-light)",
    ),
)


def main() -> int:
    """Find or install each component; print where each is."""
    missing = False
    for component in COMPONENTS:
        if component.find() is None:
            component.install()
        path = component.find()
        missing |= path is None
        if path is None:
            print(f"{component.name}: missing; {component.without}", file=sys.stderr)
        else:
            print(f"{component.name}: {path}")
    return 1 if missing and os.environ.get("CI") == "true" else 0


if __name__ == "__main__":
    sys.exit(main())
