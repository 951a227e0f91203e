"""Twenty works, written in the shapes of ten museums' dumps and interfaces; all names and words are made up."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AAT = "http://vocab.getty.edu/aat/"


@dataclass(frozen=True)
class Work:
    """One of the twenty: what every museum knows of it."""

    number: int

    @property
    def title(self) -> str:
        thing = ("Harbour", "Orchard", "Winter road", "Mill", "Portrait of a clerk")[self.number % 5]
        return f"{thing}, {('morning', 'noon', 'dusk', 'night')[self.number % 4]}"

    @property
    def artists(self) -> tuple[str, ...]:
        names = ("Ada Brink", "Jon Falk", "Mei Sato", "Rosa Quint")
        first = names[self.number % 4]
        return (first, "Ole Strand") if self.number % 7 == 0 else (first,)

    @property
    def first(self) -> int:
        return 1800 + 9 * self.number

    @property
    def last(self) -> int:
        return self.first + self.number % 3

    @property
    def year(self) -> str:
        return f"{self.first}–{self.last}" if self.last > self.first else f"c. {self.first}"

    @property
    def free(self) -> bool:
        return self.number % 4 != 3

    @property
    def words(self) -> tuple[str, ...]:
        return ("boats", "water") if self.number % 2 else ("fields, in summer", "trees")

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names of its pictures: every sixth work has none, every fifth two."""
        if self.number % 6 == 5:
            return ()
        return (f"p{self.number}", f"p{self.number}-back") if self.number % 5 == 0 else (f"p{self.number}",)


WORKS = tuple(map(Work, range(1, 21)))


@dataclass(frozen=True)
class Shape:
    """How a museum's files are written, and what is read of a work by the mapping of its name.

    Attributes:
        write: writes the files into a folder; returns what to build.
        rights: of a work.
        pictures: the addresses of its pictures.
        link: the address of the museum's page.
        artist: how artists are written; years of beginning and end where the museum gives them.
    """

    write: Callable[[Path], Path]
    rights: Callable[[Work], str]
    pictures: Callable[[Work], Sequence[str]]
    link: Callable[[Work], str]
    artist: Callable[[Work], str] = lambda work: " | ".join(work.artists)
    years: bool = True
    identifier: Callable[[Work], str] = lambda work: str(work.number)


