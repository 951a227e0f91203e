"""The recommendation protocol of the second paper: users of a few classes, and a pool with one more work of each.

D'Asaro et al., Expert Systems with Applications 258 (2024), doi 10.1016/j.eswa.2024.125108, section 4.3. The 25 largest
classes are query classes; the works of all others are noise. A user is M query classes at random, and N random works of
each are their uploads. One more work of each class is relevant; it lies in a pool among noise, drawn anew for every
user.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from vernissage.errors import RequestError
from vernissage_lab.recipe import Words

UNKNOWN = -1
"""The class of works that have none."""

QUERY_CLASSES = 25
POOL = 1_000
FEWEST_USERS = 100
"""The protocol asks for so many users in each cell; fewer are for trying out."""

Rows = npt.NDArray[np.int64]

PointNumbers = Annotated[str, typer.Option("--points", metavar="5,10,…", help="Uploads in each class.")]
Points = Annotated[int, typer.Option(min=1, help="Uploads in each class.")]
Tasks = Annotated[Words, typer.Option("--task", help="text-to-image and so on; repeat. Default: all there are.")]


@dataclass(frozen=True, eq=False)
class SimulatedUser:
    """A person with a few interests.

    Attributes:
        uploads: int64 (M·N,), rows of works, class by class.
        interests: int64 (M·N,), the class of each upload.
        relevant: int64 (M,), one further row of each class.
        pool: int64 (p,), ``relevant`` and noise in a random order, which decides between equal scores: works of a class
            often follow each other in a collection, so that their ids must not.
    """

    uploads: Rows
    interests: Rows
    relevant: Rows
    pool: Rows


@dataclass(frozen=True, eq=False)
class Protocol:
    """Which classes are asked for, and what lies beside what is sought.

    Attributes:
        query: classes that users can have, each with its rows, the largest class first.
        noise: the rows of all other classes, those without any among them.
        pool: the works of a pool, if there is noise enough.
    """

    query: tuple[Rows, ...]
    noise: Rows
    pool: int

    def usable(self, points: int) -> list[int]:
        """The query classes that have ``points`` works and one more."""
        return [place for place, rows in enumerate(self.query) if len(rows) > points]

    def too_small(self, interests: int, points: int, name: str) -> str:
        """Why there are no users with so many interests and uploads, or nothing where there are."""
        usable = len(self.usable(points))
        if usable >= interests:
            return ""
        return (
            f"{name}: {interests} classes of {points} uploads are left out, because only {usable} of "
            f"{len(self.query)} query classes have {points + 1} works or more; ask for fewer with --classes or --points"
        )

    def pool_size(self, interests: int) -> int:
        """How many works lie in the pool of a user with so many interests."""
        return interests + min(len(self.noise), self.pool - interests)

    def remarks(self, name: str, interests: int, users: int) -> Iterator[str]:
        """Where a run with at most so many interests differs from the paper's protocol, in words."""
        if (size := self.pool_size(interests)) < POOL:
            yield (
                f"{name}: the pool of a user with {interests} classes holds {size} works, because there are "
                f"{len(self.noise)} of other classes; recall is higher than among {POOL:,}"
                if self.pool >= POOL
                else f"{name}: a pool of {self.pool} works, not {POOL:,}"
            )
        if len(self.query) != QUERY_CLASSES:
            yield f"{name}: {len(self.query)} query classes, not {QUERY_CLASSES} as in the protocol"
        if users < FEWEST_USERS:
            yield f"{users} users in each cell; the protocol asks for {FEWEST_USERS} or more"


def protocol_of(classes: Rows, *, query_classes: int = QUERY_CLASSES, pool: int = POOL) -> Protocol:
    """Part works into query classes and noise; ``classes`` int64 (n,) count the largest as 0, as in `Material`.

    Works without a class belong to no interest, so they are noise.

    Raises:
        RequestError: no classes, or fewer than asked for; no noise, or a pool of less than 2.
    """
    count = int(classes.max(initial=UNKNOWN)) + 1
    if not count:
        raise RequestError(
            f"{query_classes} query classes were asked for, but no work has a class; give the collection a column "
            f"group, or take a data set with classes"
        )
    if not 0 < query_classes <= count or pool < 2:
        raise RequestError(
            f"{query_classes} query classes and a pool of {pool} works were asked for, but the works have {count} "
            f"classes; ask for 1 to {count} with --query-classes, and for a pool of 2 or more"
        )
    noise = np.flatnonzero((classes >= query_classes) | (classes == UNKNOWN))
    if not len(noise):
        raise RequestError(
            f"the {query_classes} query classes are all the classes there are, so nothing is left for noise; ask for "
            f"fewer with --query-classes"
        )
    return Protocol(tuple(np.flatnonzero(classes == each) for each in range(query_classes)), noise, pool)


def simulated_users(
    protocol: Protocol, *, interests: int, points: int, users: int, seed: int, dealt: bool = False
) -> Iterator[SimulatedUser]:
    """Draw users with ``points`` uploads in each of ``interests`` classes; equal arguments give equal users.

    User number u depends on the seed, ``interests``, ``points`` and u alone, so that configurations can be paired.

    Users choose their classes freely, or with ``dealt`` are dealt them as cards: everybody gets ``interests`` of them
    until too few are left, then all are shuffled anew. The released code of the paper deals once.

    Raises:
        RequestError: too few classes are that large, or numbers below 1.
    """
    if min(interests, points, users) < 1 or protocol.pool <= interests:
        raise RequestError(
            f"{users} users with {interests} interests of {points} uploads and pools of {protocol.pool} works were "
            f"asked for; ask for 1 or more of each, and for more works than interests"
        )
    usable = protocol.usable(points)
    if len(usable) < interests:
        raise RequestError(
            f"{interests} interests of {points} uploads were asked for, but {len(usable)} of the {len(protocol.query)} "
            f"query classes have {points + 1} works or more; ask for fewer classes or points"
        )
    for number in range(users):
        random = np.random.default_rng([seed, interests, points, number])
        if dealt:
            deal, hand = divmod(number, len(usable) // interests)
            shuffled = np.random.default_rng([seed, interests, points, deal, len(usable)]).permutation(usable)
            chosen = shuffled[hand * interests : (hand + 1) * interests]
        else:
            chosen = random.choice(usable, interests, replace=False)
        drawn = [random.choice(protocol.query[place], points + 1, replace=False) for place in chosen]
        noise = random.choice(protocol.noise, protocol.pool_size(interests) - interests, replace=False)
        relevant = np.array([rows[-1] for rows in drawn])
        yield SimulatedUser(
            np.concatenate([rows[:-1] for rows in drawn]),
            np.repeat(chosen, points),
            relevant,
            random.permutation(np.concatenate([relevant, noise])),
        )
