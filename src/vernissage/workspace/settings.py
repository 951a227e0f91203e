"""What a build is asked for, and what it remembers of earlier askings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vernissage.encoders.runtime import Runtime
from vernissage.errors import EncoderError
from vernissage.workspace.pretrained import PRETRAINED, pretrained_recipe
from vernissage.workspace.recipes import RECIPES, Recipe
from vernissage.workspace.workspace import Workspace

USUAL_PAIRS = 50


@dataclass(frozen=True)
class Settings:
    """What a build is asked for.

    Attributes:
        encoders: encoders to fit, each of which must succeed; None fits all that can be fitted on the collection.
        weights: encoders with weights, and where those are; empty for the hub or for encoders that bring their own.
        seed: of every fit.
        topics: number of topics; None chooses by coherence.
        pairs: how many texts are read together with each picture, the most promising ones; 0 for all, -1 for none.
    """

    encoders: tuple[str, ...] | None = None
    weights: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    topics: int | None = None
    pairs: int = USUAL_PAIRS

    def to_dict(self) -> dict[str, object]:
        """The settings as JSON values."""
        names = None if self.encoders is None else list(self.encoders)
        plain = {"seed": self.seed, "topics": self.topics, "pairs": self.pairs}
        return {"encoders": names, "weights": dict(self.weights), **plain}

    def is_named(self, encoder: str) -> bool:
        """Whether somebody asked for that encoder by name, so that it may not be left out."""
        return self.encoders is not None or encoder in self.weights


def merged_settings(
    before: Workspace | None,
    encoders: Sequence[str] | None,
    seed: int | None,
    topics: int | None,
    weights: Mapping[str, Path],
    pairs: int | None = None,
) -> Settings:
    """What was asked for now on top of what was asked for in the build before.

    Raises:
        EncoderError: there is no encoder of that name, or weights were named for one that is not asked for.
    """
    stored = before.manifest.settings if before is not None else {}
    asked = tuple(encoders or ())
    for name in asked:
        if name not in RECIPES and name not in PRETRAINED:
            raise EncoderError(f"there is no encoder {name!r}; choose from {', '.join((*RECIPES, *PRETRAINED))}")
    places = dict(stored.get("weights", {})) | {name: "" for name in asked if name in PRETRAINED}
    for name, place in weights.items():
        if name not in places:
            raise EncoderError(f"weights were named for {name!r}, which is not asked for; add --encoder {name}")
        places[name] = place.resolve().as_posix()
    return Settings(
        _fitted(stored, [name for name in asked if name in RECIPES], first=before is None and bool(asked)),
        places,
        seed if seed is not None else int(stored.get("seed", 0)),
        topics if topics is not None else stored.get("topics"),
        pairs if pairs is not None else int(stored.get("pairs", USUAL_PAIRS)),
    )


def wanted_recipes(settings: Settings, runtime: Runtime) -> Sequence[Recipe]:
    """The recipes to make, in order, with those that they need."""
    with_weights = [pretrained_recipe(name, place, runtime) for name, place in settings.weights.items()]
    if settings.encoders is None:
        return (*RECIPES.values(), *with_weights)
    needed = {*settings.encoders, *(base for name in settings.encoders for base in RECIPES[name].needs)}
    return [*(recipe for name, recipe in RECIPES.items() if name in needed), *with_weights]


def _fitted(stored: Mapping[str, object], asked: Sequence[str], *, first: bool) -> tuple[str, ...] | None:
    """The encoders to fit: those asked for in a first build; later, those there and those asked for; None means all."""
    if first:
        return tuple(asked)
    names = stored.get("encoders")
    return tuple(dict.fromkeys((*names, *asked))) if isinstance(names, list) else None
