"""Encoders that are fitted on a collection, without weights."""
