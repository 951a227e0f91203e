"""Self-contained pages and pictures that people look at."""
