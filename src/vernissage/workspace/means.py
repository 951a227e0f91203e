"""The means that let pictures and texts of one encoder share an index, fitted at build and kept with the state."""

from vernissage.errors import ProvenanceError, RequestError
from vernissage.search.modality_means import ModalityMeans, fit_modality_means
from vernissage.workspace.making import Building


def keep_means(building: Building) -> dict[str, str]:
    """For every encoder of pictures and texts the folder below ``means`` that holds the means of its modalities.

    They stay as they were fitted, as encoders do, until the encoder or the seed changes or ``refit`` is set, so that
    vectors closed by them stay comparable. An encoder for which none can be fitted is noted among those left out.
    """
    folders: dict[str, str] = {}
    for name in building.encoders:
        if (name, "image") in building.tables and (name, "text") in building.tables:
            with building.timed("fitting the means of modalities"):
                try:
                    folders[name] = _kept(building, name) or _fitted(building, name)
                except RequestError as error:
                    building.left_out[f"means of {name}"] = str(error)
    return folders


def _kept(building: Building, name: str) -> str | None:
    """The means in force, if they are whole and may stay."""
    before = building.before
    folder = before.manifest.means.get(name) if before is not None else None
    if building.refit or folder is None:
        return None
    try:
        means = ModalityMeans.load(building.path / "means" / folder)
    except ProvenanceError:
        return None
    same = means.encoder_fingerprint == building.encoders[name].fingerprint and means.seed == building.settings.seed
    return folder if same else None


def _fitted(building: Building, name: str) -> str:
    means = fit_modality_means(
        building.tables[name, "image"], building.tables[name, "text"], seed=building.settings.seed
    )
    folder = f"{name}-{means.fingerprint[:12]}"
    if not _is_whole(building, folder):
        means.save(building.path / "means" / folder)
    return folder


def _is_whole(building: Building, folder: str) -> bool:
    """Whether an earlier or interrupted build has left these means, undamaged."""
    try:
        ModalityMeans.load(building.path / "means" / folder)
    except ProvenanceError:
        return False
    return True
