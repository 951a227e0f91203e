"""Figures and the report of experiments."""
