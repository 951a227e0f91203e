"""One area of interest: uploads that belong together."""

from dataclasses import dataclass

from vernissage.values import Vectors


@dataclass(frozen=True, eq=False)
class Area:
    """Uploads of one modality that belong together, and what stands for them in a search.

    Attributes:
        members: rows of the uploads' vectors, ascending.
        medoid: the member row with the highest mean cosine to the members, which is the one nearest to the centroid of
            their unit vectors; ties go to the smallest row.
        centroid: float32 (dim,), the mean of the members' vectors as they were given, not scaled to unit length.
    """

    members: tuple[int, ...]
    medoid: int
    centroid: Vectors

    def __len__(self) -> int:
        return len(self.members)
