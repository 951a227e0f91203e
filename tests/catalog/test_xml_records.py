"""Files of LIDO, MARC 21, EDM and Dublin Core: each format gives back what the work says; broken ones give nothing."""

from pathlib import Path

import pytest
from tests.catalog.picture_server import png
from tests.catalog.xml_works import FORMATS, XmlWork, document
from tests.contracts.sources import SourceContract

from vernissage.catalog.collection import Collection
from vernissage.catalog.loading import inspect_collection, load_collection
from vernissage.catalog.sources.contract import Source
from vernissage.catalog.sources.folder import FolderSource
from vernissage.errors import CollectionError

WORKS = [
    XmlWork("w-1", picture="https://museum.example/pictures/1.png"),
    XmlWork("w-2", "Storm & wind <at> sea", "Bruno Ek", "1901", "etching", ("storm", "sea"), "Waves break."),
]


class TestFolderOfFiles(SourceContract):
    """Records that name a picture beside them."""

    def source(self, folder: Path) -> Source:
        (folder / "works/images").mkdir(parents=True, exist_ok=True)
        if not (folder / "works/images/1.png").exists():
            (folder / "works/images/1.png").write_bytes(png())
        for each in (XmlWork("w-1", picture="1.png"), XmlWork("w-2")):
            (folder / f"works/{each.id}.xml").write_text(document("lido", [each]))
        return FolderSource(folder / "works")


def read(folder: Path, text: str, name: str = "works.xml") -> Collection:
    (folder / name).write_text(text, "utf-8")
    return load_collection(folder / name)


@pytest.mark.parametrize("prefix", FORMATS)
def test_every_format_gives_the_fields_of_a_work(prefix: str, tmp_path: Path) -> None:
    works = read(tmp_path, document(prefix, WORKS))
    assert len(works) == 2
    for found, work in zip(works, WORKS, strict=True):
        told = (found.title, found.artist, found.year, found.medium, found.keywords, found.description, found.licence)
        assert told == (
            work.title, work.artist, work.year, work.medium, work.keywords, work.description, work.rights
        )  # fmt: skip
        assert found.id == (work.id if prefix != "oai_dc" else f"INV {work.id}")
        assert found.picture_link == work.picture
        assert found.attributes["link"] == f"https://museum.example/{work.id}"


def test_the_fields_that_museums_fill_in_lido_become_columns(tmp_path: Path) -> None:
    """Of several events the production counts, of several names the preferred one, of pictures the largest."""
    (found,) = read(tmp_path, document("lido", WORKS[:1]))
    assert dict(found.attributes) == {
        "alternative id": "https://museum.example/w-1",
        "classification": "Fine art",
        "credit": "Gift of a friend",
        "culture": "Swedish",
        "date earliest": "1884",
        "date latest": "1885",
        "depicted places": "Gotland",
        "dimensions": "40 x 60 cm",
        "inscription": "A.L. 84",
        "inventory number": "INV 7",
        "language": "en",
        "link": "https://museum.example/w-1",
        "museum": "Museum of Quays",
        "object name": "painting",
        "period": "Realism",
        "place of production": "Visby",
        "record source": "Registry of Quays",
        "record type": "item",
        "related works": "Sketch of the quay",
        "role": "painter",
        "state": "second state",
    }
    assert (found.language, found.year_from, found.year_to) == ("en", 1884, 1885)


def test_a_lido_record_without_production_or_shown_date(tmp_path: Path) -> None:
    """The first event with an actor stands for the production, and the years of a date for the date."""
    text = document("lido", WORKS[:1])
    text = text.replace("http://terminology.lido-schema.org/lido00007", "urn:x").replace("Herstellung", "Ereignis")
    (found,) = read(tmp_path, text)
    assert (found.artist, found.year) == ("A Dealer", "1950")
    production = document("lido", WORKS[:1]).replace("<lido:displayDate>1884</lido:displayDate>", "")
    (found,) = read(tmp_path, production)
    assert found.year == "1884/1885"


def test_names_in_several_languages_become_columns_of_their_own(tmp_path: Path) -> None:
    (found,) = read(tmp_path, document("edm", WORKS[:1]))
    assert (found.title, found.attributes["title[de]"]) == ("Boats in the harbour", "Boote")


