"""The promises of every source: a test class that each source's tests inherit."""

from abc import ABC, abstractmethod
from pathlib import Path

from vernissage.catalog.fetching import MARK
from vernissage.catalog.loading import inspect_collection, load_collection
from vernissage.catalog.report import Reading
from vernissage.catalog.sources.contract import Source


class SourceContract(ABC):
    """Inherit and give `source`: one with at least two works, of which one has a picture."""

    @abstractmethod
    def source(self, folder: Path) -> Source:
        """A new source below an empty folder, the same at every call for one folder."""

    def test_it_is_a_source(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        assert isinstance(source, Source)
        assert source.name
        assert isinstance(source.location, Path)

    def test_records_come_again_in_the_same_order(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        records = list(source.records())
        assert list(source.records()) == records
        assert list(self.source(tmp_path).records()) == records
        assert source.count() in (0, len(records))
        assert len({record.item.id for record in records}) == len(records) >= 2

    def test_records_come_without_pictures_which_are_found_by_their_names(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        pictures = []
        for record in source.records():
            assert not record.problems
            assert (record.item.picture, record.item.picture_digest, record.item.further_pictures) == ("", "", ())
            pictures += record.pictures
        assert pictures
        for picture in pictures:
            assert source.picture_path(picture).is_file()
            assert picture.startswith(MARK) or source.folder / picture == source.picture_path(picture)

    def test_its_fingerprint_stays_while_nothing_changes(self, tmp_path: Path) -> None:
        found = self.source(tmp_path).fingerprint()
        assert found == self.source(tmp_path).fingerprint()
        assert len(found) == 16
        int(found, 16)

    def test_it_becomes_a_collection(self, tmp_path: Path) -> None:
        source = self.source(tmp_path)
        collection = load_collection(source)
        records = list(source.records())
        assert collection.ids == tuple(record.item.id for record in records)
        assert collection.texts("text") == [record.item.text for record in records]
        report = inspect_collection(source).report
        assert report is not None
        assert (report.kept, report.problems) == (len(records), ())
        assert isinstance(source.reading(), Reading)
