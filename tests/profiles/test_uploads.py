import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.profiles.area import Area
from vernissage.profiles.uploads import UploadProfile, uploaded_side

ROWS = np.eye(3, dtype=np.float32)
AREAS = (Area((0, 2), 0, ROWS[[0, 2]].mean(axis=0)), Area((1,), 1, ROWS[1]))


def test_areas_count_by_their_share_unless_told_otherwise() -> None:
    side = uploaded_side(["a", "b", "c"], ROWS, AREAS)
    assert side.weights == pytest.approx([2 / 3, 1 / 3])
    assert side.emphasis == pytest.approx([1, 1])
    assert side.area_of.tolist() == [0, 1, 0]
    assert side.names == ("", "")
    assert len(side) == 3
    half = uploaded_side(["a", "b", "c"], ROWS, AREAS, weights=[1 / 3, 1 / 3], names=["x", "y"])
    assert half.emphasis == pytest.approx([0.5, 1])


def test_unmuted_areas_stand_by_importance() -> None:
    assert uploaded_side(["a", "b", "c"], ROWS, AREAS, weights=[0.1, 0.9]).unmuted == (1, 0)
    assert uploaded_side(["a", "b", "c"], ROWS, AREAS, weights=[0.5, 0.5]).unmuted == (0, 1)
    assert uploaded_side(["a", "b", "c"], ROWS, AREAS, weights=[0, 0.5]).unmuted == (1,)


def test_a_profile_knows_its_uploads_of_all_modalities() -> None:
    text = uploaded_side(["a", "b", "c"], ROWS, AREAS)
    image = uploaded_side(["a"], ROWS[:1], [Area((0,), 0, ROWS[0])])
    profile = UploadProfile("ann", {"text": text, "image": image})
    assert profile.item_ids == {"a", "b", "c"}
    assert profile.sources == ("image", "text")
    assert UploadProfile("ann", {}).sources == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item_ids": []}, "at least one upload"),
        ({"item_ids": ["a", "b"]}, "2 different uploads"),
        ({"item_ids": ["a", "a", "b"]}, "2 different uploads"),
        ({"areas": AREAS[:1]}, "exactly once"),
        ({"areas": [*AREAS, AREAS[1]]}, "exactly once"),
        ({"weights": [1.0]}, "as many weights"),
        ({"weights": [1.0, -1.0]}, "0 .muted. or more"),
        ({"weights": [1.0, float("nan")]}, "0 .muted. or more"),
        ({"names": ["x"]}, "as many weights and names"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    parts: dict[str, object] = {"item_ids": ["a", "b", "c"], "vectors": ROWS, "areas": AREAS, **change}
    with pytest.raises(RequestError, match=message):
        uploaded_side(**parts)  # type: ignore[arg-type]
