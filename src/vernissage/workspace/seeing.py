"""What a network of photographs makes out in the pictures of works and uploads, from outputs that are kept."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from vernissage.encoders.fitted.network_features import POOLED_SUFFIX, NetworkFeatures
from vernissage.encoders.towers.efficientnet_lite import SUFFIX
from vernissage.storage.vectors import VectorSpace, vectors_of
from vernissage.taggers.contract import Tags
from vernissage.taggers.imagenet import ABOVE, ImagenetTagger, classes_named
from vernissage.values import readable
from vernissage.workspace.workspace import Workspace

if TYPE_CHECKING:
    from vernissage.storage.database import Database


_BLOCK = 1024  # copies of rows of a network's outputs, of 15 kB each, at once


def tagger_of(workspace: Workspace, above: float = ABOVE) -> ImagenetTagger | None:
    """The tagger by the first network whose outputs the workspace has, compared with its collection; None without."""
    networks = (name for name in workspace.internal_names if name.endswith(SUFFIX))
    for name in networks:
        pooled = name.removesuffix(SUFFIX) + POOLED_SUFFIX
        if pooled in workspace.encoder_names and isinstance(features := workspace.encoder(pooled), NetworkFeatures):
            return ImagenetTagger(features.network, features.usual, above)
    return None


def seen_in(
    workspace: Workspace,
    ids: Iterable[str],
    *,
    database: "Database | None" = None,
    tagger: ImagenetTagger | None = None,
) -> dict[str, Tags]:
    """What works and uploads show whose outputs are kept; an empty tuple where nothing is sure."""
    tagger = tagger or tagger_of(workspace)
    if tagger is None:
        return {}
    name, wanted = tagger.network.name, list(dict.fromkeys(ids))
    found: dict[str, Tags] = {}
    for table in (workspace.table(name, modality) for modality in workspace.modalities(name)):
        rows = table.item_ids.rows(wanted)
        for start in range(0, len(wanted), _BLOCK):
            block, places = wanted[start : start + _BLOCK], rows[start : start + _BLOCK]
            there = [each for each, row in zip(block, places.tolist(), strict=True) if row >= 0]
            found |= zip(there, tagger.tags_of_outputs(table.vectors[places[places >= 0]]), strict=True)
    if database is not None and (others := [each for each in wanted if each not in found]):
        fingerprint = workspace.manifest.fingerprints[name]
        spaces = [VectorSpace(name, modality, fingerprint) for modality in readable(workspace.modalities(name))]
        with database.reading() as connection:
            kept = [vectors_of(connection, space, others) for space in spaces]
        for some in (each for each in kept if len(each.ids)):
            found |= zip(some.ids, tagger.tags_of_outputs(some.vectors), strict=True)
    return found


def works_showing(workspace: Workspace, query: str) -> dict[str, tuple[str, float]]:
    """Works of the collection whose pictures seem to show what an English query names: what, and how probably."""
    tagger, classes = tagger_of(workspace), classes_named(query)
    if tagger is None or not classes:
        return {}
    table, found = workspace.table(tagger.network.name, "image"), dict[str, tuple[str, float]]()
    for start in range(0, len(table.vectors), _BLOCK):
        surest = tagger.surest(table.vectors[start : start + _BLOCK], classes)
        found |= {table.item_ids[start + row]: (name, probability) for row, name, probability in surest}
    return found