def test_fields_of_marc_lose_the_signs_that_part_them_and_keep_the_rest(tmp_path: Path) -> None:
    (found,) = read(tmp_path, document("marc21", WORKS[:1]))
    assert {name: found.attributes[name] for name in ("place of production", "publisher", "extent", "dimensions")} == {
        "place of production": "Visby",
        "publisher": "the artist",
        "extent": "1 painting",
        "dimensions": "40 x 60 cm",
    }
    assert found.language == "eng"


def test_a_folder_of_files_of_several_formats_is_one_collection(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a.xml").write_text(document("lido", WORKS[:1]))
    (tmp_path / "below" / "b.lido").write_text(document("marc21", WORKS[1:]))
    (tmp_path / "works.png.xml.txt").write_text("notes")
    source = FolderSource(tmp_path)
    before = source.fingerprint()
    assert [item.id for item in load_collection(source)] == ["w-1", "w-2"]
    (tmp_path / "a.xml").write_text(document("lido", [XmlWork("w-1", "Boats at dawn")]))
    assert FolderSource(tmp_path).fingerprint() != before
    assert load_collection(tmp_path)["w-1"].title == "Boats at dawn"


def test_a_broken_file_of_a_folder_is_left_out_as_a_row_is_and_named(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.xml").write_text(document("lido", [XmlWork(f"w-{number}")]))
    text = document("lido", [XmlWork("w-8"), XmlWork("w-9")])
    (tmp_path / "8.xml").write_text(text[: text.rindex("<lido:lido ") + 900])
    found = inspect_collection(tmp_path)
    assert found.report is not None
    (problem,) = found.report.problems
    assert (problem.kind, problem.file) == ("damaged row", "8.xml")
    assert problem.line().startswith("(8.xml): 8.xml is not well-formed XML (unclosed token: line")
    assert len(found) == 8  # not one record of the broken file, whole as its first is


LAUGHS = "".join(f'<!ENTITY l{each} "{f"&l{each - 1};" * 10}">' for each in range(1, 10))
ATTACKS = {
    "billion laughs": (f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><a>&l9;</a>', "declares entities"),
    "external entity": ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "declares entities"),
    "unknown entity": ("<dc>&nbsp;</dc>", "is not well-formed XML (undefined entity"),
    "web page": ("<!DOCTYPE html><html><body><p>Log in</body></html>", "is a web page"),
    "deep": ("<dc>" * 300 + "</dc>" * 300, "is nested deeper than 200 elements"),
    "cut off": (document("lido", WORKS)[:-30], "is not well-formed XML"),
    "something behind": (document("lido", WORKS) + "<more/>", "is not well-formed XML (junk after document element"),
    "two encodings": ('<?xml version="1.0" encoding="klingon"?><dc/>', "is not well-formed XML"),
    "nothing": ("", "is not well-formed XML"),
    "another format": ("<works><work/></works>", "holds no record of LIDO, MARC 21, EDM or Dublin Core"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_bad_xml_is_refused_in_one_line(attack: str, tmp_path: Path) -> None:
    text, told = ATTACKS[attack]
    with pytest.raises(CollectionError) as raised:
        read(tmp_path, text)
    assert told in str(raised.value)
    assert str(raised.value).startswith(str(tmp_path / "works.xml"))


def test_a_document_type_without_entities_is_no_fault(tmp_path: Path) -> None:
    text = document("lido", WORKS).replace(
        "<lido:lidoWrap", '<!DOCTYPE lido:lidoWrap SYSTEM "lido.dtd">\n<lido:lidoWrap'
    )
    assert len(read(tmp_path, text)) == 2


def test_other_encodings_are_read_as_they_say(tmp_path: Path) -> None:
    text = document("lido", [XmlWork("w-1", "Gåva åt Åsa")]).replace("UTF-8", "ISO-8859-1")
    (tmp_path / "works.xml").write_bytes(text.encode("latin-1"))
    assert load_collection(tmp_path / "works.xml")["w-1"].title == "Gåva åt Åsa"
