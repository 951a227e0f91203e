"""Experiments that can be run again: what was asked, with which seed, and what came out."""
