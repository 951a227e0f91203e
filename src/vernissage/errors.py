"""What can go wrong, in the user's words.

Every error says what was given, what was expected and what to do next, in one line. The command line prints that
line and exits with a code other than 0; nothing that existed before is changed.
"""


class VernissageError(Exception):
    """The root of all errors that a user can cause and mend."""


class CollectionError(VernissageError):
    """The folder, the table or a picture of a collection cannot be used as it is."""


class UnknownItemError(VernissageError):
    """An item id that the collection does not have."""


class RatingsError(VernissageError):
    """Ratings that no profile can be made of."""


class EncoderError(VernissageError):
    """An encoder that cannot be fitted, loaded or used for what was asked."""


class ProvenanceError(VernissageError):
    """Vectors, models or collection that do not belong together, or are damaged."""


class WorkspaceError(VernissageError):
    """A workspace that cannot be opened, read or written."""


class RequestError(VernissageError):
    """A request for recommendations, a search or a filter that cannot be answered as asked."""


class StorageError(VernissageError):
    """The database of people and uploads cannot be opened, read or written."""


class StudyError(VernissageError):
    """A study that cannot be defined, run or continued as asked, or an answer in it that cannot be taken."""
