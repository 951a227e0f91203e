"""Mapping files: museums' own records as works."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.catalog.museum_shapes import SHAPES, WORKS, met_answer
from tests.contracts.sources import SourceContract
from tests.galleries import paint

from vernissage.catalog.credits import credit_of, link_of
from vernissage.catalog.item import Item
from vernissage.catalog.loading import load_collection
from vernissage.catalog.sources.columns import TableOptions
from vernissage.catalog.sources.dump import DumpSource
from vernissage.catalog.sources.mapping import Rule, leaves, load_mapping, shipped_mappings
from vernissage.errors import CollectionError

OURS = """
museum = "Town Museum"
[fields]
id = "Inv"
title = "Name"
rights = { value = "CC0 1.0" }
"""


def read(path: Path, mapping: str | Path, **options: Any) -> list[Item]:
    source = DumpSource(path, TableOptions(mapping=str(mapping), **options))
    return [record.item for record in source.records()]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", SHAPES)
def test_every_shipped_mapping_reads_its_museums_shape(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    place = shape.write(tmp_path)
    found = [
        (item.id, item.title, item.artist, item.licence, link_of(item), item.picture_link) for item in read(place, name)
    ]
    assert found == [
        (
            shape.identifier(work),
            work.title,
            shape.artist(work),
            shape.rights(work),
            shape.link(work),
            next(iter(shape.pictures(work)), ""),
        )
        for work in WORKS
    ]
    items = read(place, name)
    if name == "wikidata":  # whose dates are days
        assert [(item.year, item.year_from) for item in items] == [(str(work.first), work.first) for work in WORKS]
    else:
        assert [item.year for item in items] == [work.year for work in WORKS]
    if shape.years:
        assert [(item.year_from, item.year_to) for item in items] == [(work.first, work.last) for work in WORKS]
    table = DumpSource(place, TableOptions(mapping=name)).table()
    pictures = table.column(table.columns.index("picture"))
    assert pictures == ["|".join(shape.pictures(work)) for work in WORKS]


@pytest.mark.parametrize("name", ["aic", "met", "nga", "tate", "wikidata"])
def test_keywords_are_kept_one_by_one(name: str, tmp_path: Path) -> None:
    assert [item.keywords for item in read(SHAPES[name].write(tmp_path), name)] == [work.words for work in WORKS]


def test_a_museums_other_shapes_are_read_by_the_same_mapping(tmp_path: Path) -> None:
    answers = write(tmp_path / "met.jsonl", "\n".join(json.dumps(met_answer(work)) for work in WORKS))
    first, *_, last = read(answers, "met")
    assert (first.title, first.keywords, first.licence) == (WORKS[0].title, ("boats", "water"), "CC0 1.0")
    assert first.picture_link == "https://images.metmuseum.org/p1.jpg"
    assert last.year_to == WORKS[-1].last
    tate = "id,accession_number,artist,title,dateText,medium,creditLine,year,dimensions,thumbnailCopyright,thumbnailUrl,url\n"
    (item,) = read(
        write(tmp_path / "artwork_data.csv", tate + '7,T7,"Brink, Ada",Mill,1801,Oil,Gift,1801,,,,\n'), "tate"
    )
    assert (item.id, item.artist, item.year_from, credit_of(item)) == ("7", "Brink, Ada", 1801, "Gift")
    query = "item,itemLabel,creators,image\nhttp://www.wikidata.org/entity/Q7,Mill,Ada Brink|Jon Falk,\n"
    (item,) = read(write(tmp_path / "query.csv", query), "wikidata")
    assert (item.id, item.title, item.artist) == ("Q7", "Mill", "Ada Brink | Jon Falk")
    whole = {
        "record": {
            "systemNumber": "O9",
            "titles": [{"title": "Mill"}, {"title": "The old mill"}],
            "artistMakerPerson": [{"name": {"text": "Ada Brink"}}],
            "productionDates": [{"date": {"text": "ca. 1801", "earliest": "1800-01-01", "latest": "1802-12-31"}}],
        },
        "meta": {"images": {"_iiif_image": "https://framemark.vam.ac.uk/collections/p9/"}},
    }
    (item,) = read(write(tmp_path / "object.json", json.dumps(whole)), "vam")
    assert (item.id, item.title, item.year_from, item.year_to) == ("O9", "Mill", 1800, 1802)
    assert item.picture_link == "https://framemark.vam.ac.uk/collections/p9/full/!1024,1024/0/default.jpg"


def test_shipped_mappings_say_where_their_names_are_from_and_that_they_were_not_tried_live() -> None:
    found = shipped_mappings()
    assert set(found) == set(SHAPES)
    for mapping in found.values():
        assert mapping.note.endswith("Not tried live.")
        assert mapping.documentation
        assert {"id", "title", "artist", "rights", "picture", "year"} <= mapping.fields.keys()


RECORD = {
    "title": "Mill",
    "a.b": "whole",
    "people": [{"role": "Artist", "name": "Ada"}, {"role": "Donor", "name": "Ole"}, {"role": "Artist", "name": "Jon"}],
    "kind": [{"at": [{"id": "http://x.example/1.2"}], "text": "oil"}, {"at": [], "text": "40 cm"}],
    "cell": '[{"name": "Mei"}]',
    "free": True,
    "none": None,
    "zero": 0,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("title", ["Mill"]),
        ("a.b", ["whole"]),
        ("people.name", ["Ada", "Ole", "Jon"]),
        ("people[role=Artist].name", ["Ada", "Jon"]),
        ("people[role=Nobody].name", []),
        ("kind[at.id=http://x.example/1.2].text", ["oil"]),
        ("kind[at.id=http://x.example/1.2][text=glass].text", []),
        ("cell.name", ["Mei"]),
        ("none", []),
        ("zero", [0]),
        ("title.of.nothing", []),
        ("no[thing", []),
    ],
)
def test_a_path_leads_through_lists_and_filters(path: str, found: list[Any]) -> None:
    assert list(leaves(RECORD, path)) == found


@pytest.mark.parametrize(
    ("rule", "cells"),
    [
        (Rule(value="CC0"), ["CC0"]),
        (Rule(all=("title", "people.name")), ["Mill", "Ada", "Ole", "Jon"]),
        (Rule(column="free", words={"true": "CC0"}, otherwise=""), ["CC0"]),
        (Rule(column="title", words={"true": "CC0"}, otherwise=""), []),
        (Rule(column="title", words={"true": "CC0"}), ["Mill"]),
        (Rule(template="https://x.example/{title}/{none}"), []),
        (
            Rule(template="https://x.example/{none|people.name}.jpg"),
            [f"https://x.example/{n}.jpg" for n in ("Ada", "Ole", "Jon")],
        ),
        (Rule(template="{title} by {people[role=Donor].name}"), ["Mill by Ole"]),
        (Rule(column="title", split="i"), ["M", "ll"]),
        (Rule(column="title", replace={"ll": "nt"}), ["Mint"]),
    ],
)
def test_a_rule_gives_values(rule: Rule, cells: list[str]) -> None:
    assert rule.cells(RECORD) == cells


def test_addresses_of_templates_are_written_as_the_web_writes_them() -> None:
    assert Rule(template="https://x.example/{a}").cells({"a": "Zürich 1.jpg"}) == [
        "https://x.example/Z%C3%BCrich%201.jpg"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("museum = ", "Invalid value"),
        ('[fields]\ntitle = "a"', "the file lacks 'museum'"),
        ('museum = "x"', "the file lacks 'fields'"),
        ('museum = "x"\n[fields]', "it gives no field"),
        ('museum = "x"\n[fields]\ncolour = "a"', "no work has the field 'colour'; there are artist,"),
        ('museum = "x"\n[fields]\ntitle = 3', "fields.title is of another kind than expected (3)"),
        ('museum = "x"\n[fields]\ntitle = { colum = "a" }', "fields.title has the unknown key 'colum'"),
        (
            'museum = "x"\n[fields]\ntitle = { column = "a", value = "b" }',
            "needs one of column, all, template and value",
        ),
        ('museum = "x"\n[fields]\ntitle = { column = "a", words = { b = 3 } }', "fields.title.words[b]"),
        ('museum = "x"\nfields = 3', "the file.fields is of another kind"),
        ('museum = "x"\nrecord = "a"\n[fields]\ntitle = "a"', "the file has the unknown key 'record'"),
        ('museum = "x"\n[fields]\ntitle = "a"\n[attributes]\nyear = "a"', "'year' is a field, not an attribute"),
        ('museum = "x"\noptional = ["year"]\n[fields]\ntitle = "a"', "optional names 'year', which it does not map"),
        ('museum = "x"\njoin = 3\n[fields]\ntitle = "a"', "the file.join is of another kind"),
        ('museum = "x"\n[fields]\ntitle = "a"\n[join.b]\nfile = "b.csv"', "lacks 'key'"),
        ('museum = "x"\n[fields]\ntitle = "a"\n[api]\nadress = "b"', "api has the unknown key 'adress'"),
        (
            'museum = "x"\n[fields]\ntitle = "a"\n[api]\naddress = "b"\nrate = 0',
            "api.rate is 0; write requests a second",
        ),
        ('museum = "x"\nfiles = ["../b.csv"]\n[fields]\ntitle = "a"', "'../b.csv' lies outside the folder"),
        (
            'museum = "x"\n[fields]\ntitle = "a"\n[join.b]\nfile = "/etc/b.csv"\nkey = "k"\nto = "k"',
            "'/etc/b.csv' lies outside the folder",
        ),
        ('museum = "x"\napi = 3\n[fields]\ntitle = "a"', "api is of another kind"),
        (
            'museum = "x"\n[fields]\ntitle = "a"\n[join.b]\nfile = "b.csv"\nkey = "k"\nto = "k"\ninto = "c"',
            "join.b.into names 'c', which is no join",
        ),
    ],
)
def test_a_mapping_that_is_none_is_refused_by_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(CollectionError) as raised:
        load_mapping(str(write(tmp_path / "m.toml", text)))
    assert said in str(raised.value)
    assert "docs/mappings.md" in str(raised.value)


def test_bytes_that_are_no_mapping_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CollectionError, match="cannot be used"):
        load_mapping(str(tmp_path / "m.toml"))
    with pytest.raises(CollectionError, match="no mapping louvre; name one of aic, cleveland"):
        load_mapping("louvre")


def test_records_of_another_shape_are_refused_by_the_field_and_what_there_is(tmp_path: Path) -> None:
    table = write(tmp_path / "works.csv", "Nr,Titel\n1,Boote\n")
    with pytest.raises(
        CollectionError, match=r"id comes from Object ID or objectID, and there is none \(there are: Nr, Titel\)"
    ):
        read(table, "met")
    lines = write(tmp_path / "works.jsonl", '{"nr": 1, "titel": "Boote"}\n')
    with pytest.raises(CollectionError, match=r"id comes from id, and there is none \(there are: nr, titel\)"):
        read(lines, "aic")
    mapping = write(tmp_path / "m.toml", 'museum = "M"\n[fields]\nid = "about.nr"\ntitle = "about.nmae"\n')
    nested = write(tmp_path / "works.json", '[{"about": {"nr": 1, "name": "Boats"}}, {"about": {"nr": 2}}]')
    with pytest.raises(CollectionError, match=r"title comes from about.nmae, and there is none \(there are: about\)"):
        read(nested, str(mapping))
    with pytest.raises(CollectionError, match="holds no objects.csv or table called metadata, nor files of JSON"):
        read(write(tmp_path / "none" / "a.txt", "").parent, "nga")
    with pytest.raises(CollectionError, match="there is no file or folder"):
        read(tmp_path / "nowhere.csv", "met")


def test_a_joined_file_that_is_missing_or_another_is_named(tmp_path: Path) -> None:
    place = SHAPES["nga"].write(tmp_path)
    write(place / "constituents.csv", "nr,name\n1,Ada\n")
    with pytest.raises(
        CollectionError, match=r"constituents.csv has no column constituentid, .* \(columns: nr, name\)"
    ):
        read(place, "nga")
    (place / "constituents.csv").unlink()
    with pytest.raises(CollectionError, match="there is no .*constituents.csv, which the mapping nga joins"):
        DumpSource(place, TableOptions(mapping="nga")).fingerprint()


def test_records_that_are_no_objects_are_told(tmp_path: Path) -> None:
    mapping = write(tmp_path / "m.toml", OURS)
    table = write(tmp_path / "works.json", '[{"Inv": 1, "Name": "Boats"}, 3, ["x"]]')
    source = DumpSource(table, TableOptions(mapping=str(mapping)))
    assert [record.item.title for record in source.records()] == ["Boats"]
    assert [(each.kind, each.row) for each in source.reading().problems] == [("damaged row", 2), ("damaged row", 3)]


def test_what_a_person_says_goes_before_the_mapping(tmp_path: Path) -> None:
    mapping = write(tmp_path / "m.toml", OURS)
    table = write(tmp_path / "works.csv", "Inv,Name,Maker,Other\n1,Boats,Ada,Ships\n")
    (item,) = read(table, mapping)
    assert (item.title, item.artist, item.licence) == ("Boats", "", "CC0 1.0")
    assert not item.attributes
    (item,) = read(table, mapping, columns={"title": "Other", "artist": "Maker", "licence": ""})
    assert (item.title, item.artist, item.licence) == ("Ships", "Ada", "")


def test_a_change_of_the_mapping_or_of_a_joined_file_is_a_change_of_the_source(tmp_path: Path) -> None:
    mapping = write(tmp_path / "m.toml", OURS)
    table = write(tmp_path / "works.csv", "Inv,Name\n1,Boats\n")

    def fingerprint(path: Path, name: str) -> str:
        return DumpSource(path, TableOptions(mapping=name)).fingerprint()

    before = fingerprint(table, str(mapping))
    assert fingerprint(table, str(mapping)) == before
    write(mapping, OURS + '[attributes]\nplace = "Place"\n')
    assert fingerprint(table, str(mapping)) != before
    place = SHAPES["nga"].write(tmp_path / "nga")
    before = fingerprint(place, "nga")
    write(place / "objects_terms.csv", "termid,objectid,termtype,term\n1,1,Keyword,boats\n")
    assert fingerprint(place, "nga") != before


class TestMappedFolder(SourceContract):
    def source(self, folder: Path) -> DumpSource:
        if not (folder / "works.csv").exists():
            paint(folder / "a.png", 1)
            with (folder / "works.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([["Inv", "Name", "File"], ["1", "Boats", "a"], ["2", "Trees", ""]])
            write(folder / "m.toml", OURS + 'picture = { template = "{File}.png" }')
        return DumpSource(folder / "works.csv", TableOptions(mapping=str(folder / "m.toml")))


def test_a_mapped_dump_becomes_a_collection_with_filterable_rights(tmp_path: Path) -> None:
    source = DumpSource(SHAPES["aic"].write(tmp_path), TableOptions(mapping="aic"))
    collection = load_collection(source)
    assert collection.report is not None
    assert len(collection) == 20
    assert "A view of harbour" in collection["5"].text
    assert "CC0" not in collection["5"].text
    assert [guess.reason for guess in collection.report.guesses] == ["the mapping aic"] * len(collection.report.guesses)
