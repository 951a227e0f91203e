"""What the collection is, how works are compared, where that ends, and what is kept of visitors."""

from collections.abc import Mapping, Sequence
from typing import Any

from vernissage.encoders import register
from vernissage.gallery.gallery import Gallery
from vernissage.pages.visitor.frame import Frame, rendered
from vernissage.sentences import Sentence
from vernissage.workspace.seeing import tagger_of

LOOKED_AT: Mapping[str, Sentence] = {
    "words": Sentence("which words the texts on two works have in common, by counting them"),
    "topics": Sentence("what the texts are about, by words that often stand together in this collection"),
    "meaning": Sentence("what the texts mean, by a model that has learned from very many texts which words are alike"),
    "colours and textures": Sentence("colours, light and brushwork of the pictures, by measuring them"),
    "forms and motifs": Sentence(
        "forms in the pictures, by a network that was trained on photographs of everyday things"
    ),
    "what is seen": Sentence("what the pictures show, by a network that was trained on photographs of everyday things"),
    "what pictures show": Sentence("what the pictures show, by vectors that others have made of them"),
    "pictures and texts in one space": Sentence(
        "how pictures and texts go together, by a model that has learned from pictures with their descriptions"
    ),
    "how texts fit the pictures": Sentence("how well a text describes a picture, by a model that reads both together"),
}
"""How works are compared and by what kind of model, by the words for what an encoder looks at."""


def about(gallery: Gallery) -> dict[str, Any]:
    """What `about_page` says of a collection, but for what is kept of visitors."""
    workspace = gallery.snapshot.workspace
    used = register.members_of_default(workspace.encoder_names, workspace.manifest.pairs)
    return {
        "works": len(gallery),
        "pictures": sum(map(bool, gallery.collection.texts("picture_digest"))),
        "looked_at": [register.engine_of(each).words for each in used],
        "named_by_software": tagger_of(workspace) is not None,
    }


def about_page(
    frame: Frame, *, works: int, pictures: int, looked_at: Sequence[str], named_by_software: bool, people: bool = False
) -> str:
    """The page.

    Args:
        frame: what stands around it.
        works: how many there are; ``pictures`` how many of them have one.
        looked_at: what is compared of works, of `LOOKED_AT`; each once.
        named_by_software: whether software names what pictures seem to show.
        people: whether visitors can rate or upload anything here.
    """
    told = [LOOKED_AT[each] for each in dict.fromkeys(looked_at)]
    how = {"named_by_software": named_by_software, "people": people}
    return rendered("visitor/about.html", frame, works=works, pictures=pictures, looked_at=told, **how)
