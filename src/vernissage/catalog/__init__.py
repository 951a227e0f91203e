"""The works of a collection, read from what museums export; immutable."""
