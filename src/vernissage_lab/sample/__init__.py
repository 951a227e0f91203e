"""A gallery to try things on: about 240 pictures painted from code, whose hidden factors are known."""

from vernissage_lab.sample.gallery import paint_gallery

__all__ = ["paint_gallery"]
