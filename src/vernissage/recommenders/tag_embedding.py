"""`tag-embedding`: tags become vectors, and vectors areas of interest."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from vernissage.encoders.contract import TextEncoder, unit_rows
from vernissage.errors import RequestError
from vernissage.profiles.area import Area
from vernissage.profiles.areas import areas_of_interest
from vernissage.profiles.uploads import UploadProfile, uploaded_side
from vernissage.recommenders.area_seeds import require_uploads
from vernissage.recommenders.fused import FusionRule
from vernissage.recommenders.nearest_z_scores import knn3z
from vernissage.recommenders.tag_overlap import Tags, heard_uploads, known_tags, no_tags
from vernissage.recommenders.upload_contract import UploadAnswer
from vernissage.recommenders.upload_fusion import UploadFusion
from vernissage.search.live import LiveIndex, live_index
from vernissage.search.vectors import make_vector_table
from vernissage.values import Modality, Ranking, Vectors

Together = Literal["joined", "averaged"]
WAYS: tuple[Together, ...] = ("joined", "averaged")
FindAreas = Callable[[Vectors, Vectors], Sequence[Area]]
"""From vectors (n, dim) of uploads and the mean (dim,) of the vectors that are searched to areas."""


def coherent_areas(vectors: Vectors, background: Vectors) -> Sequence[Area]:
    """The areas of interest by the default rule."""
    return areas_of_interest(vectors, background=background)


def embed_tags(tag_lists: Sequence[Sequence[str]], encoder: TextEncoder, how: Together = "joined") -> Vectors:
    """One unit vector for each list of tags, float32 (n, dim); zero where there are none or no word is known.

    ``joined`` encodes the tags of a list as one text with blanks between them, ``averaged`` encodes each tag and takes
    the mean of their vectors.

    Raises:
        RequestError: there is no such way.
    """
    if how not in WAYS:
        raise RequestError(f"there is no way {how!r} of embedding tags; choose {' or '.join(WAYS)}")
    vectors = np.zeros((len(tag_lists), encoder.dim), dtype=np.float64)
    tagged = [row for row, tags in enumerate(tag_lists) if tags]
    if not tagged:
        return vectors.astype(np.float32)
    if how == "joined":
        vectors[tagged] = encoder.encode_texts([" ".join(tag_lists[row]) for row in tagged])
        return unit_rows(vectors)
    words = sorted({tag for row in tagged for tag in tag_lists[row]})
    row_of = {word: row for row, word in enumerate(words)}
    word_vectors = encoder.encode_texts(words).astype(np.float64)
    for row in tagged:
        vectors[row] = word_vectors[[row_of[tag] for tag in tag_lists[row]]].mean(axis=0)
    return unit_rows(vectors)


class TagEmbedding:
    """Ranks works by the vectors of their tags: the baseline BTBA of D'Asaro et al., ESWA 2024, section 4.4.

    Each upload and each work is the vector of its tags (`embed_tags`); from there on it is what vectors of pictures
    and texts are: uploads are grouped into areas and a rule makes one list of them (doi 10.1016/j.eswa.2024.125108).
    Works whose tags have no vector cannot come back; uploads of muted areas are not heard.
    """

    name = "tag-embedding"

    def __init__(
        self,
        tags: Tags,
        indexes: Mapping[Modality, LiveIndex],
        encoder: TextEncoder,
        *,
        find_areas: FindAreas = coherent_areas,
        how: Together = "joined",
        rule: FusionRule = knn3z,
    ) -> None:
        """Recommend the works of ``indexes``, whose vectors are not read: they say which works there are, and whose."""
        self.tags = tags
        self.works = indexes
        self.encoder = encoder
        self.find_areas = find_areas
        self.how: Together = how
        self.rule = rule

    @cached_property
    def indexes(self) -> Mapping[Modality, LiveIndex]:
        """The works of each modality by the vectors of their tags; `AreaSeeds` can search them too."""
        return {modality: self._embedded(index, modality) for modality, index in self.works.items()}

    def tag_profile(self, profile: UploadProfile) -> UploadProfile:
        """The person's uploads by the vectors of their tags, in areas of their own; texts all of them.

        Raises:
            RequestError: nothing was uploaded, or no upload has a tag that the encoder knows.
        """
        require_uploads(profile)
        ids, vectors = self._with_vectors(heard_uploads(profile))
        if not ids:
            raise no_tags(profile)
        areas = self.find_areas(vectors, self._background)
        return UploadProfile(profile.owner, {"text": uploaded_side(ids, vectors, areas)})

    def recommend(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> Ranking:
        """The ``n`` best works of modality ``target`` (see `UploadRecommender.recommend`)."""
        return self.answer(profile, target, n, among=among).ranking

    def answer(
        self, profile: UploadProfile, target: Modality, n: int, *, among: Collection[str] | None = None
    ) -> UploadAnswer:
        """The ``n`` best works and why each of them, as `UploadFusion.answer` over the vectors of tags.

        Raises:
            RequestError: as there, or no upload has a tag that the encoder knows.
        """
        fusion = UploadFusion(self.indexes, rule=self.rule, name=self.name)
        return fusion.answer(self.tag_profile(profile), target, n, among=among)

    @cached_property
    def _background(self) -> Vectors:
        """The mean of the vectors of all works, float32 (dim,); zero where no work has one."""
        rows = np.concatenate([index.vectors for index in self.indexes.values()])
        mean: Vectors = (rows.sum(axis=0, dtype=np.float64) / max(1, len(rows))).astype(np.float32)
        return mean

    def _with_vectors(self, item_ids: Sequence[str]) -> tuple[list[str], Vectors]:
        vectors = embed_tags([known_tags(self.tags, item_id) for item_id in item_ids], self.encoder, self.how)
        found = np.flatnonzero(vectors.any(axis=1))
        return [item_ids[row] for row in found.tolist()], vectors[found]

    def _embedded(self, index: LiveIndex, modality: Modality) -> LiveIndex:
        ids, vectors = self._with_vectors(index.item_ids)
        table = make_vector_table(
            vectors,
            ids,
            [""] * len(ids),
            encoder=f"{self.name} {self.encoder.name}",
            fingerprint=self.encoder.fingerprint,
            modality=modality,
            collection="",
        )
        return live_index(table, {item_id: index.owner_of(item_id) for item_id in ids})
