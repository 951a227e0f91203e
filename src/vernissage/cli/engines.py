"""The words for engines, and what each stands for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from vernissage.cli.output import progress_bars
from vernissage.errors import RequestError
from vernissage.recommenders.contract import Recommender
from vernissage.recommenders.late_fusion import FusionMethod, LateFusion
from vernissage.recommenders.pair_weighted import PairsOnDemand, PairWeightedSimilarity
from vernissage.recommenders.rating_weighted import RatingWeightedSimilarity
from vernissage.search.exact import ExactIndex
from vernissage.search.joint import JointRule, join_modalities
from vernissage.search.pair_matrix import PairMatrix
from vernissage.search.pairs import PairScorer, pair_rows
from vernissage.search.vectors import VectorTable
from vernissage.workspace.workspace import Workspace

PAPER_TEXT, PAPER_IMAGE = "lda", "colour-texture"
RESNET = "resnet50"
BY_TEXT = ("lda", "lsa", "tfidf", "sentence", "minilm")
BY_PICTURE = ("colour-texture", RESNET)
BY_BOTH = ("clip", "albef", "dual")
BY_PAIRS = ("blip", "blip2")
PRESET_NOTE = (
    "late-partial and late-total stand for LDA + ResNet-50 in the paper; this workspace has no resnet50, so they run "
    "LDA + colour-texture"
)


@dataclass(frozen=True)
class FusionOptions:
    """How engines joined by ``+`` are fused; None stands for the default of the engine's name.

    ``joint`` says how an encoder of both modalities makes one vector of a work's picture and text.
    """

    method: FusionMethod = "rrf"
    k: float | None = None
    depth: int | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    joint: JointRule = "mean"

    @property
    def given(self) -> bool:
        """Whether any option of a fusion differs from the default."""
        return replace(self, joint="mean") != FusionOptions()


IN_SHORT: Mapping[str, str] = MappingProxyType(
    {
        "lda": "topics",
        "lsa": "words",
        "tfidf": "words",
        "sentence": "meaning",
        "minilm": "meaning",
        "colour-texture": "colours and textures",
        "resnet50": "what is seen",
        **dict.fromkeys(
            ("aligned", "clip", "albef", "dual", "blip-itc", "blip2-itc"), "pictures and texts in one space"
        ),
        **dict.fromkeys(("blip", "blip2"), "how texts fit the pictures"),
    }
)
"""What each engine looks at, for visitors."""

MakeEngine = Callable[[Workspace, int, FusionOptions], Recommender]


def _single(encoder: str, name: str | None = None) -> MakeEngine:
    def make(workspace: Workspace, n: int, options: FusionOptions) -> Recommender:
        if options.given:
            raise RequestError(
                f"fusion options were given, but {encoder} is one engine; join several with +, as in lda+colour-texture"
            )
        return RatingWeightedSimilarity(encoder_index(workspace, encoder, options.joint), name or encoder)

    return make


def _paired(encoder: str) -> MakeEngine:
    def make(workspace: Workspace, n: int, options: FusionOptions) -> Recommender:
        if options.given:
            raise RequestError(f"fusion options were given, but {encoder} is one engine; join several with +")
        if encoder in workspace.manifest.pairs:
            return PairWeightedSimilarity(workspace.pair_matrix(encoder), encoder)
        return _on_demand(workspace, encoder)

    return make


def _on_demand(workspace: Workspace, encoder: str) -> Recommender:
    """Pairs that are read when ratings come, because the workspace keeps none."""
    pictures, texts = workspace.table(encoder, "image"), workspace.table(encoder, "text")

    def read_rows(rated: Sequence[str]) -> PairMatrix:
        scorer = workspace.encoder(encoder)
        if not isinstance(scorer, PairScorer):
            raise RequestError(f"{encoder} does not read pictures and texts together; choose {encoder}-itc")
        with progress_bars() as progress:
            draft = bool(workspace.manifest.settings.get("draft", True))
            return pair_rows(scorer, rated, workspace.collection, text_vectors=texts, draft=draft, progress=progress)

    both = [item_id for item_id in pictures.item_ids if item_id in texts.row_of]
    return PairsOnDemand(both, read_rows, encoder)


def _preset(name: str, *, partial: bool) -> MakeEngine:
    def make(workspace: Workspace, n: int, options: FusionOptions) -> Recommender:
        depth = n if partial and options.method == "rrf" and options.depth is None else options.depth
        return _fused(workspace, (PAPER_TEXT, preset_image(workspace)), options, name, k=0, depth=depth)

    return make


def _zscore(workspace: Workspace, n: int, options: FusionOptions) -> Recommender:
    """Every representation that the workspace has, by z-scores: best over all in offline evaluation."""
    if options.given and replace(options, weights={}).given:
        raise RequestError("late-zscore fuses by z-scores; for another method join engines with +, as in lsa+lda")
    parts = _representations(workspace) or (PAPER_TEXT, PAPER_IMAGE)
    return _fused(workspace, parts, replace(options, method="zscore"), "late-zscore", k=60, depth=None)


ENGINES: Mapping[str, MakeEngine] = MappingProxyType(
    {
        **{name: _single(name) for name in (*BY_TEXT, *BY_PICTURE, *BY_BOTH, "aligned")},
        **{name: _paired(name) for name in BY_PAIRS},
        **{f"{name}-itc": _single(name, f"{name}-itc") for name in BY_PAIRS},
        "late-partial": _preset("late-partial", partial=True),
        "late-total": _preset("late-total", partial=False),
        "late-zscore": _zscore,
    }
)
"""Every word that ``--engine`` takes; words joined by + are fused."""


def make_engine(workspace: Workspace, name: str, n: int, options: FusionOptions | None = None) -> Recommender:
    """The engine of that name for lists of ``n`` works.

    Raises:
        RequestError: there is no such engine, or the workspace lacks its vectors.
    """
    options = options or FusionOptions()
    parts = tuple(part.strip() for part in name.split("+"))
    for part in parts:
        if part not in ENGINES:
            raise RequestError(f"there is no engine {part!r}; choose from {', '.join(ENGINES)}, or join some with +")
    if len(parts) == 1:
        return ENGINES[name](workspace, n, options)
    if len(set(parts)) < len(parts):
        raise RequestError(f"the engine {name!r} names one part twice; give it a weight instead, as in --weight lda=2")
    return _fused(workspace, parts, options, name, k=60, depth=options.depth)


def in_words(name: str, workspace: Workspace) -> str:
    """What an engine looks at, in words for visitors, with its name."""
    presets = {
        "late-partial": (PAPER_TEXT, preset_image(workspace)),
        "late-total": (PAPER_TEXT, preset_image(workspace)),
    }
    parts = presets.get(name) or (_representations(workspace) if name == "late-zscore" else name.split("+"))
    words = list(dict.fromkeys(IN_SHORT[part.strip()] for part in parts))
    listed = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]
    return f"{listed} ({name})"


def preset_notes(name: str, engine: Recommender) -> list[str]:
    """What a person should know of the paper's late fusions in this workspace."""
    parts = [part.name for part in engine.engines] if isinstance(engine, LateFusion) else []
    return [PRESET_NOTE] if name in ("late-partial", "late-total") and RESNET not in parts else []


