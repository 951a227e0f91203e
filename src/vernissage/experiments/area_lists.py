"""What areas of interest show to one simulated user, and what of it they were looking for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vernissage.encoders.contract import Modality
from vernissage.errors import RequestError
from vernissage.experiments.material import Material, Rows
from vernissage.experiments.simulated_users import SimulatedUser
from vernissage.experiments.tidy import Row
from vernissage.profiles.area import Area
from vernissage.profiles.uploads import UploadProfile, uploaded_side
from vernissage.recommenders.area_seeds import Seed
from vernissage.recommenders.fused import FusionRule, best
from vernissage.recommenders.pool import Pool
from vernissage.recommenders.round_robin import round_robin
from vernissage.recommenders.voices import voices_of

SHOWN = 10
"""Works in a list: Recall@10."""

Task = tuple[Modality, Modality]


@dataclass(frozen=True, eq=False)
class Seeker:
    """One user of one material: their profile by any areas, and the pool of each modality, made once."""

    material: Material
    user: SimulatedUser

    def profile(self, source: Modality, areas: Sequence[Area]) -> UploadProfile:
        """Their uploads of one modality in these areas, each counting by its size."""
        vectors = self.material.vectors[source][self.user.uploads]
        return UploadProfile("", {source: uploaded_side(self.ids(self.user.uploads), vectors, areas)})

    def pool(self, target: Modality) -> Pool:
        """What a list of that modality is chosen from: the works of the user's pool."""
        return Pool(self.material.index(target, self.user.pool), UploadProfile("", {}))

    def ids(self, rows: Rows) -> list[str]:
        return [self.material.item_ids[row] for row in rows.tolist()]

    def found(self, shown: Sequence[str]) -> float:
        """hits / M: how many of the relevant works, one for each interest, are among those shown."""
        wanted = self.ids(self.user.relevant)
        return len(set(wanted).intersection(shown)) / len(wanted)


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
    seeker: Seeker, pools: Mapping[Modality, Pool], task: Task, areas: Sequence[Area], seed: Seed
) -> dict[str, float]:
    """Recall@10 of one task in both ways of counting.

    ``recall`` (*budget*): the areas take turns, the largest first, until ten works are in one list; hits / M.
    ``recall_per_seed``: every area shows its own ten, as in the paper's code, and a relevant work counts once if any
    of them has it; hits / M. ``shown`` tells how many different works that are: the more areas, the more are shown.
    """
    source, target = task
    voices, pool = voices_of(seeker.profile(source, areas), seed), pools[target]
    places, _ = best(round_robin(voices, pool, list_length=SHOWN), pool, SHOWN)
    own = {
        item_id for found in pool.search(voices.seeds[voices.seeds.any(axis=1)], SHOWN) for item_id in pool.ids(found)
    }
    return {
        "recall": seeker.found(pool.ids(places)),
        "recall_per_seed": seeker.found(tuple(own)),
        "shown": float(len(own)),
        "areas": float(len(areas)),
    }


def measured_rule(
    seeker: Seeker, pools: Mapping[Modality, Pool], task: Task, areas: Sequence[Area], rule: FusionRule
) -> float:
    """Recall@10 of the list of ten that a fusion rule makes."""
    source, target = task
    pool = pools[target]
    places, _ = best(rule(voices_of(seeker.profile(source, areas)), pool), pool, SHOWN)
    return seeker.found(pool.ids(places))


def named(task: Task) -> Row:
    """The columns of a task."""
    return {"task": f"{task[0]}-to-{task[1]}"}
