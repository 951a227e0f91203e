"""Vernissage recommends works of a collection to a person, from a handful of ratings, with reasons."""

__version__ = "0.1.0"
