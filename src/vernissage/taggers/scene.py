"""What is in a picture and what happens in it: detected objects with the verbs of its caption."""

from collections.abc import Sequence

from PIL import Image

from vernissage.errors import EncoderError
from vernissage.files import digest
from vernissage.taggers.caption import BLIPCaptioner
from vernissage.taggers.contract import Tags, once
from vernissage.taggers.folders import weights_of
from vernissage.taggers.objects import ObjectTagger
from vernissage.taggers.words import WordTagger


class SceneTagger:
    """Detected objects, then the verbs of the caption.

    The tagger of pictures of D'Asaro et al. (doi 10.1016/j.eswa.2024.125108, section 4.4), by other models.
    """

    name = "scene"

    def __init__(self, objects: ObjectTagger, captioner: BLIPCaptioner, verbs: WordTagger) -> None:
        """Join a detector with a captioner.

        Raises:
            EncoderError: the tagger of words keeps others than verbs.
        """
        if verbs.kinds != ("verb",):
            raise EncoderError(f"a scene takes verbs from captions, but {', '.join(verbs.kinds)} were to be tagged")
        self.objects, self.captioner, self.verbs = objects, captioner, verbs
        parts = (objects.fingerprint, captioner.fingerprint, verbs.fingerprint)
        self.fingerprint = digest(*(part.encode() for part in parts))[:16]

    @property
    def size(self) -> int:
        return max(self.objects.size, self.captioner.preprocessing.size)

    @property
    def method(self) -> str:
        captions = f"captions by BLIP ({weights_of(self.captioner.state)})"
        return f"{self.objects.method}; and of {captions}, {self.verbs.method}"

    def tag_images(self, images: Sequence[Image.Image]) -> list[Tags]:
        verbs = self.verbs.tag_texts(self.captioner.captions(images))
        return [once(objects + done) for objects, done in zip(self.objects.tag_images(images), verbs, strict=True)]
