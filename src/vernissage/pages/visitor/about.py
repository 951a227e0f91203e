"""What the collection is, how works are compared, where that ends, and what is kept of visitors."""

from collections.abc import Mapping, Sequence

from vernissage.pages.visitor.frame import Frame, rendered
from vernissage.sentences import Sentence

LOOKED_AT: Mapping[str, Sentence] = {
    "words": Sentence("which words the texts on two works have in common, by counting them"),
    "topics": Sentence("what the texts are about, by words that often stand together in this collection"),
    "meaning": Sentence("what the texts mean, by a model that has learned from very many texts which words are alike"),
    "colours and textures": Sentence("colours, light and brushwork of the pictures, by measuring them"),
    "forms and motifs": Sentence(
        "forms in the pictures, by a network that was trained on photographs of everyday things"
    ),
    "what is seen": Sentence("what the pictures show, by a network that was trained on photographs of everyday things"),
    "pictures and texts in one space": Sentence(
        "how pictures and texts go together, by a model that has learned from pictures with their descriptions"
    ),
    "how texts fit the pictures": Sentence("how well a text describes a picture, by a model that reads both together"),
}
"""How works are compared and by what kind of model, by the words for what an encoder looks at."""


def about_page(
    frame: Frame, *, works: int, pictures: int, looked_at: Sequence[str], named_by_software: bool, people: bool
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
    return rendered("about.html", frame, works=works, pictures=pictures, looked_at=told, **how)
