"""What the pages for visitors cost: the server's CPU, bytes, pictures above the fold, the largest paint, Lighthouse.

    python benchmarks/pages.py [WORKSPACE] [--works 10000] [--lighthouse FOLDER] [--json] [--check]

Of each page of a workspace (without one: painted at 3,000 pixels): CPU ms of the server for an answer that is not kept
yet; compressed kB of HTML, style sheet and scripts; kB of pictures above the fold at 390 px (three pixels each) and at
1440 px (two); ms to the largest contentful paint in headless Chromium with a CPU slowed four times, on loopback. The
first page of so many works is a row of its own. FOLDER has Lighthouse 12, or npm installs it there (186 MB). Times hang
on what else the machine does, whose load is printed; with --check a page that misses an aim of bytes, server time,
accessibility or best practices ends with an error.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Request, sync_playwright

import service
from map_frames import QUIET
from vernissage.study.definition import definition_template
from vernissage.workspace.build import build_workspace
from vernissage.workspace.workspace import open_workspace

WINDOWS = {"390": (390, 844, 3), "1440": (1440, 900, 2)}
SLOWED, RUNS, REQUESTS = 4, 3, 10
AIMS = {"CPU ms": 50, "kB": 150, "scripts kB": 60, "pictures 390 kB": 500, "pictures 1440 kB": 1_500}
"""At most; of times only what the server's CPU takes, which other programs disturb least."""

WANTED, ENFORCED = 95, ("accessibility", "best-practices")
LIGHTHOUSE, CHROMIUM = "lighthouse@12.8.2", "/usr/bin/chromium"
_LARGEST = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
  .observe({type: "largest-contentful-paint", buffered: true}))"""
_ABOVE = """() => [...document.images].filter((each) => { const box = each.getBoundingClientRect();
  return box.top < innerHeight && box.bottom > 0 && box.left < innerWidth && box.width; })
  .map((each) => each.currentSrc)"""
Row = dict[str, float]


def paint(folder: Path) -> None:
    """Forty works painted at 3,000 pixels, with a table: two wide ones, two tall ones, one without a picture."""
    random, rows = np.random.default_rng(0), ["id,title,artist,year,description,group,picture"]
    sizes = [*[(3000, 2250), (2250, 3000), (3000, 3000), (3000, 2000)] * 9, (6000, 600), (600, 6000), (3000, 500)]
    for number, size in enumerate(sizes):
        rough = random.integers(30, 225, (9, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(rough).resize(size, Image.Resampling.BICUBIC)
        grain = Image.effect_noise(size, 24).convert("RGB")
        Image.blend(picture, grain, 0.1).save(folder / f"{number}.jpg", quality=88)
        words = f"A boat near a bridge in the evening; number {number}."
        rows.append(
            f"w{number},Study {number},Painter {number % 5},{1850 + number},{words},Group {number % 3},{number}.jpg"
        )
    rows.append("words,Only words,Writer,1900,A text about boats and storms.,Group 0,")
    (folder / "metadata.csv").write_text("\n".join(rows), "utf-8")


@contextmanager
def served(workspace: Path, study: Path | None = None) -> Iterator[tuple[int, int]]:
    """The server's process and port."""
    words = ["serve", str(workspace), "--port", "0", "--requests-per-second", "1000000"]
    words += ["--study", str(study), "--database", str(study.with_name("answers.db"))] if study else []
    start = [sys.executable, "-c", "from vernissage.cli.main import main; main()"]
    with service.running([*start, *words]) as (process, port, _):
        yield process.pid, port


def study_of(workspace: Path, file: Path) -> Path:
    """A study of two engines of a workspace, as a file."""
    engines = list(open_workspace(workspace).manifest.models)[:2]
    file.write_text(definition_template(file.name, name="pages", engines=engines), "utf-8")
    return file


