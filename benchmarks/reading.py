"""Reading a table of 100,000 works with 14 columns: seconds of CPU until works, columns and languages are known.

The table is written to a temporary folder. Reading is what `vernissage build` does before it makes vectors: cells,
columns, dates, texts, fingerprint, and the languages of the texts. The aim: at most 10 seconds.

Run: python benchmarks/reading.py [--works 100000]
"""

import argparse
import csv
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from vernissage.catalog.loading import load_collection
from vernissage.encoders.fitted.languages import languages_of

_COLUMNS = [
    "object_number", "title", "artist_name", "display_date", "medium", "description", "keywords", "classification",
    "culture", "place", "dimensions", "credit_line", "department", "link",
]  # fmt: skip
_WORDS = [
    "boat", "river", "harbour", "woman", "portrait", "landscape", "flowers", "still", "life", "battle", "saint",
    "church", "evening", "light", "mountain", "tree", "horse", "dog", "child", "garden", "street", "market", "winter",
    "snow", "sea", "storm", "bridge", "mill", "peasant", "king", "queen",
]  # fmt: skip


def make(path: Path, works: int) -> None:
    """Write the table: short and long cells, cells that repeat, dates in six forms."""
    draw = random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for number in range(works):
            year, words = draw.randrange(1500, 1950), draw.choices(_WORDS, k=32)
            dates = (f"{year}", f"c. {year}", f"{year}-{year + 5}", "early 19th century", "17th century", f"{year}/51")
            rows.writerow([
                f"{year}.{number}", " ".join(words[:4]).title(), f"Artist {draw.randrange(5000)}", draw.choice(dates),
                draw.choice(["Oil on canvas", "Watercolour on paper", "Etching", "Bronze"]),
                f"A {' '.join(words[4:29])} with the {words[0]}.", "; ".join(words[29:]),
                draw.choice(["Painting", "Print", "Drawing"]), draw.choice(["French", "Dutch", "Italian"]),
                draw.choice(["Paris", "Amsterdam", "Rome"]), f"{draw.randrange(10, 90)} x {draw.randrange(10, 90)} cm",
                f"Gift of Mr. {draw.randrange(900)}, {draw.randrange(1900, 2020)}", draw.choice(["Europe", "Prints"]),
                f"https://example.org/works/{number}",
            ])  # fmt: skip


def main() -> None:
    """Print the seconds of CPU of reading and of finding the languages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--works", type=int, default=100_000)
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "works.csv"
        make(path, arguments.works)
        started = time.process_time()
        collection = load_collection(path)
        read = time.process_time()
        languages = languages_of(collection.texts("text"))
        found = time.process_time()
    print(f"{len(collection):,} works, {len(_COLUMNS)} columns, in {', '.join(languages)}")
    print(f"reading {read - started:.1f} s, languages {found - read:.1f} s, together {found - started:.1f} s of CPU")


if __name__ == "__main__":
    main()
