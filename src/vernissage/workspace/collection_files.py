"""The collection of a workspace as files: its works, and the counts of its words that areas are named against."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vernissage.catalog.collection import Collection, read_collection, save_collection
from vernissage.encoders.fitted.languages import language_code
from vernissage.encoders.fitted.words import fitted_language
from vernissage.errors import ProvenanceError
from vernissage.files import Seal, int32_array, open_parquet, read_checked, seal_of, text_array, write_parquet

if TYPE_CHECKING:
    from vernissage.profiles.naming import WordCounts

_WORKS_COUNTED = 10_000
_CARD = b"vernissage"
_SCHEMA = pa.schema([pa.field("word", pa.string(), nullable=False), pa.field("works", pa.int32(), nullable=False)])


def keep_collection(
    collection: Collection,
    workspace: Path,
    known: Mapping[str, Mapping[str, Any]],
    languages: Sequence[str] = (),
) -> tuple[Collection, dict[str, Any]]:
    """Write the works and count their words, unless files of the ``known`` seals hold both already.

    ``languages`` are those of the texts; without, they are found.

    Returns the collection opened from its file, so that memory no longer holds it, and what a `Manifest` says of it:
    ``collection``, ``words`` and ``seals``.

    Raises:
        WorkspaceError: a file cannot be written.
    """
    works, begin = (f"{kind}-{collection.fingerprint}" for kind in ("works", "words"))
    former = next((name for name in known if name.startswith(begin) and not languages), "")
    works = f"{works}.parquet"
    seals: dict[str, Any] = {}

    def keep(name: str, write: Callable[[Path], None]) -> Seal:
        try:
            Seal(**known[name]).require(workspace / name, whole=True)
        except (KeyError, ProvenanceError):
            write(workspace / name)
        seals[name] = asdict(seal := seal_of(workspace / name))
        return seal

    seal = keep(works, lambda path: save_collection(collection, path))
    opened = read_collection(workspace / works, collection.folder, collection.report, seal=seal)
    language = "" if former else fitted_language(opened.texts("text"), languages or named_languages(opened))
    # The usual name stands for English, as it did when words were read in English alone.
    words = former or f"{begin}{'' if language == 'en' else '-' + language.replace('+', '-')}.parquet"
    told = language or "+".join(words.removesuffix(".parquet").split("-")[2:]) or "en"
    keep(words, lambda path: save_word_counts(count_words(opened, told), path))
    return opened, {"collection": works, "words": words, "seals": seals}


def named_languages(collection: Collection) -> tuple[str, ...]:
    """The languages that works name, the commonest first, if most of those with a text do."""
    named = [code for tag in collection.texts("language") if (code := language_code(tag))]
    written = sum(map(bool, collection.texts("text")))
    return tuple(dict(Counter(named).most_common())) if 2 * len(named) > written else ()


def count_words(collection: Collection, language: str = "en") -> "WordCounts":
    """In how many works each word stands; of 20,000 works and more, of 10,000 spread evenly."""
    from vernissage.profiles.naming import count_words_of_works, words_of_work

    step = max(1, len(collection) // _WORKS_COUNTED)
    return count_words_of_works([words_of_work(item, language) for item in collection.items[::step]], language)


def save_word_counts(counts: "WordCounts", path: Path) -> None:
    """Write counts as Parquet, in the order of the words; equal counts give equal bytes.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    words, told = sorted(counts.counts), {"language": counts.language} if counts.language != "en" else {}
    columns = [text_array(words), int32_array(counts.counts[word] for word in words)]
    schema = _SCHEMA.with_metadata({_CARD: json.dumps({"works": counts.works} | told).encode()})
    write_parquet(path, schema, pa.Table.from_arrays(columns, schema=schema).to_batches())


def read_word_counts(path: Path, seal: Seal) -> "WordCounts":
    """Read what `save_word_counts` wrote. Raises ProvenanceError: the file is missing or damaged."""
    from vernissage.profiles.naming import WordCounts

    seal.require(path)

    def read() -> WordCounts:
        table = open_parquet(path).read(use_threads=False)
        words, works = (table.column(name).to_pylist() for name in _SCHEMA.names)
        card = json.loads(table.schema.metadata[_CARD])
        return WordCounts(card["works"], dict(zip(words, works, strict=True)), card.get("language", "en"))

    return read_checked(path, read)
