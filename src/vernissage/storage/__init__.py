"""People, their uploads, ratings and area edits, in SQL."""
