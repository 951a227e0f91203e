"""What a build is asked for, and what it remembers of earlier askings."""

from collections.abc import Sequence
from dataclasses import dataclass

from vernissage.errors import EncoderError
from vernissage.workspace.recipes import RECIPES, Recipe
from vernissage.workspace.workspace import Workspace


@dataclass(frozen=True)
class Settings:
    """What a build is asked for.

    Attributes:
        encoders: names to build, each of which must succeed; None builds all that can be fitted on the collection.
        seed: of every fit.
        topics: number of topics; None chooses by coherence.
    """

    encoders: tuple[str, ...] | None = None
    seed: int = 0
    topics: int | None = None

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON values."""
        return {"encoders": self.encoders and list(self.encoders), "seed": self.seed, "topics": self.topics}


def merged_settings(
    before: Workspace | None, encoders: Sequence[str] | None, seed: int | None, topics: int | None
) -> Settings:
    """What was asked for now, else in the build before, else the defaults."""
    stored = before.manifest.settings if before is not None else {}
    names = encoders if encoders is not None else stored.get("encoders")
    return Settings(
        tuple(names) if names else None,
        seed if seed is not None else int(stored.get("seed", 0)),
        topics if topics is not None else stored.get("topics"),
    )


def wanted_recipes(settings: Settings) -> Sequence[Recipe]:
    """The recipes to make, in order, with those that they need.

    Raises:
        EncoderError: there is no encoder of that name.
    """
    if settings.encoders is None:
        return tuple(RECIPES.values())
    for name in settings.encoders:
        if name not in RECIPES:
            raise EncoderError(f"there is no encoder {name!r}; choose from {', '.join(RECIPES)}")
    needed = {*settings.encoders, *(base for name in settings.encoders for base in RECIPES[name].needs)}
    return [recipe for name, recipe in RECIPES.items() if name in needed]
