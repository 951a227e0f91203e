"""What requests bring as files and as texts: files under names of our own, texts in whatever encoding they are."""

import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import UploadFile

from vernissage.catalog.pictures import PICTURE_SUFFIXES, VIDEO_HINT, VIDEO_SUFFIXES
from vernissage.catalog.sources.tables import decode
from vernissage.errors import CollectionError, RequestError
from vernissage.web.api.problems import ProblemError

MOST_FILES = 20
"""Pictures and texts of one request."""

LARGEST_FILE = 32 * 1024**2
"""Bytes of one file."""

LONGEST_TEXT = 20_000
_MULTIPART = "multipart/form-data"


class MultipartRoute(APIRoute):
    """A route whose texts are given as their bytes stand in the request, each byte as a letter; see `texts_of`.

    What is no UTF-8 would else be taken for Latin-1, and nobody could tell.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of a request whose form is declared as Latin-1."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if _is_multipart(request):
                kind = request.headers["content-type"].encode("latin-1") + b"; charset=latin-1"
                others = [each for each in request.scope["headers"] if each[0] != b"content-type"]
                request = Request({**request.scope, "headers": [*others, (b"content-type", kind)]}, request.receive)
            return await handle(request)

        return handler


def texts_of(request: Request, given: Sequence[UploadFile | str]) -> list[str]:
    """The texts of a form, fields or .txt files, decoded as files of a collection are.

    Raises:
        RequestError: one is too long, or is no text.
    """
    found = []
    for number, each in enumerate(given, start=1):
        if isinstance(each, str) and not _is_multipart(request):
            if "\ufffd" in each:
                raise RequestError(
                    f"text {number} is not in UTF-8; write it so, or send it as a file in a multipart form"
                )
            text = each
        else:
            raw = each.encode("latin-1") if isinstance(each, str) else each.file.read(4 * LONGEST_TEXT + 8)
            text, _ = decode(Path(f"text {number}"), raw)
        if len(text) > LONGEST_TEXT:
            raise RequestError(f"text {number} has more than {LONGEST_TEXT:,} characters; send it in parts")
        found.append(text)
    return found


@contextmanager
def files_of(given: Sequence[UploadFile]) -> Iterator[list[Path]]:
    """Pictures of a form as files whose names are nobody's words.

    Raises:
        ProblemError: one is larger than is read (413).
        RequestError: one has the ending of what is no picture.
        CollectionError: one cannot be read; the message names it by its place.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, file in enumerate(given, start=1):
            suffix = Path(file.filename or "").suffix.lower() or ".jpg"
            if suffix not in PICTURE_SUFFIXES:
                way = VIDEO_HINT if suffix in VIDEO_SUFFIXES else "send JPEG, PNG, WebP, GIF or TIFF"
                raise RequestError(f"file {number} ends in {suffix[:12]}; {way}")
            path = Path(folder) / f"{number}{suffix}"
            size = 0
            with path.open("wb") as kept:
                while part := file.file.read(1 << 20):
                    size += len(part)
                    if size > LARGEST_FILE:
                        told = f"file {number} is larger than {LARGEST_FILE >> 20} MB; send a smaller one"
                        raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
                    kept.write(part)
            paths.append(path)
        try:
            yield paths
        except CollectionError as error:
            told = str(error)
            for number, path in enumerate(paths, start=1):
                for named in (f"the picture {path}", f"the video {path}", str(path)):
                    told = told.replace(named, f"file {number}")
            raise CollectionError(told, kind=error.kind) from error


def _is_multipart(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith(_MULTIPART)
