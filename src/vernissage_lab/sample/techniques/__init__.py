"""The techniques: each one translates a finished study into paint, print or line."""
