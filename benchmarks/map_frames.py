"""Frames a second of the map at 10,000 works, while it is dragged, by wheel and by pinch, in headless Chromium.

    python benchmarks/map_frames.py [--works 10000] [--width 1440 --height 900] [--folder OUT]

Two counts: callbacks of requestAnimationFrame in the page, and frames that the browser's compositor drew (trace). On a
busy machine both say little: CPU milliseconds a frame, of the page's main thread and of the compositor, say what there
is room for (16.7 ms at 60 frames). Places are drawn at random around 40 centres, pictures are painted; the time and the
size of the tiles are printed too.
"""

import argparse
import gzip
import http.server
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import CDPSession, Page, sync_playwright

from vernissage.catalog.item import Item
from vernissage.gallery.overview import Map
from vernissage.pages.look import Look
from vernissage.pages.map_tiles import draw_map
from vernissage.pages.visitor.frame import Frame, static_file
from vernissage.pages.visitor.map import map_page

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 3.0
_RECORD = """() => {
  window.times = [];
  const next = (time) => { times.push(time); window.going = requestAnimationFrame(next); };
  next(performance.now());
}"""
_STOP = "() => { cancelAnimationFrame(going); return times; }"


def draw(folder: Path, count: int) -> None:
    """A map of so many works with painted pictures, and its page, as files."""
    rng, names = np.random.default_rng(0), [f"{number}.jpg" for number in range(400)]
    for name in names:
        base = rng.integers(30, 225, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(base).resize((256, 320), Image.Resampling.BICUBIC).save(folder / name, quality=85)
    centre = rng.uniform(-40, 40, (40, 2))
    group = rng.integers(0, 40, count)
    points = centre[group] + rng.normal(scale=4, size=(count, 2))
    words = ["study", "landscape", "with", "figures", "portrait", "of", "a", "river", "evening", "church", "boats"]
    titles = [" ".join(rng.choice(words, 4)) + f" {rng.integers(1_000_000)}" for _ in range(count)]
    items = tuple(
        Item(
            id=f"obj-{rng.integers(10**9)}-{row}",
            title=titles[row],
            artist=f"Artist {group[row] * 9 + row % 50}",
            picture=names[row % 400],
        )
        for row in range(count)
    )
    found = Map(points, items, tuple(f"Group {number}" for number in group), "", 0)

    def put(name: str, content: bytes) -> None:
        (folder / "map" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "map" / name).write_bytes(content)

    start = time.process_time()
    draw_map(found, lambda item: folder / item.picture, put)
    files = [path for path in (folder / "map").rglob("*") if path.is_file()]
    size, words_size = sum(path.stat().st_size for path in files), (folder / "map/works.json").read_bytes()
    print(f"drawn in {time.process_time() - start:.1f} s CPU: {len(files):,} files, {size / 1e6:.1f} MB;", end=" ")
    print(f"words {len(words_size) / 1e3:.0f} kB, gzip {len(gzip.compress(words_size)) / 1e3:.0f} kB;", end=" ")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    for name in ("vernissage.css", "map.js"):
        (folder / name).write_bytes(static_file(name) or b"")
    frame = Frame(Look(), "Frames", address=lambda _: "#", static=lambda name: name)
    groups = [{"name": "All", "count": count, "works": [], "more": ""}]
    (folder / "map.html").write_text(map_page(frame, groups, tiles="map/", work="works/{key}"), "utf-8")


def gestures(page: Page, cdp: CDPSession) -> dict[str, Callable[[], Any]]:
    """What is done, each for some seconds, in the middle of the map."""
    box = page.locator("#stage").bounding_box() or {}
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    here = {"x": x, "y": y}

    def drag() -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < SECONDS:
            page.mouse.move(x + 300 * np.sin(2 * passed), y + 200 * np.sin(3 * passed))
        page.mouse.up()

    def wheel() -> None:
        page.mouse.move(x, y)
        start = time.perf_counter()
        while (passed := time.perf_counter() - start) < SECONDS:
            page.mouse.wheel(0, -60 if passed < SECONDS / 2 else 60)
            time.sleep(0.03)

    def pinch() -> None:
        for scale in (4, 0.25):
            cdp.send(
                "Input.synthesizePinchGesture",
                here | {"scaleFactor": scale, "relativeSpeed": 300, "gestureSourceType": "touch"},
            )

    return {"drag": drag, "wheel": wheel, "pinch": pinch}


def measured(page: Page, cdp: CDPSession, act: Callable[[], Any]) -> str:
    """Frames by both counts, and what they cost, while something is done."""
    events: list[dict[str, Any]] = []
    done = threading.Event()
    cdp.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    cdp.once("Tracing.tracingComplete", lambda _: done.set())
    cdp.send("Tracing.start", {"categories": "viz,toplevel,__metadata", "transferMode": "ReportEvents"})
    page.evaluate(_RECORD)
    act()
    times = np.array(page.evaluate(_STOP))
    cdp.send("Tracing.end")
    while not done.is_set():
        page.wait_for_timeout(20)
    gaps, seconds = np.diff(times), (times[-1] - times[0]) / 1000
    swaps = len({each["ts"] for each in events if each["name"] == "Display::DrawAndSwap"})
    threads = {(each["pid"], each["tid"]): each["args"]["name"] for each in events if each["name"] == "thread_name"}
    cost = dict.fromkeys(("CrRendererMain", "VizCompositorThread"), 0.0)
    for each in events:
        name = threads.get((each["pid"], each["tid"]), "")
        if name in cost and each["name"] == "ThreadControllerImpl::RunTask":
            cost[name] += each.get("tdur", 0) / 1000
    main, compositor = cost["CrRendererMain"] / len(gaps), cost["VizCompositorThread"] / max(swaps, 1)
    return (
        f"{len(gaps) / seconds:5.1f} frames/s in the page, {swaps / seconds:5.1f} drawn; "
        f"gaps median {np.median(gaps):.1f} ms, 95 % {np.percentile(gaps, 95):.1f}, longest {gaps.max():.0f}; "
        f"CPU a frame {main:.1f} ms, compositor {compositor:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        folder = asked.folder or Path(made)
        folder.mkdir(exist_ok=True)
        if not (folder / "map.html").is_file():
            draw(folder, asked.works)
        handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
        handler.func.log_message = lambda *_: None  # type: ignore[attr-defined]
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        page = browser.new_page(viewport={"width": asked.width, "height": asked.height}, has_touch=True)
        page.on("pageerror", lambda error: print(f"error: {error}"))
        cdp = page.context.new_cdp_session(page)
        page.goto(f"http://127.0.0.1:{server.server_port}/map.html")
        page.locator(".mapped").wait_for()
        page.wait_for_timeout(1500)
        for state, clicks in (("whole", 0), ("near", 5)):
            for _ in range(clicks):
                page.locator("#in").click()
            page.wait_for_timeout(1500)
            for name, act in gestures(page, cdp).items():
                print(f"{state} {name:6}", measured(page, cdp, act))
                page.wait_for_timeout(500)
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
