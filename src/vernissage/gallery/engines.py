"""The words for engines, what each stands for, and every default."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from vernissage.encoders import register
from vernissage.errors import RequestError
from vernissage.gallery.selecting import KINDS
from vernissage.progress import Progress, silent
from vernissage.recommenders.contract import Engine, Recommender
from vernissage.recommenders.late_fusion import FusionMethod, LateFusion
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.joint import JointRule
from vernissage.sentences import Sentence
from vernissage.values import Index, Modality, encoded_as
from vernissage.workspace.workspace import Workspace

if TYPE_CHECKING:
    from vernissage.search.pair_matrix import PairMatrix

PRESET_TEXTS = "lda"
PRESET_PICTURES = ("resnet50", "efficientnet-lite0", "colour-texture")
"""What stands for pictures in the first paper's late fusions: the first of these that the workspace has."""

PRESETS = ("late-partial", "late-total")
ALL = "late-zscore"
ZCCR = "zccr"
"""The second paper's system, which recommends for what a person uploaded; all others recommend for ratings."""
STUDIED = (*PRESETS, "clip", "blip")
"""The engines of the first paper's study (Yilma & Leiva, UMAP 2023)."""

PRESET_NOTE = (
    "late-partial and late-total stand for LDA + ResNet-50 in the paper; this workspace has no resnet50, so they run "
    "LDA + {pictures}"
)


@dataclass(frozen=True)
class Fusion:
    """How engines joined by ``+`` are fused; None stands for the default of the engine's name.

    Attributes:
        method: ``rrf``, ``minmax`` or ``zscore``.
        k: constant of rrf; 0 in the presets, else 60.
        depth: how many works of each engine rrf looks at; all where None.
        weights: of engines; 1 where not named. Without any, the default engine has those that the build has learned
            (`fusion_weights`).
        joint: how an encoder of both modalities makes one vector of a work's picture and text.
    """

    method: FusionMethod = "rrf"
    k: float | None = None
    depth: int | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    joint: JointRule = "mean"


def make_engine(
    workspace: Workspace, name: str, n: int, fusion: Fusion | None = None, progress: Progress = silent
) -> Engine | LateFusion:
    """The engine of that name for lists of ``n`` works.

    Raises:
        RequestError: there is no such engine, or the workspace lacks its vectors.
    """
    fusion = fusion or Fusion()
    alone = {**register.engines(), **{each: register.engine_of(each) for each in _imported(workspace)}}
    parts = [part.strip() for part in name.split("+")]
    for part in parts:
        if part not in alone and part not in (*PRESETS, ALL):
            words = ", ".join([*alone, *PRESETS, ALL])
            none = f"{ZCCR} is for what --owner uploaded" if part == ZCCR else f"there is no engine {part!r}"
            raise RequestError(f"{none}; choose from {words}, or join some with +")
    if len(parts) > 1:
        if len(set(parts)) < len(parts):
            raise RequestError(
                f"the engine {name!r} names one part twice; give it a weight instead, as in --weight lda=2"
            )
        return _fused(workspace, parts, name, fusion, 60, progress)
    [word] = parts
    if word in PRESETS:
        if word == "late-partial" and fusion.method == "rrf" and fusion.depth is None:
            fusion = replace(fusion, depth=n)
        return _fused(workspace, [PRESET_TEXTS, preset_pictures(workspace)], word, fusion, 0, progress)
    if word == ALL:
        if replace(fusion, weights={}, joint="mean") != Fusion():
            raise RequestError(f"{ALL} fuses by z-scores; for another method join engines with +, as in lsa+lda")
        there = _representations(workspace) or (PRESET_TEXTS, PRESET_PICTURES[-1])
        learned = {part: float(each["weight"]) for part, each in workspace.manifest.weights.items() if part in there}
        fusion = fusion if fusion.weights else replace(fusion, weights=learned)
        return _fused(workspace, there, ALL, replace(fusion, method="zscore"), 60, progress)
    if replace(fusion, joint="mean") != Fusion():
        raise RequestError(
            f"fusion options were given, but {alone[word].encoder} is one engine; join several with +, as in "
            f"lda+colour-texture"
        )
    return _single(workspace, alone[word], fusion.joint, progress)


