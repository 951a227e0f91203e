"""Pictures and texts become vectors; one file per model family."""
