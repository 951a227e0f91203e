"""Whether a run's works and encoder are those of a published value, and the words for what is not."""

from collections.abc import Collection
from pathlib import PurePosixPath

from vernissage_lab.published.folder import PublishedFolder
from vernissage_lab.published.names import DATA, MODELS, PROMPT, PublishedModel, Record, is_model, is_whole


def same_classified(given: Record, folder: PublishedFolder) -> dict[str, str]:
    """Which of their classified tables a run's works are, and how that is known; empty where they are others."""
    found = {}
    for data, known in DATA.items():
        if folder.fingerprints.get(data) == given["data_fingerprint"]:
            found[data] = f"its fingerprint is that of {known.classified}"
        elif given["data"] == PurePosixPath(known.classified).stem:
            found[data] = "by its name; the fingerprint differs, as it does where pictures lie beside the table"
    return found


def same_whole(given: Record) -> dict[str, str]:
    """The same of the whole sets."""
    return {data: "by its name" for data, known in DATA.items() if is_whole(given, known)}


def data_said(given: Record, same: dict[str, str], datas: Collection[str]) -> str:
    """Which published values are about the same works."""
    here = f"{given['data']} ({given['works']:,} works) here"
    others = " and ".join(DATA[data].name for data in datas if data not in same)
    if not same:
        return f"Not the same data: {here}, {others} there."
    (data,) = same
    told = f"The same data in the columns {DATA[data].name}: {given['data']}, {same[data]}; {given['works']:,} works."
    return f"{told} Not the same data in the others: {others}." if others else told


def encoder_said(given: Record, models: Collection[str]) -> str:
    """Which published values are by the same encoder."""
    there = " and ".join(MODELS[model].name for model in models)
    same = [MODELS[model] for model in models if is_model(given, MODELS[model])]
    if same:
        return f"The same encoder in the columns {same[0].name}: {_encoder(given)}{_not_told(given, same[0])}."
    alike = [MODELS[model] for model in models if given["encoder"] == MODELS[model].encoder]
    if alike and not given.get("encoder_variant"):
        return (
            f"Not known to be the same encoder: the record does not say which {given['encoder']} it was; {there} there."
        )
    return f"Not the same encoder: {_encoder(given)} here, {there} there."


def _encoder(given: Record) -> str:
    variant = given.get("encoder_variant", "")
    return f"{given['encoder']} {variant}" if variant else str(given["encoder"])


def _not_told(given: Record, model: PublishedModel) -> str:
    """What may differ all the same."""
    if model.encoder == "albef":
        return "; theirs has the weights of 14 million pictures, and the record of a run does not tell its own"
    if PROMPT in str(given.get("encoder_variant", "")):
        return ""
    return "; their texts begin with 'This is'"
