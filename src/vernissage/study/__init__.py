"""The user study as plain Python: definition, counterbalancing, participation, export; no HTTP."""
