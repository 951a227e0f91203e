"""Encoders for a captioned set, loaded or fitted on a part of it, and its vectors: kept below the folder of a run.

models/ENCODER-KEY/               a workspace, built of the part that the encoder was fitted on
sets/FINGERPRINT.json             what that part holds
vectors/ENCODER.MODALITY-KEY.*    vectors and their card; KEY stands for set and encoder
building/                         finished blocks of an encoding under way
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vernissage.catalog.loading import load_collection
from vernissage.encoders.fitted.aligned import FEWEST_PAIRS
from vernissage.encoders.loading import load_pretrained
from vernissage.encoders.raw_lengths import SCALED_IN_PRINT, RawLengths
from vernissage.encoders.register import card, cards, names
from vernissage.errors import EncoderError, ProvenanceError, RequestError
from vernissage.files import digest, write_json
from vernissage.progress import Progress, silent
from vernissage.search.vectors import VectorTable, card_file
from vernissage.values import Modality
from vernissage.workspace.build import build_workspace
from vernissage.workspace.encoding import derived_table, encode_collection
from vernissage.workspace.state import is_workspace
from vernissage.workspace.workspace import Workspace, open_workspace
from vernissage_lab.datasets.captioned import CaptionedSet, described
from vernissage_lab.datasets.works import SetSource, readable

WHOLE = "whole"
USUAL = "aligned"
"""What a set is encoded by where nothing is named."""


@dataclass(frozen=True, eq=False)
class SetEncoder:
    """An encoder for a set, and what it was fitted on.

    Attributes:
        encoder: loaded or fitted.
        fitted_on: in words, for records and reports; "nothing of this set" for encoders with weights.
        workspace: in which it was fitted, with the encoders that it was made from; None for encoders with weights.
    """

    encoder: Any
    fitted_on: str
    workspace: Workspace | None = None

    @property
    def modalities(self) -> frozenset[Modality]:
        """What it reads."""
        found: frozenset[Modality] = self.encoder.modalities
        return found

    @property
    def variant(self) -> str:
        """Which of the models that share the encoder's name; empty where the encoder does not say."""
        return str(getattr(self.encoder, "variant", ""))


def checked_encoders(words: Sequence[str], weights: Path | None, *, both: bool = False) -> list[str]:
    """The encoders, each once, all looked at before one of them is fitted or encodes.

    Raises:
        RequestError: there is no such encoder, weights are given for one that has none, or it reads pictures or texts
            alone where ``both`` are needed.
    """
    found, known = list(dict.fromkeys(words)), cards()
    for name in found:
        if name not in known:
            raise RequestError(f"there is no encoder {name!r}; choose from {', '.join(known)}")
        if weights is not None and not known[name].pretrained:
            raise RequestError(f"{name} is fitted on the data and has no weights; leave --weights out, or name another")
        if both and len(known[name].modalities) < 2:
            able = ", ".join(each for each, encoder in known.items() if len(encoder.modalities) > 1)
            raise RequestError(f"{name} does not read both pictures and texts; choose one that does: {able}")
    return found


def set_encoder(
    found: CaptionedSet,
    name: str,
    folder: Path,
    *,
    weights: Path | None = None,
    part: str = "",
    seed: int = 0,
    progress: Progress = silent,
) -> SetEncoder:
    """An encoder with weights, or one fitted on a part of the set (see `fit_set_encoder`).

    Raises:
        EncoderError: there is no such encoder, or as in `load_pretrained` and `fit_set_encoder`.
    """
    if not card(name).pretrained:
        return fit_set_encoder(found, name, folder, part=part, seed=seed, progress=progress)
    return SetEncoder(load_pretrained(name, weights, progress=progress), "nothing of this set")