def got(port: int, path: str) -> str:
    """A page's text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} instead of 200")
    return text


def paths(port: int) -> dict[str, str]:
    """The pages by what they are called here."""
    works = list(dict.fromkeys(re.findall(r'href="/works/([^"?]+)"', got(port, "/"))))
    ratings = "&".join(f"r.{key}={5 - place % 3}" for place, key in enumerate(works[:4]))
    return {
        "collection": "/",
        "work": f"/works/{works[0]}",
        "for you": "/for-you",
        "for you, rated": f"/for-you?{ratings}",
        "areas": "/areas",
        "map": "/map",
        "about": "/about",
    }


def cpu(pid: int, port: int, path: str) -> float:
    """CPU ms of the server for a page that it has not made yet, by addresses that differ in what it passes over."""
    got(port, path)
    before = service.cpu_of(pid)
    for number in range(REQUESTS):
        got(port, f"{path}{'&' if '?' in path else '?'}again={number}")
    return 1000 * (service.cpu_of(pid) - before) / REQUESTS


def weighed(page: Page, address: str) -> tuple[Row, float]:
    """Bytes of all kinds, and ms to the largest paint, of a page that is opened for the first time."""
    done = list[Request]()
    page.on("requestfinished", lambda each: done.append(each))  # noqa: PLW0108  (it sets an attribute)
    page.goto(address, wait_until="networkidle")
    largest = float(page.evaluate(_LARGEST))
    above = set(page.evaluate(_ABOVE))
    sent = {each.url: (each.resource_type, each.sizes()["responseBodySize"]) for each in list(done)}
    kinds = {kind: sum(size for each, size in sent.values() if each == kind) / 1000 for kind, _ in sent.values()}
    texts = sum(kinds.get(kind, 0) for kind in ("document", "stylesheet", "script"))
    pictures = sum(size for url, (_, size) in sent.items() if url in above) / 1000
    return {"kB": texts, "scripts kB": kinds.get("script", 0), "pictures kB": pictures}, largest


def looked_at(browser: Browser, address: str) -> Row:
    """What `weighed` finds in both windows."""
    found: Row = {}
    for name, (width, height, density) in WINDOWS.items():
        paints = []
        for _ in range(RUNS):
            window = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=density)
            page = window.new_page()
            window.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
            row, largest = weighed(page, address)
            paints.append(largest)
            window.close()
        found |= {each: row[each] for each in ("kB", "scripts kB")}
        found |= {f"pictures {name} kB": row["pictures kB"], f"paint {name} ms": statistics.median(paints)}
    return found


def lighthouse(folder: Path, address: str) -> tuple[Row, list[str]]:
    """Scores of 100 by category, and what was found wrong."""
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), LIGHTHOUSE], check=True)
    flags = f"--chrome-flags=--headless=new {' '.join(QUIET)}"
    command = ["node", str(program), address, "--output=json", "--quiet", flags]
    command.append("--only-categories=performance,accessibility,best-practices,seo")
    told = os.environ | {"CHROME_PATH": CHROMIUM}
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=told).stdout)
    scores = {name: 100 * (each["score"] or 0) for name, each in report["categories"].items()}
    audits = (report["audits"][ref["id"]] for each in report["categories"].values() for ref in each["auditRefs"])
    wrong = {each["id"] for each in audits if each["scoreDisplayMode"] == "binary" and each["score"] == 0}
    return scores, sorted(wrong)


def table(rows: dict[str, Row]) -> str:
    """The rows as Markdown."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = ["| page | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[each]:.0f}" if each in row else "" for each in columns) + " |")
    return "\n".join(lines)


def missed(rows: dict[str, Row]) -> list[str]:
    """Which aims that do not hang on the machine's load are missed."""
    over = [
        f"{name}: {column} {row[column]:.0f}, at most {most}"
        for name, row in rows.items()
        for column, most in AIMS.items()
        if row.get(column, 0) > most and (column != "CPU ms" or name.startswith("collection"))
    ]
    return over + [
        f"{name}: {each} {row[each]:.0f}, at least {WANTED}"
        for name, row in rows.items()
        for each in ENFORCED
        if row.get(each, 100) < WANTED
    ]


def main() -> None:
    """Measure all pages and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--works", type=int, default=10_000, help="of the synthetic collection; 0 for none")
    parser.add_argument("--lighthouse", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    rows: dict[str, Row] = {}
    load, wrong = [f"{os.getloadavg()[0]:.1f}"], dict[str, list[str]]()
    with TemporaryDirectory(prefix="vernissage-pages-") as name:
        workspace = asked.workspace or Path(name) / "workspace"
        if not asked.workspace:
            (Path(name) / "painted").mkdir()
            paint(Path(name) / "painted")
            build_workspace(Path(name) / "painted", workspace, encoders=("lsa", "colour-texture"))
        with served(workspace, study_of(workspace, Path(name) / "study.toml")) as (pid, port):
            pages = paths(port)
            while "map.js" not in got(port, "/map"):  # drawn once, by a process of its own that would be counted
                time.sleep(1)
            for page, path in pages.items():
                rows[page] = {"CPU ms": cpu(pid, port, path)}
            pages["study"] = "/study"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
                for page, path in pages.items():
                    rows.setdefault(page, {}).update(looked_at(browser, f"http://127.0.0.1:{port}{path}"))
                browser.close()
            for page, path in pages.items() if asked.lighthouse else ():
                scores, wrong[page] = lighthouse(asked.lighthouse, f"http://127.0.0.1:{port}{path}")
                rows[page] |= scores
        if asked.works:
            (Path(name) / "many").mkdir()
            service.make(Path(name) / "many", asked.works)
            with served(Path(name) / "many") as (pid, port):
                rows[f"collection of {asked.works:,}"] = {"CPU ms": cpu(pid, port, "/")}
    load.append(f"{os.getloadavg()[0]:.1f}")
    if asked.json:
        print(json.dumps({"load": load, "pages": rows, "wrong": wrong}))
    else:
        print(table(rows), f"\nLoad of {os.cpu_count()} cores before and after: {', '.join(load)}.")
        print(*(f"{page}: {', '.join(found)}" for page, found in wrong.items() if found), sep="\n")
    if asked.check and (found := missed(rows)):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
