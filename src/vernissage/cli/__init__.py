"""The command ``vernissage``: arguments, exit codes, progress."""
