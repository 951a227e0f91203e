"""``python -m vernissage`` is the command ``vernissage``."""

from vernissage.cli.main import main

if __name__ == "__main__":
    main()
