"""What areas of interest show to one simulated user, and what of it they were looking for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vernissage.errors import RequestError
from vernissage.profiles.areas import Area
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality
from vernissage.recommenders.area_searches import Seed
from vernissage.recommenders.upload_rules import Candidates, FusionRule, round_robin, weighted_uploads
from vernissage.search.exact import ExactIndex
from vernissage.values import EVERYTHING, Modality, Vectors
from vernissage_lab.material import Material
from vernissage_lab.simulated_users import SimulatedUser
from vernissage_lab.tidy import Row

SHOWN = 10
"""Works in a list: Recall@10."""

Task = tuple[Modality, Modality]


@dataclass(frozen=True, eq=False)
class Seeker:
    """One user of one material. Uploads and works of the pool are called by their places among the user's own."""

    material: Material
    user: SimulatedUser

    @property
    def upload_ids(self) -> list[str]:
        return [f"upload{place:06d}" for place in range(len(self.user.uploads))]

    @property
    def pool_ids(self) -> list[str]:
        return [f"work{place:06d}" for place in range(len(self.user.pool))]

    def vectors(self, source: Modality) -> Vectors:
        """The uploads by one modality, float32 (M·N, dim)."""
        found: Vectors = self.material.vectors[source][self.user.uploads]
        return found

    def profile(self, source: Modality, areas: Sequence[Area]) -> UploadProfile:
        """The uploads of one modality in these areas, each counting by its size."""
        return UploadProfile("", {source: uploads_of_modality(self.upload_ids, self.vectors(source), areas)})

    def index(self, target: Modality) -> ExactIndex:
        """The works of the pool that have a vector, searchable."""
        vectors = self.material.vectors[target][self.user.pool]
        known = np.flatnonzero(vectors.any(axis=1))
        names = self.pool_ids
        return self.material.index(target, vectors[known], [names[place] for place in known])

    def pool(self, target: Modality) -> Candidates:
        """What a list of that modality is chosen from."""
        return Candidates(self.index(target), EVERYTHING)

    def found(self, shown: Iterable[str]) -> float:
        """hits / M: how many of the relevant works, one for each interest, are among those shown."""
        wanted = np.isin(self.user.pool, self.user.relevant)
        names = {name for name, each in zip(self.pool_ids, wanted, strict=True) if each}
        return len(names.intersection(shown)) / len(names)


def tasks_of(material: Material, names: Sequence[str] = ()) -> list[Task]:
    """Source and target of each task that the material has, or of those named, such as ``text-to-image``.

    Raises:
        RequestError: a task that is not there.
    """
    there: dict[str, Task] = {
        f"{source}-to-{target}": (source, target) for source in material.modalities for target in material.modalities
    }
    unknown = [name for name in names if name not in there]
    if unknown:
        raise RequestError(f"there is no task {unknown[0]!r} with {material.encoder}; choose from {', '.join(there)}")
    return [there[name] for name in names or there]


def measured(
    seeker: Seeker, pools: Mapping[Modality, Candidates], task: Task, areas: Sequence[Area], seed: Seed
) -> dict[str, float]:
    """Recall@10 of one task in both ways of counting.

    ``recall`` (*budget*): the areas take turns, the largest first, until ten works are in one list; hits / M.
    ``recall_per_seed``: every area shows its own ten, as in the paper's code, and a relevant work counts once if any
    of them has it; hits / M. ``shown`` tells how many different works that are: the more areas, the more are shown.
    """
    source, target = task
    uploads, pool = weighted_uploads(seeker.profile(source, areas), seed), pools[target]
    listed = round_robin(uploads, pool, min(SHOWN, len(pool)), list_length=SHOWN).ranking
    own = {
        item_id for found in pool.search(uploads.seeds[uploads.seeds.any(axis=1)], SHOWN) for item_id in found.item_ids
    }
    return {
        "recall": seeker.found(listed.item_ids),
        "recall_per_seed": seeker.found(own),
        "shown": float(len(own)),
        "areas": float(len(areas)),
    }


def measured_rule(
    seeker: Seeker, pools: Mapping[Modality, Candidates], task: Task, areas: Sequence[Area], rule: FusionRule
) -> float:
    """Recall@10 of the list of ten that a fusion rule makes."""
    source, target = task
    pool = pools[target]
    uploads = weighted_uploads(seeker.profile(source, areas))
    return seeker.found(rule(uploads, pool, min(SHOWN, len(pool))).ranking.item_ids)


def named(task: Task) -> Row:
    """The columns of a task."""
    return {"task": f"{task[0]}-to-{task[1]}"}
