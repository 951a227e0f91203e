"""The map of the collection, its tiles, and its groups as lists; it is drawn when somebody first asks for it."""

import atexit
import logging
import subprocess
import sys
import threading
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from vernissage.files import read_regular
from vernissage.pages.map_tiles import FOLDER, WORKS, kept_map, map_version
from vernissage.pages.visitor.frame import Frame
from vernissage.pages.visitor.map import PER_PAGE, first_rows, listed, map_groups, map_page
from vernissage.web.compression import FOR_EVER, packed, packed_answer
from vernissage.web.visitor.site import Site, with_values

_NICE = 10
"""Drawing gives way to answering."""

_log = logging.getLogger("vernissage.web")


def routes(site: Site) -> APIRouter:
    """The map with its lists, and each list on pages of its own."""
    router, drawing, gallery = APIRouter(), Drawing(site), site.service.gallery
    groups = lru_cache(2)(lambda _: map_groups(gallery.collection, gallery.snapshot.editorial.banned))

    @router.get("/map")
    def show(
        request: Request,
        group: Annotated[str | None, Query(max_length=1_000)] = None,
        start: Annotated[int, Query(alias="from", ge=0, le=10_000_000)] = 0,
    ) -> Response:
        known, place = groups(gallery.fingerprint), f"{site.root(request)}/map"
        chosen = known if group is None else [each for each in known if each.value == group]
        if not chosen:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        most = first_rows(known) if group is None else PER_PAGE
        tiles = f"{place}/{map_version(gallery)}/" if group is None and kept_map(gallery) else ""
        under_way = group is None and not tiles and drawing.begin()

        def make(frame: Frame) -> str:
            beside, told = site.addressed(request), []
            for each in chosen:
                after = with_values(request.query_params, **{"from": str(start + most), "group": each.value})
                told.append(listed(each, start, most, gallery.collection, beside, f"{place}?{after}"))
            work = beside.addresses.work
            return map_page(frame, told, tiles=tiles, work=work, drawing=under_way, alone=group is not None)

        return site.cached(request, make, tiles, under_way)

    return router


def files(site: Site) -> APIRouter:
    """What the map is drawn of."""
    router, gallery = APIRouter(), site.service.gallery

    @router.get("/map/{version}/{name:path}")
    def file(
        request: Request,
        version: Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")],
        name: Annotated[str, Path(pattern=r"^(works\.json|\d{1,2}/\d{1,4}-\d{1,4}\.webp)$")],
    ) -> Response:
        path = gallery.path / FOLDER / version / name
        if not path.is_file():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if name == WORKS:
            content = site.service.answers.get(("map", version), lambda: packed(read_regular(path)))
            return packed_answer(request, content, "application/json", FOR_EVER)
        return Response(read_regular(path), media_type="image/webp", headers=FOR_EVER)

    return router


class Drawing:
    """Draws the map in a process of its own, once in each state of the collection; others may draw it as well."""

    def __init__(self, site: Site) -> None:
        self._gallery = site.service.gallery
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._version = ""

    def begin(self) -> bool:
        """Begin to draw unless that was done in this state; whether it is under way."""
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                return True
            if self._version == map_version(self._gallery):
                return False
            self._version = map_version(self._gallery)
            words = [sys.executable, "-m", "vernissage", "map", str(self._gallery.path), "--tiles"]
            self._process = subprocess.Popen(
                ["nice", "-n", str(_NICE), *words] if sys.platform != "win32" else words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            atexit.register(self._process.terminate)
            threading.Thread(target=_wait, args=(self._process,), name="map", daemon=True).start()
            return True


def _wait(process: "subprocess.Popen[bytes]") -> None:
    """Wait for the end, and note why nothing was drawn."""
    _, told = process.communicate()
    if process.returncode:
        _log.warning("the map was not drawn: %s", told.decode(errors="replace").strip()[-500:])
