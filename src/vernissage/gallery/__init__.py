"""The application: one door to recommendations, search, people and their areas; every default and every word."""
