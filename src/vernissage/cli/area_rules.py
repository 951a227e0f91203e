"""Words for rules and projections of areas, as commands take them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from vernissage.errors import RequestError
from vernissage.profiles.areas import AreaRule
from vernissage.profiles.coherence import Coherence
from vernissage.profiles.cuts import Silhouette, Ward
from vernissage.profiles.density import Hdbscan
from vernissage.profiles.reduction import TSNE, NoProjection, PrincipalComponents, Projection

_RULES: Mapping[str, Callable[[], AreaRule]] = MappingProxyType(
    {"coherence": Coherence, "silhouette": Silhouette, "hdbscan": Hdbscan}
)
_PROJECTIONS: Mapping[str, Callable[[], Projection]] = MappingProxyType(
    {"none": NoProjection, "pca": PrincipalComponents, "tsne": TSNE}
)


def area_rule(word: str) -> AreaRule:
    """The rule of that name: ``coherence``, ``ward:5``, ``silhouette``, ``hdbscan``.

    Raises:
        RequestError: there is no such rule, or ``ward`` comes without a positive distance.
    """
    name, colon, value = word.strip().partition(":")
    if name == "ward":
        threshold = _number(value)
        if threshold is None:
            raise RequestError(f"the rule {word!r} names no distance to cut Ward's tree at; give one, as in ward:5")
        return Ward(threshold)
    if name not in _RULES or colon:
        raise RequestError(f"there is no rule {word!r}; choose {', '.join(_RULES)} or ward:T, as in ward:5")
    return _RULES[name]()


def area_projection(word: str) -> Projection:
    """The projection of that name: ``none``, ``pca``, ``pca:20``, ``tsne``.

    Raises:
        RequestError: there is no such projection, or ``pca`` comes with something else than a number of components.
    """
    name, colon, value = word.strip().partition(":")
    if name == "pca" and colon:
        components = _number(value)
        if components is None or components < 1 or not components.is_integer():
            raise RequestError(f"the projection {word!r} names no whole number of components; give one, as in pca:20")
        return PrincipalComponents(int(components))
    if name not in _PROJECTIONS or colon:
        raise RequestError(f"there is no projection {word!r}; choose {', '.join(_PROJECTIONS)} or pca:N, as in pca:20")
    return _PROJECTIONS[name]()


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