def default_engine(workspace: Workspace) -> str:
    """The fusion of every representation that the workspace has, or the only one."""
    there = _representations(workspace)
    return there[0] if len(there) == 1 else "late-zscore"


def available_engines(workspace: Workspace) -> list[str]:
    """The engines whose vectors this workspace has."""
    there = _representations(workspace)
    presets = ["late-partial", "late-total"] if {PAPER_TEXT, preset_image(workspace)} <= set(there) else []
    return [*there, *presets, *(["late-zscore"] if len(there) > 1 else [])]


def preset_image(workspace: Workspace) -> str:
    """What stands for pictures in the paper's late fusions: ResNet-50 where the workspace has it."""
    return RESNET if RESNET in workspace.encoder_names else PAPER_IMAGE


def tables_of(engine: Recommender) -> list[VectorTable]:
    """The vectors that an engine compares works by."""
    if isinstance(engine, LateFusion):
        return [table for part in engine.engines for table in tables_of(part)]
    return [engine.index.table] if isinstance(engine, RatingWeightedSimilarity) else []


def encoder_index(workspace: Workspace, encoder: str, joint: JointRule = "mean") -> ExactIndex:
    """The index over an encoder's vectors; pictures and texts joined where it reads both."""
    modalities = workspace.modalities(encoder)
    if len(modalities) == 2:
        pictures, texts = workspace.table(encoder, "image"), workspace.table(encoder, "text")
        return ExactIndex(join_modalities(pictures, texts, joint))
    return workspace.index(encoder, modalities[0] if modalities else "text")


def _representations(workspace: Workspace) -> tuple[str, ...]:
    there = workspace.encoder_names
    vectors = tuple(name for name in (*BY_TEXT, *BY_PICTURE, *BY_BOTH) if name in there)
    return (*vectors, *(name for name in BY_PAIRS if name in workspace.manifest.pairs))


def _fused(
    workspace: Workspace, parts: Sequence[str], options: FusionOptions, name: str, *, k: float, depth: int | None
) -> LateFusion:
    unknown = [part for part in options.weights if part not in parts]
    if unknown:
        raise RequestError(f"a weight was given for {unknown[0]!r}, which is no part of {name} ({', '.join(parts)})")
    return LateFusion(
        [ENGINES[part](workspace, 1, FusionOptions(joint=options.joint)) for part in parts],
        depth=depth,
        k=options.k if options.k is not None else k,
        weights=[options.weights.get(part, 1.0) for part in parts],
        method=options.method,
        name=name,
    )
