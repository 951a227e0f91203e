"""Where the recommendation protocol of D'Asaro et al., as their code has it, parts from ours: one sentence each.

Every sentence is made from the record of a run; where the run does as they do, there is none.
"""

import re
from collections.abc import Collection, Iterator
from math import sqrt

from vernissage_lab.as_published import COMPONENTS
from vernissage_lab.published.names import EPSILON, MODELS, Record
from vernissage_lab.published.values import PublishedValue
from vernissage_lab.raw_lengths import SCALED_IN_PRINT
from vernissage_lab.readable import short
from vernissage_lab.simulated_users import POOL, QUERY_CLASSES
from vernissage_lab.tidy import Row, Value


def _values(rows: Collection[Row], column: str) -> list[Value]:
    return list(dict.fromkeys(row[column] for row in rows))


def users_said(record: Record, rows: Collection[Row], *, capped: bool) -> Iterator[str]:
    """How many users stand behind a published value; ``capped`` where hits are divided by 25 whatever was sought."""
    numbers = sorted(int(each) for each in _values(rows, "classes"))
    behind = ", ".join(f"{QUERY_CLASSES // each} with {_classes(each)}" for each in numbers)
    here = f"here {record['options']['users']}, each with classes of their own draw"
    yield (
        f"Users: their code parts the {QUERY_CLASSES} largest classes among users, each class once, so that few stand "
        f"behind a published value: {behind}; {'here as there' if _as_published(record) else here}."
    )
    most = [
        f"{short(sought / QUERY_CLASSES, 2)} is the most that can be reached with {_classes(each)}"
        for each in numbers
        if (sought := QUERY_CLASSES // each * each) < QUERY_CLASSES
    ]
    if capped and most:
        yield f"Their hits are divided by {QUERY_CLASSES} classes even where fewer were sought: {', '.join(most)}."
    yield (
        f"Published recall has two decimals and no standard error; as a share of {QUERY_CLASSES} works sought, that "
        f"error would be up to {short(sqrt(0.25 / QUERY_CLASSES), 2)}."
    )


def options_said(record: Record) -> Iterator[str]:
    """Where the numbers of the protocol are others."""
    options = record["options"]
    if options["query_classes"] != QUERY_CLASSES:
        yield f"Classes that are asked for: {options['query_classes']} here, {QUERY_CLASSES} there."
    yield from (f"{note}; there it holds {POOL:,}." for note in record["notes"] if " pool " in note)


def lengths_said(record: Record, models: Collection[str]) -> Iterator[str]:
    """How long vectors are when they are clustered."""
    raw = [MODELS[model].name for model in models if not MODELS[model].unit]
    unit = [MODELS[model].name for model in models if MODELS[model].unit]
    if _as_published(record) and any(each["encoder"] not in SCALED_IN_PRINT for each in record["inputs"]):
        if unit:
            yield (
                f"Vectors are clustered as long as the network gives them, as there; but those of {' and '.join(unit)} "
                f"have length 1 there. Both search by cosines."
            )
    elif raw:
        also = f" (those of {' and '.join(unit)} have length 1 there, too)" if unit else ""
        yield (
            f"Vectors have length 1 here when they are clustered; there those of {' and '.join(raw)} have the length "
            f"that the encoder gives them{also}. Both search by cosines."
        )


def _as_published(record: Record) -> bool:
    """Whether the run was made with ``--as-published``."""
    return bool(record["options"].get("as_published"))


def projections_said(record: Record, rows: Collection[Row]) -> Iterator[str]:
    """What becomes of vectors before they are clustered."""
    for word in map(str, _values(rows, "projection")):
        made = str(record["options"]["projections"].get(word, ""))
        kept = re.search(r"keep=([\d.]+)", made)
        if kept and float(kept[1]) != COMPONENTS:
            keep = float(kept[1])
            here = f"{keep:.0%} of the variance" if keep < 1 else f"{keep:g}"
            yield (
                f"{word} keeps {COMPONENTS} components there, all of them where a user has {COMPONENTS + 1} uploads or "
                f"fewer; here {here}."
            )
        if made.startswith("StandardisedTSNE"):
            yield "t-SNE starts at random on both sides, theirs without a seed."
        elif word.startswith("tsne"):
            yield (
                f"t-SNE there is of standardised vectors, reduced to {COMPONENTS} components where there are more, "
                f"from a random start without a seed ('tsne (pca)' in the file, tsne in the paper's figures); here of "
                f"vectors of length 1, from their principal components."
            )


def contradiction_said(published: Collection[PublishedValue]) -> Iterator[str]:
    """What their file says of no projection and of one that changes no distance."""
    plain, reduced = ({_but_projection(each): each.value for each in _isometric(published, word)} for word in _EQUAL)
    both = [name for name in plain if name in reduced]
    if both:
        means = (short(sum(side[name] for name in both) / len(both)) for side in (plain, reduced))
        yield (
            f"Their file contradicts their code: of up to {COMPONENTS + 1} uploads all components are kept, which "
            f"changes no distance, so that Ward's areas are the same without projection and with PCA; but over "
            f"{len(both)} such values with centroids mean recall is {' and '.join(means)}. One and the same "
            f"code cannot have made both."
        )


_EQUAL = ("none", "pca")


def _isometric(published: Collection[PublishedValue], word: str) -> Iterator[PublishedValue]:
    for each in published:
        _, classes, points, projection, clustering, seed = each.place
        if (projection, clustering, seed) == (word, "ward:5", "centroid") and int(classes) * int(points) <= COMPONENTS:
            yield each


def _but_projection(each: PublishedValue) -> tuple[Value, ...]:
    return (each.data, each.model, *each.place[:3])


def clusterings_said(rows: Collection[Row]) -> Iterator[str]:
    """What becomes of noise."""
    if any(str(each).startswith("hdbscan") for each in _values(rows, "clustering")):
        yield (
            f"HDBSCAN there drops noise, so that a user all of whose uploads are noise finds nothing, and does not "
            f"part what lies nearer than {EPSILON} (cluster_selection_epsilon); here noise joins the nearest area, and "
            f"nothing else is joined."
        )


def areas_said() -> str:
    """Areas of `tags` here are those of our own rule."""
    return (
        "Areas there: principal components, then Ward's tree cut at 5; here by coherence, our own rule, without "
        "projection."
    )


def overlap_said(rows: Collection[Row]) -> Iterator[str]:
    """Which tags of a person count, unless they are chosen as there."""
    for method in map(str, _values(rows, "method")):
        if "twice-unique" not in method:
            yield (
                f"{method} keeps the commonest tags that make up a third of all that the uploads have; their code "
                f"keeps the commonest third of the different tags of each class, and of those a third again."
            )


def embedding_said() -> Iterator[str]:
    """How tags become vectors there, and what their pools hold."""
    yield (
        "Tags there are read by bert-base-uncased, the mean over its last layer, and searched by inner products "
        "without bringing them to length 1; here by the run's encoder of texts, and by cosines."
    )
    yield (
        "Their code adds each user's works to one pool and takes none out, so that it grows by ten works a user, those "
        "that others sought among them; here every user has a pool of their own."
    )


def tags_said(given: Record, same: bool) -> str:
    """Whose tags they are: the record tells where they were found by taggers."""
    found = "; ".join(f"of {modality}s {by}" for modality, by in given.get("tags", {}).items())
    if found:
        return f"Tags there were found by models in pictures and captions; here: {found}."
    if same:
        return "Tags are those of their table, as there."
    return "Tags there were found by models in pictures and captions; here they are the works' keywords."


def _classes(count: int) -> str:
    return "1 class" if count == 1 else f"{count} classes"