def require_person_engine(word: str | None) -> str | None:
    """The word for what recommends for a person's uploads as published; None for the default.

    Raises:
        RequestError: it is another word.
    """
    if word not in (None, ZCCR):
        raise RequestError(
            f"there is no engine {word!r} for what a person uploaded; choose {ZCCR}, or leave it out and say whose "
            f"vectors by --encoder, how they are joined by --fusion"
        )
    return word


def _fused(
    workspace: Workspace, parts: Sequence[str], name: str, fusion: Fusion, k: float, progress: Progress
) -> LateFusion:
    """Several engines as one; ``k`` stands where the fusion names none."""
    if unknown := [part for part in fusion.weights if part not in parts]:
        raise RequestError(f"a weight was given for {unknown[0]!r}, which is no part of {name} ({', '.join(parts)})")
    if nested := [part for part in parts if part in (*PRESETS, ALL)]:
        raise RequestError(f"{nested[0]} is a fusion already and cannot be part of one; join single engines with +")
    return LateFusion(
        [_single(workspace, register.engine_of(part), fusion.joint, progress) for part in parts],
        depth=fusion.depth,
        k=fusion.k if fusion.k is not None else k,
        weights=[fusion.weights.get(part, 1.0) for part in parts],
        method=fusion.method,
        name=name,
    )


def _single(workspace: Workspace, engine: register.Engine, joint: JointRule, progress: Progress) -> Engine:
    """An engine by one encoder's vectors or pairs; where the workspace keeps no pairs, they are read for the ratings.

    What reads pairs is imported here, for few workspaces have them.
    """
    encoder = engine.encoder
    if engine.by == "vectors":
        return RatingWeightedSimilarity(index_of_encoder(workspace, encoder, joint), engine.name)
    from vernissage.recommenders.pair_weighted import PairsOnDemand, PairWeightedSimilarity
    from vernissage.search.pairs import PairScorer, pair_rows

    if encoder in workspace.manifest.pairs:
        return PairWeightedSimilarity(workspace.pair_matrix(encoder), encoder, workspace.collection)
    pictures, texts = workspace.table(encoder, "image"), workspace.table(encoder, "text")

    def read_rows(rated: Sequence[str]) -> "PairMatrix":
        scorer = workspace.encoder(encoder)
        if not isinstance(scorer, PairScorer):
            raise RequestError(f"{encoder} does not read pictures and texts together; choose {encoder}-itc")
        return pair_rows(scorer, rated, workspace.collection, draft=workspace.draft, progress=progress)

    both = [item_id for item_id in pictures.item_ids if item_id in texts.item_ids]
    return PairsOnDemand(both, read_rows, encoder, workspace.collection)


def default_engine(workspace: Workspace) -> str:
    """The fusion of every representation that the workspace has, or the only one."""
    there = _representations(workspace)
    return there[0] if len(there) == 1 else ALL


def available_engines(workspace: Workspace) -> list[str]:
    """The engines whose vectors this workspace has."""
    there = _representations(workspace)
    presets = PRESETS if {PRESET_TEXTS, preset_pictures(workspace)} <= set(there) else ()
    return [*there, *presets, *([ALL] if len(there) > 1 else [])]


def study_engines(workspace: Workspace) -> list[str]:
    """At most four engines for a study: those of the first paper's that are there, or what comes nearest to them.

    Its late fusions, CLIP and BLIP, which reads pairs where they were read beforehand; then other encoders of pictures
    and texts, the strongest first. Where these are fewer than two: the default engine, and encoders by themselves.
    """
    there, pairs = available_engines(workspace), workspace.manifest.pairs
    joint = [
        each
        for each in register.engines().values()
        if len(workspace.modalities(each.encoder)) == 2 and (each.by == "pairs") == (each.encoder in pairs)
    ]
    joint.sort(key=lambda each: (each.encoder not in STUDIED, -register.card(each.encoder).preference))
    found = [*(name for name in PRESETS if name in there), *(each.name for each in joint)]
    if len(found) < 2:
        alone = sorted(_representations(workspace), key=lambda name: -register.card_of(name).preference)
        found += [name for name in dict.fromkeys((default_engine(workspace), *alone)) if name not in found]
    return found[: len(STUDIED)]


