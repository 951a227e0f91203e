"""Taking in what visitors upload: each file by itself, with a word on each that cannot be kept."""

import secrets
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from fastapi import Request
from starlette.datastructures import UploadFile

from vernissage.catalog.pictures import PICTURE_SUFFIXES
from vernissage.errors import CollectionError, Kind, RequestError, VernissageError
from vernissage.gallery.upload_files import TEXT_SUFFIXES
from vernissage.sentences import Sentence
from vernissage.web.api.people import keep_uploads
from vernissage.web.api.received import LARGEST_FILE, LONGEST_TEXT, files_of, texts_of
from vernissage.web.api.service import Service
from vernissage.workspace.uploading import Submission

MOST_FILES = 100
"""Files of one form; scripts send each file by itself."""


def take(
    service: Service, request: Request, person: str, files: Sequence[UploadFile], words: str
) -> tuple[int, list[Sentence]]:
    """Keep what can be kept for a person alone; how much that is, and what to say of each of the others."""
    kept, refused = 0, []
    # A form in which nothing was chosen sends a file without a name.
    given: list[tuple[str, UploadFile | str]] = [(_name_of(file), file) for file in files if file.filename]
    given += [(Sentence("Your text"), words)] if words.strip() else []
    for number, (called, what) in enumerate(given):
        try:
            if number >= MOST_FILES:
                raise RequestError(Sentence("more than {n} files came at once; send this one again", n=MOST_FILES))
            _keep(service, request, person, called, what)
            kept += 1
        except VernissageError as error:
            refused.append(Sentence("{file}: {why}.", file=called, why=_why(error)))
    return kept, refused


def _keep(service: Service, request: Request, person: str, called: str, what: UploadFile | str) -> None:
    suffix, job = "" if isinstance(what, str) else Path(called).suffix.lower(), secrets.token_hex(12)
    if isinstance(what, UploadFile) and suffix not in TEXT_SUFFIXES:
        if suffix and suffix not in PICTURE_SUFFIXES:
            told = "this kind of file is not taken; choose JPEG, PNG, WebP, GIF, TIFF or .txt"
            raise RequestError(Sentence(told))
        with files_of([what]) as [path]:
            keep_uploads(service, person, [Submission(path, visibility="private")], job)
        return
    [text] = [what] if isinstance(what, str) else texts_of(request, [what])
    if not text.strip():
        raise RequestError(Sentence("this text is empty"))
    keep_uploads(service, person, [Submission(text=text.strip(), visibility="private")], job)


def _name_of(file: UploadFile) -> str:
    """A file's own name, which arrives as its bytes stand in the request (see `MultipartRoute`)."""
    name = (file.filename or "").encode("latin-1", "replace").decode("utf-8", "replace")
    return Path(name.replace("\\", "/")).name[-80:]


def _why(error: VernissageError) -> str:
    """Why a file was not taken, in words for visitors."""
    if isinstance(error.args[0], Sentence):
        return error.args[0]
    if getattr(error, "status", error.kind.http_status) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Sentence("it is larger than {n} MB; choose a smaller one", n=LARGEST_FILE >> 20)
    if isinstance(error, CollectionError):
        return Sentence("it cannot be read; it may be damaged, or something else than its name says")
    words = {
        Kind.FORBIDDEN: Sentence("there is no room for more of yours; delete some first"),
        Kind.UNAVAILABLE: Sentence("it could not be kept just now; send it again in a moment"),
    }
    told = "it cannot be taken; a text may have {n} characters, all of which can be printed"
    return words.get(error.kind) or Sentence(told, n=LONGEST_TEXT)
