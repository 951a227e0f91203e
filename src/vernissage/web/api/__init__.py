"""The REST API under /api/v1: works, search, recommendations, and the people who use them."""
