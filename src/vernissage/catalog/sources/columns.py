"""Which column of a museum's table means what, by the names that tables commonly give."""

import re
from collections.abc import Mapping, Sequence

from vernissage.folding import folded


def _names(names: str) -> tuple[str, ...]:
    return tuple(names.split())


# In order of priority, in the form that `plain_name` gives: without blanks, marks and accents.
NAMES: Mapping[str, tuple[str, ...]] = {
    "id": _names(
        "id itemid workid objectid artworkid identifier accessionnumber accessionno accession inventorynumber "
        "inventoryno inventory invno invnr objectnumber objectno uuid inventarnummer inventarnr "
        "inventarnummern objektnummer numeroinventaire numerodinventaire inventaire identifiant "
        "numeroinventario numerodeinventario numinventario inventario inventarisnummer objectnummer"
    ),
    "title": _names(
        "title name objecttitle worktitle artworktitle displaytitle titles titel titre titulo titolo "
        "bezeichnung tytul nimi nazwa 标题 题名 作品名 タイトル"
    ),
    "artist": _names(
        "artist artistname artistdisplayname artisttitle artistdisplay artists creator creatorname creators "
        "maker makers author authors painter photographer kunstler kunstlerin kunstlername urheber urheberin "
        "hersteller artiste auteur peintre createur artista autor autora autore pintor pittore kunstenaar "
        "vervaardiger konstnar kunstner 作者 作家"
    ),
    "year": _names(
        "year date dating created objectdate datedisplay displaydate dateofcreation creationdate datecreated "
        "yearcreated productiondate dated datierung datum jahr entstehungszeit annee datation ano fecha anno "
        "datazione datacao jaar datering"
    ),
    "medium": _names(
        "medium technique techniques material materials mediumdisplay mediumandsupport mediumdescription "
        "technik materialtechnik materialundtechnik materiaux materiau techniquesmateriaux tecnica tecnicas "
        "materiali materiales materiaal materialen techniek"
    ),
    "description": _names(
        "description caption text labeltext abstract notes label walltext summary longdescription "
        "objectdescription beschreibung bildbeschreibung kommentar legende descriptif descripcion texto "
        "resumen descrizione testo descricao beschrijving beskrivning beskrivelse"
    ),
    "keywords": _names(
        "keywords tags subjects keyword tag subject subjectterms schlagworte schlagworter schlagwort "
        "stichworte stichworter motscles motcle sujets palabrasclave etiquetas temas parolechiave soggetti "
        "palavraschave trefwoorden onderwerpen"
    ),
    "group": _names(
        "storygroup group story category categories kategorie gruppe categorie groupe categoria grupo gruppo "
        "class klasse classe collection sammlung coleccion collezione genre"
    ),
    "owner": _names("owner ownerid uploader uploaderid uploadedby user userid username contributor"),
    "licence": _names(
        "licence license rights copyright rightsstatement usagerights imagerights lizenz rechte droits "
        "licencia derechos licenza diritti licentie rechten"
    ),
    "picture": _names(
        "filename file image picture path imagefile imagefilename imagename imagepath picturefile picturepath "
        "filepath img photo photofile bild bilddatei dateiname datei fichier nomfichier nomdufichier archivo "
        "imagen immagine afbeelding bestand bestandsnaam"
    ),
}

_BESIDE: Mapping[str, tuple[str, ...]] = {
    "language": _names("language languagecode lang sprache langue idioma lingua taal sprak"),
    "year_from": _names(
        "yearfrom datefrom datestart startdate dateearliest earliestdate creationdateearliest objectbegindate "
        "begindate datebegin yearstart startyear"
    ),
    "year_to": _names(
        "yearto dateto dateend enddate datelatest latestdate creationdatelatest objectenddate yearend endyear"
    ),
}
"""What is read of a column beside keeping it as an attribute, so that texts stay as they are."""

_PREFIX = re.compile(r"^(?:dc|dct|dcterms|schema|edm|vra)[:.]", re.IGNORECASE)
_LANGUAGE = re.compile(r"\[[a-z]{2}\]$|@[a-z]{2}$")
_NO_WORDS_AT_END = frozenset(
    _names(
        "source sources url urls uri link links href website web path file files filename folder image images picture "
        "pictures thumbnail thumbnails iiif manifest id ids uuid guid identifier accession inventory number no nr code "
        "codes credit creditline provenance rights licence license copyright owner user username uploader contributor "
        "hash md5 sha1 sha256 checksum digest isbn doi email phone timestamp created updated modified latitude "
        "longitude lat lon width height depth diameter weight split"
    )
)
_NO_WORDS_AT_START = frozenset(
    _names(
        "source credit rights licence license copyright owner user uploader accession inventory created updated "
        "modified"
    )
)
_ID_NAMES = frozenset(NAMES["id"] + NAMES["owner"] + NAMES["licence"] + NAMES["picture"])


def plain_name(column: str) -> str:
    """A column's name without case, accents, blanks, hyphens and underscores: "Künstler-Name" is "kunstlername"."""
    stripped = _LANGUAGE.sub("", _PREFIX.sub("", column.strip()))
    return "".join(letter for letter in folded(stripped) if letter.isalnum())


def candidates(columns: Sequence[str]) -> dict[str, list[int]]:
    """The columns that could hold each field of a work, by position, the likeliest first."""
    plain = [plain_name(column) for column in columns]
    return {meaning: [plain.index(name) for name in names if name in plain] for meaning, names in NAMES.items()}


def beside(columns: Sequence[str]) -> dict[str, int]:
    """The columns of languages and of first and last years, by position; they are attributes as well."""
    plain = [plain_name(column) for column in columns]
    found = {meaning: [plain.index(name) for name in names if name in plain] for meaning, names in _BESIDE.items()}
    return {meaning: places[0] for meaning, places in found.items() if places}


def recognised(columns: Sequence[str]) -> int:
    """How many fields of a work the names of these columns give."""
    return sum(bool(found) for found in candidates(columns).values())


def names_no_words(column: str) -> bool:
    """Whether the name says that its cells are addresses, ids, rights or measures rather than words about the work."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column)
    parts = re.split(r"[\W_]+", spaced.casefold())
    named = [part for part in parts if part] or [""]
    return plain_name(column) in _ID_NAMES or named[-1] in _NO_WORDS_AT_END or named[0] in _NO_WORDS_AT_START
