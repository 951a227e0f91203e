"""The picture that shows why a topic model has as many topics as it has."""

from io import BytesIO
from pathlib import Path
from typing import Any

from vernissage.encoders.fitted.lda import LDA
from vernissage.errors import EncoderError
from vernissage.files import write_bytes


def save_coherence_curve(lda: LDA, path: Path) -> None:
    """Draw mean topic coherence over the number of topics, the chosen number marked, as PNG; equal models, equal bytes.

    Raises:
        EncoderError: the number of topics was given, or the collection too small to compare any.
    """
    if not lda.coherence:
        raise EncoderError(
            f"{lda.dim} was the only number of topics tried, so there is no curve; fit on more texts, without a number"
        )
    # Matplotlib takes half a second to import, and only this picture needs it.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), dpi=150, layout="constrained")
    _draw(figure.add_subplot(), lda)
    picture = BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    write_bytes(path, picture.getvalue())


def _draw(axes: Any, lda: LDA) -> None:
    numbers = sorted(lda.coherence)
    best = max(lda.coherence.values())
    axes.axhspan(best - lda.coherence_error, best, color="#e9e4d8", label="within one standard error of the best")
    axes.plot(numbers, [lda.coherence[number] for number in numbers], color="#30506d", marker="o", markersize=4)
    chosen = (lda.dim, lda.coherence[lda.dim])
    axes.plot(*chosen, color="#b3402a", marker="o", markersize=10, linestyle="none", label=f"chosen: {lda.dim} topics")
    axes.set_xlabel("number of topics")
    axes.set_ylabel("mean coherence of their words (NPMI, −1 to 1)")
    axes.set_xticks(numbers)
    axes.margins(x=0.08, y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
