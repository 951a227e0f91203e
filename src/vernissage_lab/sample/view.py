"""How a picture is laid out and lit: compositions, moods, and the skies that go with them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vernissage_lab.sample.noise import Rng
from vernissage_lab.sample.palettes import Key

Facts = Mapping[str, int]
"""What is to be seen, and how many of each: the picture is painted and the description written from the same."""

MOODS: Mapping[str, Key] = MappingProxyType(
    {
        "calm": Key(0.94, 0.045, 0.95),
        "joyful": Key(0.97, 0.055, 1.18),
        "wistful": Key(0.80, 0.10, 0.68),
        "stormy": Key(0.95, -0.02, 0.95),
        "mysterious": Key(0.84, 0.0, 0.92),
    }
)

COMPOSITIONS = ("low horizon", "high horizon", "centred", "off-centre", "diagonal")

_DAY = {
    "calm": ("low sun", "clear", "fair clouds"),
    "joyful": ("clear", "fair clouds", "low sun"),
    "wistful": ("overcast", "mist"),
    "stormy": ("storm", "rain"),
    "mysterious": ("moon", "mist", "dusk"),
}
_NIGHT = {
    "calm": ("dusk", "moon"),
    "joyful": ("dusk",),
    "wistful": ("mist", "rain"),
    "stormy": ("rain", "storm"),
    "mysterious": ("moon", "mist"),
}


@dataclass(frozen=True)
class View:
    """Where the eye is led, in shares of height and width, and which sky hangs over it.

    Attributes:
        horizon: the horizon's (or the table edge's) distance from the top.
        focus: the main motif's distance from the left.
        slope: how steeply the ground falls to the right, as height over width; 0 where it is level.
        aspect: width over height.
    """

    composition: str
    mood: str
    sky: str
    horizon: float
    focus: float
    slope: float
    aspect: float

    @property
    def away(self) -> int:
        """The side that the main motif leaves free: -1 is the left, 1 the right."""
        return -1 if self.focus >= 0.5 else 1


def choose_view(
    rng: Rng, composition: str, mood: str, *, night: bool = False, upright: bool = False, without: Collection[str] = ()
) -> View:
    """Draw a layout of this composition and a sky of this mood.

    ``upright`` keeps to formats for a figure; ``without`` names skies that the subject cannot have."""
    low, high = {
        "low horizon": (0.68, 0.76), "high horizon": (0.27, 0.34), "centred": (0.48, 0.55),
        "off-centre": (0.57, 0.64), "diagonal": (0.46, 0.54),
    }[composition]  # fmt: skip
    formats = {
        "low horizon": (1.5, 1.3, 1.75, 0.8), "high horizon": (0.78, 1.25, 1.0, 0.75),
        "centred": (1.0, 0.82, 1.0, 1.3), "off-centre": (1.35, 1.5, 0.8), "diagonal": (1.25, 0.78, 1.4),
    }[composition]  # fmt: skip
    side = 1 if rng.random() < 0.5 else -1
    focus = 0.5 + side * {"centred": 0.0, "off-centre": 0.18, "diagonal": 0.14}.get(composition, 0.07)
    slope = side * float(rng.uniform(0.13, 0.2)) if composition == "diagonal" else 0.0
    skies = [sky for sky in (_NIGHT if night else _DAY)[mood] if sky not in without]
    sky = skies[int(rng.integers(len(skies)))]
    aspect = float(rng.choice((0.75, 0.8, 0.88, 1.0) if upright else formats))
    return View(composition, mood, sky, float(rng.uniform(low, high)), focus, slope, aspect)