def engine_words(name: str, workspace: Workspace | None = None) -> str:
    """What an engine looks at, in words for visitors."""
    if name in PRESETS:
        parts: Sequence[str] = (PRESET_TEXTS, preset_pictures(workspace) if workspace else PRESET_PICTURES[-1])
    elif name == ALL:
        parts = _representations(workspace) if workspace else ()
    else:
        parts = [part.strip() for part in name.split("+")]
    names = dict.fromkeys(register.engine_of(part).words for part in parts) or ["all that is known of works"]
    words = tuple(map(Sentence, names))
    return Sentence("{some} and {last}", some=words[:-1], last=words[-1]) if len(words) > 1 else words[0]


def preset_notes(name: str, engine: Recommender) -> list[str]:
    """What a person should know of the paper's late fusions in this workspace."""
    parts = [part.name for part in engine.engines] if isinstance(engine, LateFusion) else []
    return (
        [Sentence(PRESET_NOTE, pictures=parts[-1] if parts else PRESET_PICTURES[-1])]
        if name in PRESETS and PRESET_PICTURES[0] not in parts
        else []
    )


def preset_pictures(workspace: Workspace) -> str:
    """What stands for pictures in the paper's late fusions."""
    return next((name for name in PRESET_PICTURES if name in workspace.encoder_names), PRESET_PICTURES[-1])


def search_encoder(workspace: Workspace, source: Modality, target: Modality) -> str:
    """The best encoder that is there for finding works' ``target`` by a ``source``.

    Raises:
        RequestError: none is there.
    """
    names = [name for name in workspace.encoder_names if workspace.reads(name, source)]
    available = {name: workspace.modalities(name) for name in names}
    if source == "text":
        installed = (name for name in _imported(workspace) if target in available.get(name, ()))
        there = (*register.for_words(available, target), *installed)
    else:
        needed = {target, *encoded_as([source])}
        able = [name for name in register.for_areas(available) if needed <= set(available[name])]
        there = tuple(sorted(able, key=lambda name: not register.card_of(name).in_fusion))
    if source == target == "text" and workspace.lexicon.language.startswith("en"):
        # BM25 knows the words already: beside it, what was trained on English adds more than what knows these words.
        readers = [card for card in map(register.card_of, there) if card.modalities == ("text",)]
        there = (*(card.name for card in readers if card.trained_elsewhere), *there)
    if there:
        return there[0]
    mute = next((why for name in workspace.encoder_names if (why := workspace.why_mute(name))), "")
    told = mute or "build it with aligned or clip"
    raise RequestError(f"no encoder of this workspace finds {KINDS[target]} by {KINDS[source]}; {told}")


def _imported(workspace: Workspace) -> list[str]:
    """The encoders of vectors that were made elsewhere by models that the register does not know."""
    return [name for name in workspace.encoder_names if name not in register.cards()]


def indexes_of(engine: Recommender) -> list[Index]:
    """The indexes that an engine compares works by."""
    if isinstance(engine, LateFusion):
        return [index for part in engine.engines for index in indexes_of(part)]
    return [engine.index] if isinstance(engine, RatingWeightedSimilarity) else []


def index_of_encoder(workspace: Workspace, encoder: str, joint: JointRule = "mean") -> Index:
    """The index over an encoder's vectors, pictures and texts joined where it reads both; kept by the workspace."""
    modalities = workspace.modalities(encoder)
    if len(modalities) > 1:
        return workspace.joint_index(encoder, joint)
    return workspace.index(encoder, modalities[0] if modalities else "text")


def _representations(workspace: Workspace) -> tuple[str, ...]:
    """What the default engine fuses: every encoder's vectors, and pairs where they were read beforehand."""
    return register.members_of_default(workspace.encoder_names, workspace.manifest.pairs)