def _table(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    rows = list(rows)
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _json(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def _met(folder: Path) -> Path:
    return _table(
        folder / "MetObjects.csv",
        (
            {
                "Object Number": f"19.{work.number}",
                "Is Public Domain": str(work.free),
                "Object ID": work.number,
                "Department": "Paintings and Prints",
                "Object Name": "Painting",
                "Title": work.title,
                "Culture": "",
                "Period": "",
                "Artist Display Name": "|".join(work.artists),
                "Object Date": work.year,
                "Object Begin Date": work.first,
                "Object End Date": work.last,
                "Medium": "Oil on canvas",
                "Credit Line": "Gift of a neighbour",
                "Classification": "Paintings",
                "Rights and Reproduction": "",
                "Link Resource": f"http://www.metmuseum.org/art/collection/search/{work.number}",
                "Tags": "|".join(work.words),
            }
            for work in WORKS
        ),
    )


def met_answer(work: Work) -> dict[str, Any]:
    """What the Met's interface says of one object."""
    pictures = [f"https://images.metmuseum.org/{name}.jpg" for name in work.pictures]
    return {
        "objectID": work.number,
        "isPublicDomain": work.free,
        "primaryImage": pictures[0] if pictures else "",
        "primaryImageSmall": "",
        "additionalImages": pictures[1:],
        "title": work.title,
        "artistDisplayName": work.artists[0],
        "objectDate": work.year,
        "objectBeginDate": work.first,
        "objectEndDate": work.last,
        "objectURL": f"https://www.metmuseum.org/art/collection/search/{work.number}",
        "tags": [{"term": word, "AAT_URL": ""} for word in work.words],
    }


def aic_record(work: Work) -> dict[str, Any]:
    """One artwork of Chicago's interface and dump."""
    return {
        "id": work.number,
        "title": work.title,
        "artist_titles": list(work.artists),
        "artist_display": f"{work.artists[0]}\nNobody's, {work.first - 40}–{work.first + 20}",
        "date_display": work.year,
        "date_start": work.first,
        "date_end": work.last,
        "medium_display": "Oil on canvas",
        "description": f"<p>A view of <em>{work.title.lower()}</em>.</p>",
        "subject_titles": list(work.words),
        "department_title": "Painting of Europe",
        "is_public_domain": work.free,
        "copyright_notice": None if work.free else "© the heirs",
        "image_id": work.pictures[0] if work.pictures else None,
        "alt_image_ids": list(work.pictures[1:]),
        "credit_line": "Bequest of a friend",
        "main_reference_number": f"1900.{work.number}",
    }


def _aic(folder: Path) -> Path:
    for work in WORKS:
        _json(folder / "json" / "artworks" / f"{work.number:02d}.json", aic_record(work))
    return folder / "json" / "artworks"


def _cleveland(folder: Path) -> Path:
    records = []
    for work in WORKS:
        web = [{"web": {"url": f"https://openaccess-cdn.clevelandart.org/{name}_web.jpg"}} for name in work.pictures]
        records.append(
            {
                "id": work.number,
                "accession_number": f"1920.{work.number}",
                "share_license_status": "CC0" if work.free else "Copyrighted",
                "title": work.title,
                "creation_date": work.year,
                "creation_date_earliest": work.first,
                "creation_date_latest": work.last,
                "creators": [{"id": 1, "description": f"{name} (Nordic)", "role": "artist"} for name in work.artists],
                "culture": ["Northern coast"],
                "technique": "oil on canvas",
                "department": "Northern Painting",
                "type": "Painting",
                "measurements": "40 x 50 cm",
                "description": f"Shows {work.title.lower()}, seen from the window.",
                "url": f"https://clevelandart.org/art/1920.{work.number}",
                "images": web[0] if web else None,
                "alternate_images": web[1:],
            }
        )
    _json(folder / "data.json", records)
    return folder


def _nga(folder: Path) -> Path:
    names = sorted({name for work in WORKS for name in work.artists})
    _table(
        folder / "objects.csv",
        (
            {
                "objectid": work.number,
                "accessionnum": f"1937.{work.number}",
                "title": work.title,
                "displaydate": work.year,
                "beginyear": work.first,
                "endyear": work.last,
                "medium": "oil on canvas",
                "dimensions": "40 x 50 cm",
                "attribution": "Various",
                "creditline": "Gift of a collector",
                "classification": "Painting",
            }
            for work in WORKS
        ),
    )
    views = [(work, place, name) for work in WORKS for place, name in enumerate(work.pictures)]
    _table(
        folder / "published_images.csv",
        (
            {
                "uuid": name,
                "iiifurl": f"https://api.nga.gov/iiif/{name}",
                "viewtype": "alternate" if place else "primary",
                "sequence": place,
                "depictstmsobjectid": work.number,
                "assistivetext": f"A picture of {work.title}.",
            }
            for work, place, name in reversed(views)
        ),
    )
    terms = [("Keyword", word, work) for work in WORKS for word in work.words]
    terms += [("School", "Coastal", work) for work in WORKS]
    _table(
        folder / "objects_terms.csv",
        ({"termid": 1, "objectid": work.number, "termtype": kind, "term": word} for kind, word, work in terms),
    )
    makers = [(work, place, name) for work in WORKS for place, name in enumerate(work.artists, start=1)]
    donors = [(work, "donor", 9, "Ole Strand") for work in WORKS if work.number % 7]
    _table(
        folder / "objects_constituents.csv",
        (
            {"objectid": work.number, "constituentid": names.index(name), "displayorder": place, "roletype": role}
            for work, role, place, name in [*donors, *((work, "artist", place, name) for work, place, name in makers)]
        ),
    )
    _table(
        folder / "constituents.csv",
        ({"constituentid": place, "forwarddisplayname": name} for place, name in enumerate(names)),
    )
    return folder


def _tate(folder: Path) -> Path:
    for work in WORKS:
        picture = f"http://www.tate.org.uk/art/images/works/{work.pictures[0]}_8.jpg" if work.pictures else None
        topics = [{"name": word, "id": 5} for word in work.words]
        content = {
            "id": work.number,
            "acno": f"T{work.number:05d}",
            "all_artists": " and ".join(work.artists),
            "title": work.title,
            "dateText": work.year,
            "dateRange": {"startYear": work.first, "endYear": work.last},
            "medium": "Oil paint on canvas",
            "creditLine": "Presented by a club",
            "classification": "painting",
            "subjects": {"name": "subject", "children": [{"name": "places", "children": [{"children": topics}]}]},
            "thumbnailCopyright": None if work.free else f"© {work.artists[0]}",
            "thumbnailUrl": picture,
            "url": f"http://www.tate.org.uk/art/artworks/t{work.number}",
        }
        _json(folder / "artworks" / "t" / f"t{work.number:05d}.json", content)
    return folder / "artworks"


def _moma(folder: Path) -> Path:
    return _json(
        folder / "Artworks.json",
        [
            {
                "Title": work.title,
                "Artist": list(work.artists),
                "Nationality": ["Nobody's"],
                "Date": work.year,
                "Medium": "Oil on canvas",
                "CreditLine": "Purchase",
                "AccessionNumber": f"{work.number}.1930",
                "Department": "Painting & Sculpture",
                "ObjectID": work.number,
                "URL": f"https://www.moma.org/collection/works/{work.number}",
                "ImageURL": f"https://www.moma.org/media/{work.pictures[0]}.jpg" if work.pictures else None,
            }
            for work in WORKS
        ],
    )


def _rijksmuseum(folder: Path) -> Path:
    english, dutch = [{"id": f"{AAT}300388277"}], [{"id": f"{AAT}300388256"}]
    lines = []
    for work in WORKS:
        mark = "mark/1.0/" if work.free else "in-copyright"
        shown = [
            {
                "id": f"https://id.rijksmuseum.nl/5{work.number}",
                "type": "DigitalObject",
                "access_point": [{"id": f"https://iiif.micr.io/{name}/full/max/0/default.jpg"}],
            }
            for name in work.pictures
        ]
        rights = [{"classified_as": [{"id": f"https://creativecommons.org/publicdomain/{mark}"}]}]
        content = {
            "id": f"https://id.rijksmuseum.nl/{work.number}",
            "type": "HumanMadeObject",
            "identified_by": [
                {"type": "Name", "content": "Een andere naam", "language": dutch},
                {"type": "Name", "content": work.title, "language": english},
                {"type": "Identifier", "content": str(work.number), "classified_as": [{"id": f"{AAT}300312355"}]},
            ],
            "produced_by": {
                "timespan": {
                    "identified_by": [{"content": work.year, "language": english}],
                    "begin_of_the_begin": f"{work.first}-01-01T00:00:00Z",
                    "end_of_the_end": f"{work.last}-12-31T23:59:59Z",
                },
                "part": [{"carried_out_by": [{"type": "Person", "_label": name}]} for name in work.artists],
            },
            "referred_to_by": [
                {"content": "oil on canvas", "language": english, "classified_as": [{"id": f"{AAT}300435429"}]},
                {"content": "olieverf op doek", "language": dutch, "classified_as": [{"id": f"{AAT}300435429"}]},
            ],
            "subject_of": [
                {
                    "digitally_carried_by": [
                        {"format": "text/html", "access_point": [{"id": f"https://r.example/{work.number}"}]}
                    ]
                }
            ],
            "shows": [{"type": "VisualItem", "subject_to": rights, "digitally_shown_by": shown}],
        }
        lines.append(json.dumps(content))
    place = folder / "objects.jsonl"
    place.write_text("\n".join(lines), "utf-8")
    return place


def _harvard(folder: Path) -> Path:
    records = [
        {
            "objectid": work.number,
            "objectnumber": f"1943.{work.number}",
            "title": work.title,
            "people": [
                *({"role": "Artist", "displayname": name} for name in work.artists),
                {"role": "Publisher", "displayname": "A press"},
            ],
            "dated": work.year,
            "datebegin": work.first,
            "dateend": work.last,
            "medium": "Oil on canvas",
            "classification": "Paintings",
            "copyright": None if work.free else "© the heirs",
            "imagepermissionlevel": 0,
            "images": [{"iiifbaseuri": f"https://ids.lib.harvard.edu/ids/iiif/{name}"} for name in work.pictures],
            "url": f"https://www.harvardartmuseums.org/collections/object/{work.number}",
            "creditline": "A fund",
        }
        for work in WORKS
    ]
    return _json(folder / "page1.json", {"info": {"page": 1}, "records": records})


def _vam(folder: Path) -> Path:
    records = [
        {
            "systemNumber": f"O{work.number}",
            "accessionNumber": f"{work.number}-1880",
            "objectType": "Painting",
            "_primaryTitle": work.title,
            "_primaryMaker": {"name": work.artists[0], "association": "painter"},
            "_primaryDate": work.year,
            "_primaryPlace": "London",
            "_images": {"_iiif_image_base_url": f"https://framemark.vam.ac.uk/collections/{work.pictures[0]}/"}
            if work.pictures
            else {},
        }
        for work in WORKS
    ]
    return _json(folder / "search.json", {"info": {"record_count": 20}, "records": records})


def _wikidata(folder: Path) -> Path:
    def bound(work: Work) -> dict[str, Any]:
        picture = f"http://commons.wikimedia.org/wiki/Special:FilePath/{work.pictures[0]}.jpg" if work.pictures else ""
        told = {
            "item": f"http://www.wikidata.org/entity/Q{work.number}",
            "itemLabel": work.title,
            "creators": "|".join(work.artists),
            "inception": f"{work.first}-01-01T00:00:00Z",
            "image": picture,
            "depicts": "|".join(work.words),
            "materials": "oil paint|canvas",
        }
        return {name: {"type": "literal", "value": value} for name, value in told.items() if value}

    content = {"head": {"vars": []}, "results": {"bindings": [bound(work) for work in WORKS]}}
    return _json(folder / "query.json", content)


def _iiif(base: str, size: str = "!1024,1024") -> Callable[[Work], list[str]]:
    return lambda work: [f"{base}{name}/full/{size}/0/default.jpg" for name in work.pictures]


SHAPES = {
    "met": Shape(
        _met,
        lambda work: "CC0 1.0" if work.free else "not in the public domain",
        lambda _: [],
        lambda work: f"http://www.metmuseum.org/art/collection/search/{work.number}",
    ),
    "aic": Shape(
        _aic,
        lambda work: "CC0 1.0" if work.free else "© the heirs",
        _iiif("https://www.artic.edu/iiif/2/", "843,"),
        lambda work: f"https://www.artic.edu/artworks/{work.number}",
    ),
    "cleveland": Shape(
        _cleveland,
        lambda work: "CC0 1.0" if work.free else "under copyright",
        lambda work: [f"https://openaccess-cdn.clevelandart.org/{name}_web.jpg" for name in work.pictures],
        lambda work: f"https://clevelandart.org/art/1920.{work.number}",
        lambda work: " | ".join(f"{name} (Nordic)" for name in work.artists),
    ),
    "nga": Shape(
        _nga,
        lambda _: "data CC0 1.0; pictures as the gallery's open access policy says",
        _iiif("https://api.nga.gov/iiif/"),
        lambda work: f"https://www.nga.gov/collection/art-object-page.{work.number}.html",
    ),
    "tate": Shape(
        _tate,
        lambda work: "data CC0 1.0; pictures by Tate's terms" if work.free else f"© {work.artists[0]}",
        lambda work: [f"http://www.tate.org.uk/art/images/works/{name}_8.jpg" for name in work.pictures[:1]],
        lambda work: f"http://www.tate.org.uk/art/artworks/t{work.number}",
        lambda work: " and ".join(work.artists),
    ),
    "moma": Shape(
        _moma,
        lambda _: "data CC0 1.0; pictures by MoMA's terms",
        lambda work: [f"https://www.moma.org/media/{name}.jpg" for name in work.pictures[:1]],
        lambda work: f"https://www.moma.org/collection/works/{work.number}",
        years=False,
    ),
    "rijksmuseum": Shape(
        _rijksmuseum,
        lambda work: "Public Domain Mark 1.0" if work.free else "https://creativecommons.org/publicdomain/in-copyright",
        _iiif("https://iiif.micr.io/"),
        lambda work: f"https://r.example/{work.number}",
    ),
    "harvard": Shape(
        _harvard,
        lambda work: "pictures may be shown" if work.free else "© the heirs",
        _iiif("https://ids.lib.harvard.edu/ids/iiif/"),
        lambda work: f"https://www.harvardartmuseums.org/collections/object/{work.number}",
    ),
    "vam": Shape(
        _vam,
        lambda _: "by the terms of the V&A's interface",
        lambda work: _iiif("https://framemark.vam.ac.uk/collections/")(work)[:1],
        lambda work: f"https://collections.vam.ac.uk/item/O{work.number}/",
        lambda work: work.artists[0],
        years=False,
        identifier=lambda work: f"O{work.number}",
    ),
    "wikidata": Shape(
        _wikidata,
        lambda _: "data CC0 1.0; picture as its page on Wikimedia Commons says",
        lambda work: [
            f"http://commons.wikimedia.org/wiki/Special:FilePath/{name}.jpg?width=1024" for name in work.pictures[:1]
        ],
        lambda work: f"http://www.wikidata.org/entity/Q{work.number}",
        years=False,
        identifier=lambda work: f"Q{work.number}",
    ),
}
