"""The experiments of the papers, and what they left open: one module each."""
