"""What a person likes: ratings become weights, uploads become areas of interest."""
