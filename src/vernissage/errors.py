"""What can go wrong, in the user's words.

Every error says what was given, what was expected and what to do next, in one line. Its kind decides the exit code of
the command line and the status of an HTTP answer; nothing that existed before is changed.
"""

from enum import Enum


class Kind(Enum):
    """What sort of error it is: a word for programs, an exit code and an HTTP status."""

    BAD_REQUEST = ("bad_request", 1, 400)
    NOT_FOUND = ("not_found", 3, 404)
    CONFLICT = ("conflict", 4, 409)
    FORBIDDEN = ("forbidden", 5, 403)
    UNAVAILABLE = ("unavailable", 6, 503)
    TOO_LARGE = ("too_large", 7, 413)

    def __init__(self, word: str, exit_code: int, http_status: int) -> None:
        self.word = word
        self.exit_code = exit_code
        self.http_status = http_status


class VernissageError(Exception):
    """The root of all errors that a user can cause and mend; ``kind`` may be given where it differs from the usual."""

    kind: Kind = Kind.BAD_REQUEST

    def __init__(self, message: str, *, kind: Kind | None = None) -> None:
        super().__init__(message)
        if kind is not None:
            self.kind = kind


class CollectionError(VernissageError):
    """The folder, the table or a picture of a collection cannot be used as it is."""


class UnknownItemError(VernissageError):
    """An item id that the collection does not have."""

    kind = Kind.NOT_FOUND


class RatingsError(VernissageError):
    """Ratings that no profile can be made of."""


class EncoderError(VernissageError):
    """An encoder that cannot be fitted, loaded or used for what was asked."""


class ProvenanceError(VernissageError):
    """Vectors, models or collection that do not belong together, or are damaged."""

    kind = Kind.CONFLICT


class WorkspaceError(VernissageError):
    """A workspace that cannot be opened, read or written."""

    kind = Kind.UNAVAILABLE


class RequestError(VernissageError):
    """A request for recommendations, a search or a filter that cannot be answered as asked."""


class NothingAlikeError(RequestError):
    """To an engine all works are equally like the rated ones."""


class UnknownPersonError(RequestError):
    """Somebody who owns and uploaded nothing; the message names others, which a service must not tell."""

    kind = Kind.NOT_FOUND


class StorageError(VernissageError):
    """The database of people and uploads cannot be opened, read or written."""

    kind = Kind.UNAVAILABLE


class StudyError(VernissageError):
    """A study that cannot be defined, run or continued as asked, or an answer in it that cannot be taken."""


def first_line(error: BaseException) -> str:
    """What an error of a library says in its first line, at most 200 letters; its type's name where it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
