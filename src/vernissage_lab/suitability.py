"""Whether a captioned set can serve an experiment, looked at before anything is fitted or encoded."""

import numpy as np

from vernissage.errors import RequestError
from vernissage_lab.datasets.captioned import CaptionedSet
from vernissage_lab.material import UNKNOWN
from vernissage_lab.simulated_users import protocol_of
from vernissage_lab.tag_lists import no_tags


def measured_part(found: CaptionedSet) -> CaptionedSet:
    """The test part of a set, or the whole where it has none."""
    return found.part("test") if "test" in found.splits else found


def require_protocol(found: CaptionedSet, *, query_classes: int, pool: int) -> None:
    """Refuse a set whose classes are too few for the recommendation protocol.

    Raises:
        DatasetError: fewer classes than asked for.
        RequestError: nothing beside them, or a pool of less than 2.
    """
    found.require_classes(max(1, query_classes))
    place = {index: number for number, index in enumerate(found.members)}
    labels = [found.labels.get(image.id) for image in found.images]
    codes = np.array([place[label.index] if label else UNKNOWN for label in labels], dtype=np.int64)
    protocol_of(codes, query_classes=query_classes, pool=pool)


def require_tags(found: CaptionedSet) -> None:
    """Refuse a set in which nothing has a tag.

    Raises:
        RequestError: see above.
    """
    if not found.image_tags and not found.text_tags:
        raise RequestError(no_tags(found.name))
