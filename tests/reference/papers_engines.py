"""The lists of the first paper's engines over stored vectors: `python -m tests.reference.papers_engines` writes them.

`papers_engines.npz` has the vectors of 48 works of the sample gallery (`vernissage lab sample -n 48`) by lda and
colour-texture, `papers_engines.json` what the code answered before other engines got other weights of ratings. Vectors
are stored, so that a new version of an encoder changes no list here: whatever does is a change of the engines.
"""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from vernissage.gallery import engines
from vernissage.profiles.ratings import profile_from_ratings
from vernissage.search.exact import exact_index
from vernissage.search.vectors import make_vector_table

PLACE = Path(__file__).with_suffix(".json")
MODALITIES = {"lda": "text", "colour-texture": "image"}
ENGINES = ("late-partial", "late-total", "lda", "colour-texture")
RATINGS = {
    "nine": [5, 1, 4, 2, 3, 5, 1, 3, 4],
    "liked and disliked": [5, 1],
    "disliked": [2, 1, 1],
    "all equal": [4, 4, 4],
    "one": [5],
}


def answers() -> list[dict[str, Any]]:
    """The works and scores that each engine answers these ratings with, and the weights of the ratings."""
    stored = np.load(PLACE.with_suffix(".npz"))
    ids = [str(each) for each in stored["ids"]]
    blank = [""] * len(ids)
    told = {"fingerprint": "f", "collection": "c"}
    indexes = {
        name: exact_index(make_vector_table(stored[name], ids, blank, encoder=name, modality=kind, **told))  # type: ignore[arg-type]
        for name, kind in MODALITIES.items()
    }
    workspace: Any = SimpleNamespace(encoder_names=tuple(MODALITIES))
    found: list[dict[str, Any]] = []
    with mock.patch.object(engines, "index_of_encoder", lambda workspace, name, joint: indexes[name]):
        for what, stars in RATINGS.items():
            profile = profile_from_ratings({ids[5 * place]: star for place, star in enumerate(stars)}, "linear")
            for name in ENGINES:
                for n in (5, 20):
                    ranking = engines.make_engine(workspace, name, n).recommend(profile, n).ranking
                    asked = {"ratings": what, "engine": name, "n": n, "weights": list(map(float, profile.weights))}
                    found.append({**asked, "ids": list(ranking.item_ids), "scores": ranking.scores.tolist()})
    return found


if __name__ == "__main__":
    PLACE.write_text("[\n" + ",\n".join(json.dumps(each) for each in answers()) + "\n]\n", "utf-8")
