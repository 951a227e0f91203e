import numpy as np
import pytest

from vernissage.errors import RequestError
from vernissage.profiles.areas import Area
from vernissage.profiles.ratings import RatedVectors
from vernissage.profiles.uploads import UploadProfile, uploads_of_modality

ROWS = np.eye(3, dtype=np.float32)
AREAS = (Area((0, 2), 0, ROWS[[0, 2]].mean(axis=0)), Area((1,), 1, ROWS[1]))


def test_areas_count_by_their_share_unless_told_otherwise() -> None:
    uploads = uploads_of_modality(["a", "b", "c"], ROWS, AREAS)
    assert uploads.weights == pytest.approx([2 / 3, 1 / 3])
    assert uploads.emphasis == pytest.approx([1, 1])
    assert uploads.area_of.tolist() == [0, 1, 0]
    assert uploads.names == ("", "")
    assert len(uploads) == 3
    half = uploads_of_modality(["a", "b", "c"], ROWS, AREAS, weights=[1 / 3, 1 / 3], names=["x", "y"])
    assert half.emphasis == pytest.approx([0.5, 1])


def test_works_that_count_less_than_an_upload_weigh_less_in_the_share_of_their_area() -> None:
    uploads = uploads_of_modality(["a", "b", "c"], ROWS, AREAS, counts=[1, 0.5, 0.5])
    assert uploads.weights == pytest.approx([1.5 / 2, 0.5 / 2])
    assert uploads.emphasis == pytest.approx([1, 1])
    muted = uploads_of_modality(["a", "b", "c"], ROWS, AREAS, weights=[0, 0.5], counts=[1, 0.5, 0.5])
    assert muted.emphasis == pytest.approx([0, 2])


def test_unmuted_areas_stand_by_importance() -> None:
    assert uploads_of_modality(["a", "b", "c"], ROWS, AREAS, weights=[0.1, 0.9]).unmuted == (1, 0)
    assert uploads_of_modality(["a", "b", "c"], ROWS, AREAS, weights=[0.5, 0.5]).unmuted == (0, 1)
    assert uploads_of_modality(["a", "b", "c"], ROWS, AREAS, weights=[0, 0.5]).unmuted == (1,)


def test_a_profile_knows_its_uploads_of_all_modalities() -> None:
    text = uploads_of_modality(["a", "b", "c"], ROWS, AREAS)
    image = uploads_of_modality(["a"], ROWS[:1], [Area((0,), 0, ROWS[0])])
    profile = UploadProfile("ann", {"text": text, "image": image})
    assert profile.item_ids == {"a", "b", "c"}
    assert profile.sources == ("image", "text")
    assert UploadProfile("ann", {}).sources == ()
    low = RatedVectors(("z",), ROWS[:1], np.ones(1))
    assert UploadProfile("ann", {"text": text}, {"text": low}).item_ids == {"a", "b", "c", "z"}


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
        ({"counts": [1.0, 1.0]}, "as many counts above 0"),
        ({"counts": [1.0, 0.0, 1.0]}, "as many counts above 0"),
        ({"names": ["x"]}, "as many weights and names"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    parts: dict[str, object] = {"item_ids": ["a", "b", "c"], "vectors": ROWS, "areas": AREAS, **change}
    with pytest.raises(RequestError, match=message):
        uploads_of_modality(**parts)  # type: ignore[arg-type]
