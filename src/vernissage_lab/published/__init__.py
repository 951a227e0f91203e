"""What others have published: their values, and which of ours they correspond to."""
