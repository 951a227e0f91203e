"""The export as files to download."""

import io
import json
import zipfile
from collections.abc import Mapping
from types import MappingProxyType

from vernissage.study.export import as_csv, as_parquet, export_tables, provenance_record
from vernissage.study.records import StudyRecords

ARCHIVE, PROVENANCE = "study.zip", "study.json"
_TABLES = ("long", "wide", "rankings", "elicitation", "demographics", "screens")
DOWNLOADS: Mapping[str, str] = MappingProxyType(
    {
        ARCHIVE: "everything in one archive",
        **{f"{name}.{kind}": f"the table {name}" for name in _TABLES for kind in ("csv", "parquet")},
        PROVENANCE: "what the answers depend on",
    }
)
"""The names of the files, and what each is."""

_MEDIA_TYPES = {
    "zip": "application/zip",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def download(records: StudyRecords, name: str) -> tuple[bytes, str] | None:
    """A file's content and media type, or None for a name that is not in `DOWNLOADS`.

    Raises:
        StudyError: nobody has taken part yet.
    """
    if name not in DOWNLOADS:
        return None
    files = _files(records)
    return files[name] if name != ARCHIVE else _archive(files), _MEDIA_TYPES[name.rpartition(".")[2]]


def _files(records: StudyRecords) -> dict[str, bytes]:
    files = {PROVENANCE: (json.dumps(provenance_record(records), indent=2, ensure_ascii=False) + "\n").encode()}
    for table in export_tables(records):
        files[f"{table.name}.csv"] = as_csv(table)
        files[f"{table.name}.parquet"] = as_parquet(table)
    return files


def _archive(files: Mapping[str, bytes]) -> bytes:
    """A ZIP file in which nothing but the contents counts, so that equal exports are equal."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
