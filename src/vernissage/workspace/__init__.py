"""One folder that holds a collection's works, models and vectors; written by one, read by many, never half-changed."""
