"""Works of classes that lie on axes of their own, so that what a protocol must find is known."""

import numpy as np

from vernissage.encoders.contract import unit_rows
from vernissage.values import Modality, Vectors
from vernissage_lab.material import Material, material_of

QUERY, NOISE, WORKS = 6, 4, 14
"""Classes that are asked for, each with as many works; and classes of noise, each with some fewer."""


def separable(*, blur: float = 0.02, modalities: tuple[Modality, ...] = ("image", "text"), seed: int = 0) -> Material:
    """Six classes of 14 works, four of 12, each along its own axis; pictures and texts of a class share the axis."""
    sizes = [WORKS] * QUERY + [WORKS - 2] * NOISE
    classes = np.repeat(np.arange(QUERY + NOISE), sizes)
    random = np.random.default_rng(seed)
    vectors: dict[Modality, Vectors] = {}
    for modality in modalities:
        rows = np.eye(QUERY + NOISE + 2)[classes] + random.normal(0, blur, (len(classes), QUERY + NOISE + 2))
        vectors[modality] = unit_rows(rows)
    names = [f"class{each}" for each in classes]
    words = {f"w{row:06d}": (f"tag{each}", "work") for row, each in enumerate(classes)}
    tags = dict.fromkeys(modalities, words)
    return material_of(vectors, names, tags=tags, fingerprint="separable", encoder="axes", encoder_fingerprint="f")
