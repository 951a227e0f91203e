"""Numbers from arrays: how good a list is, and whether one engine is better than another."""
