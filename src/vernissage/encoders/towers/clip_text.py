"""Texts as CLIP reads them: mended, in lower case, as byte pairs."""

import gzip
import html
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vernissage.encoders.runtime.devices import import_extra
from vernissage.errors import EncoderError

MERGES_FILES = ("bpe_simple_vocab_16e6.txt.gz", "bpe*.txt.gz", "bpe*.txt", "merges.txt")
START, END = "<|startoftext|>", "<|endoftext|>"


def clean_text(text: str) -> str:
    """A text as CLIP was trained on it: broken encodings mended, entities resolved, white space joined, lower case."""
    mended = import_extra("ftfy").fix_text(text)
    return re.sub(r"\s+", " ", html.unescape(html.unescape(mended))).strip().lower()


def fill_prompt(prompt: str | None, text: str) -> str:
    """The prompt with the text in the place of ``{}``; the text itself without a prompt."""
    return text if prompt is None else prompt.replace("{}", text)


def check_prompt(prompt: str | None) -> None:
    """Refuse a prompt that has no place for the text.

    Raises:
        EncoderError: it does not hold ``{}`` exactly once.
    """
    if prompt is not None and prompt.count("{}") != 1:
        raise EncoderError(f"the prompt {prompt!r} must hold {{}} once, where the text goes, as in 'This is {{}}'")


def tokenizer_from_merges(file: Path, vocabulary_size: int) -> Any:
    """CLIP's tokenizer from the list of byte-pair merges of the original code, plain or gzipped.

    The vocabulary is the 256 byte letters, the same as ends of words, one entry for each merge, and the two marks of
    start and end. The published list is longer than what the models know, so that only its beginning is used.

    Raises:
        EncoderError: the list is missing, damaged or too short for the model.
    """
    count = vocabulary_size - 2 * 256 - 2
    merges = _read_merges(file)[: max(count, 0)]
    if len(merges) != count:
        raise EncoderError(
            f"{file} holds {len(merges)} merges, and a model of {vocabulary_size} tokens needs {count}; take the list "
            f"that belongs to the weights"
        )
    return tokenizer_of_merges(merges)


def tokenizer_of_merges(merges: Sequence[tuple[str, str]], *, unused: int = 0) -> Any:
    """CLIP's tokenizer of these merges; ``unused`` entries that no text is made of stand before the two marks."""
    letters = byte_letters()
    words = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    words += [*(f"unused{number}</w>" for number in range(unused)), START, END]
    vocabulary = {word: row for row, word in enumerate(words)}
    return import_extra("transformers").CLIPTokenizer(vocab=vocabulary, merges=list(merges))


def byte_letters() -> list[str]:
    """The visible letters that stand for the 256 bytes, in the order of the vocabulary: printable ones first."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = len(set(range(0x100)) - set(printable))
    return [chr(code) for code in (*printable, *range(0x100, 0x100 + hidden))]


def _read_merges(file: Path) -> list[tuple[str, str]]:
    try:
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        lines = raw.decode().split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise EncoderError(f"cannot read the merges in {file} ({error}); get the file anew") from error
    pairs = (line.split() for line in lines if "#version" not in line)
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]
