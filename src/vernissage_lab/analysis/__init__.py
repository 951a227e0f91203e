"""Numbers that only experiments need."""
