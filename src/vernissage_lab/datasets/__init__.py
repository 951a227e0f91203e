"""Captioned picture sets in the formats in which they are published, read to one common value."""
