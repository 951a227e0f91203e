"""A profile becomes a ranking of works, with reasons."""
