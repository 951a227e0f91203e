import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from tests.browser.watching import SIZES
from tests.pages.answers import rated, recommended
from tests.pages.reading import HOSTILE
from tests.worlds import table_of

from vernissage.catalog.collection import Collection
from vernissage.catalog.item import Item
from vernissage.cli.main import main
from vernissage.gallery.overview import Map
from vernissage.pages.recommendations import recommendation_page
from vernissage.pages.visitor.map import map_in_one_file
from vernissage.recommenders.late_fusion import LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import exact_index
from vernissage_lab.sample.gallery import paint_gallery

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Pages:
    """The two kinds of page, as files."""

    recommendations: Path
    map: Path


@dataclass(frozen=True)
class OwnerPages:
    """The two pages about a person, as files."""

    areas: Path
    recommendations: Path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """One browser with a fresh profile for all tests; each opens windows of its own."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield started
        started.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core; where CI says that everything must be there, its absence is a failure."""
    if AXE.is_file():
        return AXE.read_text(encoding="utf-8")
    missing = "axe-core is missing; `make install` installs it where npm is (or run `npm ci` in tests/browser)"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@pytest.fixture(scope="session")
def painted(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of a painted sample of 12 works, made as a user makes them."""
    folder = tmp_path_factory.mktemp("painted")
    paint_gallery(folder / "gallery", count=12)
    _vernissage("build", folder / "gallery", "-o", folder / "workspace")
    pages = Pages(folder / "for-you.html", folder / "map.html")
    ratings = ("--rate", "v001=5", "--rate", "v002=3.5", "--rate", "v004=1")
    _vernissage("recommend", folder / "workspace", *ratings, "--html", pages.recommendations)
    _vernissage("map", folder / "workspace", "--html", pages.map)
    return pages


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """The pages of a collection whose every field tries to run a script."""
    folder = tmp_path_factory.mktemp("hostile")
    fields = dict.fromkeys(("title", "artist", "year", "description", "group", "licence"), HOSTILE)
    works = Collection([Item(id=f"{HOSTILE}{n}", **fields, attributes={"Credit": HOSTILE}) for n in range(12)], folder)
    vectors = np.random.default_rng(0).standard_normal((2, len(works), 8))
    engines = [RatingWeightedSimilarity(exact_index(table_of(each, works.ids)), HOSTILE) for each in vectors]
    ratings = {works.ids[0]: 5.0, works.ids[1]: 2.0}
    answer = recommended(works, LateFusion(engines), ratings, notes=[HOSTILE])
    pages = Pages(folder / "for-you.html", folder / "map.html")
    pages.recommendations.write_text(recommendation_page(answer, rated(works, ratings), title=HOSTILE), "utf-8")
    found = Map(vectors[0, :, :2], works.items, tuple(item.group for item in works), HOSTILE, 0)
    pages.map.write_text(map_in_one_file(found, works.picture_path, title=HOSTILE), "utf-8")
    return pages


@pytest.fixture(scope="session")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of 900 works in 30 groups that share one picture."""
    folder = tmp_path_factory.mktemp("crowded")
    Image.new("RGB", (24, 16), "teal").save(folder / "one.png")
    works = Collection([Item(id=f"w{n}", title=f"Work {n}", picture="one.png") for n in range(900)], folder)
    groups = tuple(f"A group of works, number {n % 30}" for n in range(900))
    found = Map(np.random.default_rng(0).uniform(size=(900, 2)), works.items, groups, "", 0)
    page = folder / "map.html"
    page.write_text(map_in_one_file(found, works.picture_path, title="Crowd"), "utf-8")
    return page


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    """A desk's window and a phone's."""
    found: tuple[int, int] = request.param
    return found


def _vernissage(*words: str | Path) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([str(word) for word in words])


@pytest.fixture(scope="session")
def owners_pages(owned: Path, tmp_path_factory: pytest.TempPathFactory) -> OwnerPages:
    """The pages of ann's areas and of recommendations for her, made as a user makes them."""
    folder = tmp_path_factory.mktemp("owners")
    pages = OwnerPages(folder / "areas.html", folder / "for-ann.html")
    _vernissage("areas", owned, "ann", "--html", pages.areas)
    _vernissage("recommend", owned, "--owner", "ann", "-n", "4", "--html", pages.recommendations)
    return pages


@pytest.fixture(scope="session")
def hostile_owner(owned: Path, tmp_path_factory: pytest.TempPathFactory) -> OwnerPages:
    """The same pages of somebody whose name, uploads and areas try to run a script."""
    folder = tmp_path_factory.mktemp("hostile-owner")
    workspace = Path(shutil.copytree(owned, folder / "workspace"))
    words = ("--title", HOSTILE, "--text", f"A storm {HOSTILE}", "--keywords", HOSTILE)
    for person, picture in ((HOSTILE, "w000"), ("others", "w004")):
        file = owned.parent / "gallery" / "images" / f"{picture}.png"
        _vernissage("upload", workspace, "--owner", person, file, *words)
    _vernissage("areas", workspace, HOSTILE, "--rename", f"image:1={HOSTILE}", "--mute", "text:1")
    pages = OwnerPages(folder / "areas.html", folder / "for-you.html")
    _vernissage("areas", workspace, HOSTILE, "--html", pages.areas)
    _vernissage("recommend", workspace, "--owner", HOSTILE, "-n", "4", "--html", pages.recommendations)
    return pages