def fit_set_encoder(
    found: CaptionedSet, name: str, folder: Path, *, part: str = "", seed: int = 0, progress: Progress = silent
) -> SetEncoder:
    """An encoder that the product's build fits on a set, or that is read from ``folder`` where it did so before.

    Every picture is one document for the fit: all its captions, joined. Pictures whose files are missing have no part
    in the fit of an encoder that reads pictures.

    Args:
        name: lda, lsa, tfidf, colour-texture or aligned.
        part: ``train``, or ``whole``; empty means the training part where the set has one, the whole where not.

    Raises:
        EncoderError: there is no such encoder, or the set is too small for it.
        DatasetError: the set has no training part, or no pictures for an encoder that reads them.
        CollectionError: a picture cannot be opened.
    """
    if name not in names("fitted"):
        raise EncoderError(
            f"{name!r} cannot be fitted on a set; choose from {', '.join(names('fitted'))}, or load one of "
            f"{', '.join(names('pretrained'))}"
        )
    chosen = part or ("train" if "train" in found.splits else WHOLE)
    fitted_set = found if chosen == WHOLE else found.part(chosen)  # type: ignore[arg-type]  # refuses other words
    if card(name).derived_from and len(fitted_set.images) < FEWEST_PAIRS:
        raise EncoderError(
            f"{name} is fitted on {FEWEST_PAIRS} works or more, but {found.name} has {len(fitted_set.images)} for it; "
            f"take a larger set, or an encoder with weights"
        )
    works = readable(fitted_set, pictures="image" in card(name).modalities)
    home = folder / "models" / f"{name}-{key_of(works.fingerprint, str(seed))}"
    workspace = open_workspace(home) if is_workspace(home) else None
    if workspace is None or not workspace.manifest.complete:
        told = folder / "sets" / f"{works.fingerprint}.json"
        write_json(told, described(works))
        source = SetSource(works, told)
        workspace = build_workspace(source, home, encoders=[name], seed=seed, progress=progress).workspace
    on = f"the {'whole' if chosen == WHOLE else f'part {chosen}'} of {found.name}, {len(works.images)} works"
    return SetEncoder(workspace.encoder(name), on, workspace)


def embedded(
    found: CaptionedSet, by: SetEncoder, modality: Modality, folder: Path, *, progress: Progress = silent
) -> VectorTable:
    """The vectors of a set's pictures, or of their captions, each picture's as one text; by picture id.

    They are kept below ``folder`` and read from there when set and encoder are the same, unless they are damaged; an
    interrupted encoding goes on with its next block. Missing pictures, and contents in which the encoder finds nothing,
    have no row. A workspace cannot hold them: its encoders are fitted on all its works, or have vectors of length 1.

    Raises:
        EncoderError: the encoder does not read that modality.
        DatasetError: pictures are to be encoded, and all files are missing.
        CollectionError: a picture cannot be opened; the message names it.
    """
    encoder, fitted_in = by.encoder, by.workspace
    if modality not in by.modalities:
        raise EncoderError(f"{encoder.name} does not read {modality}s; choose an encoder that does")
    key = key_of("by picture", found.fingerprint, encoder.fingerprint)
    stem = folder / "vectors" / f"{encoder.name}.{modality}-{key}"
    if (kept := _kept_table(stem)) is not None:
        return kept
    if fitted_in is not None:
        known, tables = card(encoder.name), {}
        for name in known.derived_from.get(modality, ()):
            if name in fitted_in.manifest.models:
                base = SetEncoder(fitted_in.encoder(name), by.fitted_on, fitted_in)
                tables[name, modality] = embedded(found, base, modality, folder, progress=progress)
        if (derived := derived_table(known, encoder, modality, tables)) is not None:
            derived.save(stem)
            return derived
    source = SetSource(readable(found, pictures=modality == "image"), folder)
    staging = folder / "building" / stem.name
    table = encode_collection(
        encoder,
        modality,
        load_collection(source, progress=progress),
        stem=stem,
        before=None,
        staging=staging,
        whole_batches=fitted_in is None,
        progress=progress,
    )
    shutil.rmtree(staging, ignore_errors=True)
    return table


def key_of(*parts: str) -> str:
    """12 hexadecimal digits that stand for these parts."""
    return digest(*(part.encode() for part in parts))[:12]


def in_raw_lengths(by: SetEncoder) -> SetEncoder:
    """The same encoder, its vectors not scaled, unless the second paper's released code scales them as well.

    Raises:
        EncoderError: its vectors are made with length 1.
    """
    if by.encoder.name in SCALED_IN_PRINT:
        return by
    return SetEncoder(RawLengths(by.encoder), by.fitted_on)


def _kept_table(stem: Path) -> VectorTable | None:
    """The vectors as they were made before; None where there are none, or they are damaged."""
    if not card_file(stem).exists():
        return None
    try:
        return VectorTable.load(stem, whole=True)
    except ProvenanceError:
        card_file(stem).unlink()
        return None
