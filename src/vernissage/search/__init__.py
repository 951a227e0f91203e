"""Vectors with their provenance, and the nearest of them to a query."""
