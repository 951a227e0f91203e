"""Where collections come from: one contract, and its implementations."""
