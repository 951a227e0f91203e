"""Headers as systems of museums export them: title, artist, year and picture are found in each."""

from pathlib import Path

import pytest

from vernissage.catalog.loading import inspect_collection, load_collection
from vernissage.catalog.report import CollectionReport
from vernissage.catalog.sources.columns import TableOptions, plain_name
from vernissage.catalog.sources.folder import FolderSource
from vernissage.errors import CollectionError

# System, then all columns of an export in their order; the columns of title, artist, year and picture are marked.
HEADERS = """
TMS: ObjectID;ObjectNumber;*Title;ObjectName;*DisplayName;*Dated;DateBegin;DateEnd;Medium;CreditLine;Department;*FileName
eMuseum: Object Number;*Display Title;*People;*Display Date;Medium;Credit Line;*Primary Image
MuseumPlus: Inventarnummer;*Titel;*Künstler/in;Geburtsjahr;*Datierung;Material/Technik;Masse;Standort;*Bilddatei
MuseumPlus RIA: __id;ObjObjectNumberTxt;*ObjObjectTitleTxt;*ObjArtistTxt;*ObjDateTxt;ObjCreditlineTxt;*ObjMultimediaRef
Adlib: priref;object_number;*title;*creator;creator.date_of_birth;*production.date.start;material;*reproduction.reference
Axiell Dutch: objectnummer;*titel;*vervaardiger;rol;*datering;materiaal;techniek;verwerving.datum;*afbeelding
CollectiveAccess: ca_objects.idno;*ca_objects.preferred_labels.name;*ca_entities.preferred_labels.creator;*ca_objects.creation_date;*ca_object_representations.media.large
Omeka Classic: Item Id;Dublin Core:Identifier;*Dublin Core:Title;*Dublin Core:Creator;*Dublin Core:Date;Dublin Core:Rights;*file
Omeka S: o:id;*dcterms:title;*dcterms:creator;*dcterms:date;dcterms:medium;dcterms:rights;*media
Wikidata: item;*itemLabel;*creatorLabel;*inception;materialLabel;collectionLabel;*image
Joconde: REF;*TITR;*AUTR;PERI;*MILL;TECH;DENO;LOCA;STAT;*VIDEO
Joconde open data: Référence;*Titre;*Auteur;Date de naissance de l'auteur;*Millésime de création;Matériaux techniques;Dénomination;Date d'acquisition;*Nom image
Europeana: europeana_id;*dcTitleLangAware;*dcCreator;*year;dataProvider;rights;*edmIsShownBy
Met CSV: Object Number;Is Highlight;Object ID;Department;AccessionYear;Object Name;*Title;*Artist Display Name;Artist Begin Date;Artist Nationality;*Object Date;Object Begin Date;Medium;*Image
Met API: objectID;isHighlight;*primaryImage;department;objectName;*title;*artistDisplayName;artistBeginDate;*objectDate;objectURL
MoMA: *Title;*Artist;ConstituentID;ArtistBio;Nationality;BeginDate;EndDate;Gender;*Date;Medium;CreditLine;AccessionNumber;DateAcquired;ObjectID;URL;*ImageURL
NGA: objectid;accessioned;accessionnum;locationid;*title;*displaydate;beginyear;endyear;visualbrowsertimespan;medium;*attribution;creditline;*iiifthumburl
CMOA: *title;*creation_date;creation_date_earliest;medium;accession_number;id;credit_line;date_acquired;web_url;*image_url;*full_name;birth_date;death_date
Rijksmuseum: objectInventoryNumber;objectPersistentIdentifier;*objectTitle[1];objectType[1];*objectCreator[1];*objectCreationDate[1];*objectImage
Rijksmuseum API: links.self;id;objectNumber;*title;hasImage;*principalOrFirstMaker;longTitle;*dating.presentingDate;*webImage.url
Harvard: objectid;objectnumber;*title;*people;*dated;datebegin;accessionyear;medium;creditline;*primaryimageurl
Cooper Hewitt: id;accession_number;*title;*participants;*date;year_acquired;medium;gallery_text;*image_url
ICCD: NCTN;OGTD;*SGTT;*AUTN;*DTZG;MTC;LDCN;*FTAN
ICCD open data: Codice;*Titolo;*Autore;*Cronologia;Materia e tecnica;Luogo di conservazione;*Immagine
CERES: Inventario;Museo;Objeto/Documento;*Título;*Autor/a;*Datación;Materia/Soporte;Técnica;Forma de Ingreso;*Imagen
exiftool: *SourceFile;File Size;IPTC:Keywords;*IPTC:ObjectName;*IPTC:By-line;*EXIF:DateTimeOriginal;IPTC:Copyright
Lightroom: *File Name;*Title;Caption;*Creator;*Date Created;Copyright;Keywords
Smithsonian: record_ID;*title;*Maker/artist;*Date made;Physical description;Credit Line;*media
Chicago: id;*title;*artist_title;*date_display;date_start;medium_display;credit_line;*image_path
Cleveland: id;accession_number;share_license_status;*title;*creation_date;creation_date_earliest;*creators;technique;*image_web
Tate: id;accession_number;*artist;artistRole;artistId;*title;*dateText;medium;creditLine;acquisitionYear;*thumbnailUrl;url
V&A: systemNumber;accessionNumber;objectType;*_primaryTitle;*_primaryMaker__name;*_primaryDate;_currentLocation;*_primaryImage
Sweden: Inventarienummer;*Titel;*Konstnär;Födelseår;*Datering;Material och teknik;Förvärv;*Bild
Poland: Numer inwentarzowy;*Tytuł dzieła;*Autor;Data nabycia;*Czas powstania;Technika;*Zdjęcie
Czech: Inventární číslo;*Název díla;*Autor;*Datace vzniku;Materiál;Technika;*Obrázek
Russia: Номер в Госкаталоге;*Название предмета;*Автор;*Дата создания;Материал, техника;Дата поступления;*Изображение
Arabic: رقم القطعة;*عنوان العمل;*الفنان;*تاريخ الإنتاج;المادة;*الصورة
China: 编号;*藏品名称;*作者;*创作年代;材质;*图片文件
Japan: 資料番号;*作品名;*作家名;*制作年;技法・材質;*画像ファイル
MatrizNet: Nº de Inventário;*Título da obra;*Autor;*Datação;Matéria;Data de aquisição;*Imagem
CollectionBuilder: objectid;*filename;*title;*creator;*date;description;subject;rights
PastPerfect: OBJECTID;OBJNAME;*TITLE;*ARTIST;*DATE;ACCESSDATE;*IMAGEFILE
EMu: irn;*TitMainTitle;*CreCreatorRef_tab.SummaryData;*CreDateCreated;PhyMedium;*MulMultiMediaRef_tab.File
Mimsy XG: ID_NUMBER;ITEM_NAME;*TITLE;*MAKER;*DATE_MADE;MATERIALS;*MEDIA_FILE
SMK: object_number;*titles.title;*production.creator;*production_date.period;techniques;acquisition_date;*image_native
museum-digital: Inventarnummer;*Objektname;Objektbeschreibung;*hergestellt_wer_Hersteller;*hergestellt_Datum;Material/Technik;*Abbildung
Art UK: *Artwork title;*Artist name;Artist dates;*Execution date;Medium;Acquisition method;*Image file
Databases: pk;*display_name;*auteur_objet;*date_creation_string;matiere_filtre;*fichier_image
"""
# The same with the marks t, a, y and p; columns that end in + hold years that are not those of the work.
MARKED_HEADERS = """
Te Papa: id;type;pid;t=title;identifier;a=production.contributor.title;y=production.createdDate;production.spatial.title;creditLine;p=hasRepresentation.contentUrl
Nationalmuseum: inventory_number;t=title.sv;a=actors.actor_full_name;actors.actor_role;y=dating.sv;acquisition;p=iiif
Finland: Inventaarionumero;t=Teoksen nimi;a=Tekijä;Syntymävuosi+;y=Valmistusaika;Materiaali;p=Kuva
Denmark: Inventarnr.;t=Titel;a=Kunstner;Født+;y=Datering;Materiale;p=Billedfil
Norway: Identifikasjonsnr.;t=Tittel;a=Kunstner;Fødselsår+;y=Datering;Teknikk;p=Bildefil
Hungary: Leltári szám;t=Cím;a=Alkotó;Születés éve+;y=Keletkezés ideje;Anyag;p=Képfájl
Turkey: Envanter No;t=Eser adı;a=Sanatçı;Doğum yılı+;y=Tarih;Teknik;p=Görsel
Greece: Αριθμός;t=Τίτλος έργου;a=Καλλιτέχνης;Έτος γέννησης+;y=Χρονολογία;Υλικό;p=Εικόνα
Korea: 소장품번호;t=작품명;a=작가;작가 생년+;y=제작연도;수집연도+;재료;p=이미지
Ukraine: Інвентарний номер;t=Назва твору;a=Автор;Рік народження+;y=Дата створення;Матеріал;p=Зображення
Catalonia: Núm. d'inventari;t=Títol;a=Autor/a;y=Datació;Tècnica;p=Imatge
Romania: Nr. inventar;t=Titlu;a=Autor;y=Datare;Material/Tehnică;p=Imagine
Israel: מספר;t=כותרת;a=אמן;שנת לידה+;y=תאריך;p=תמונה
Iran: شماره;t=عنوان;a=هنرمند;y=تاریخ;p=تصویر
Vatican: Nº Inv;t=Opera;a=Artista;y=Epoca;p=Immagine
Abbreviated: obj_id;t=obj_title;a=obj_artist_nm;y=obj_dt_display;dob+;acqdate+;p=obj_img_path
One word: recno;birthyear+;deathyear+;acquisitionyear+;t=worktitle;a=artistname;y=productiondate;p=imagefile
"""
_VALUES = ("Boats at the harbour", "Anna Beispiel", "1890", "3.jpg")
_MEANINGS = ("title", "artist", "year", "picture")


def _meaning_of(column: str, system: str) -> str:
    """Which of the four a marked column gives, told from lists of its own rather than from those that are tested."""
    told = {
        "picture": (
            "file image bild afbeelding media video isshownby image imagen immagine foto imagem multimedia thumb "
            "zdjecie obrazek изображение الصوره صوره 图片 画像 reproduction ftan abbildung representations sourcefile"
        ),
        "year": (
            "date dated datierung datering inception mill millesime year annee datation datazione cronologia dtzg datace "
            "czas дата تاريخ 年代 制作年 datum datacao datacion dating execution period"
        ),
        "artist": (
            "artist people kunstler creator creatorlabel auteur autr vervaardiger maker attribution fullname autor autn "
            "byline participants konstnar автор فنان 作者 作家 displayname hersteller"
        ),
    }
    plain = plain_name(column)
    if system == "TMS" or plain != "displayname":
        for meaning, words in told.items():
            if any(word in plain for word in words.split()):
                return meaning
    return "title"


@pytest.mark.parametrize("line", HEADERS.strip().splitlines(), ids=lambda line: line.partition(":")[0])
def test_title_artist_year_and_picture_are_found_in_every_export(line: str, tmp_path: Path) -> None:
    system, _, columns = line.partition(": ")
    marked = columns.split(";")
    header = [column.removeprefix("*") for column in marked]
    wanted = {_meaning_of(each[1:], system): each[1:] for each in marked if each.startswith("*")}
    assert set(wanted) == set(_MEANINGS)
    rows = []
    for number in range(8):
        cells = dict.fromkeys(header, f"Some words {number % 3}")
        if "date" in line.casefold() or "year" in line.casefold():
            cells |= {column: "1951" for column in header if "date" in column.casefold() or "year" in column.casefold()}
        shown = (f"Boats {number}", f"Anna Beispiel {number % 2}", f"c. {1890 + number % 4}", f"images/{number}.jpg")
        cells |= {wanted[meaning]: value for meaning, value in zip(_MEANINGS, shown, strict=True)}
        cells[header[0]] = cells[header[0]] if marked[0].startswith("*") else f"N{number}"
        rows.append(";".join(f'"{cells[column]}"' for column in header))
    (tmp_path / "metadata.csv").write_text("\n".join([columns.replace("*", ""), *rows]), encoding="utf-8")
    source = FolderSource(tmp_path)
    list(source.records())
    found = {meaning: column for column, meaning in source.reading().columns.items() if meaning in _MEANINGS}
    assert found == wanted


@pytest.mark.parametrize("line", MARKED_HEADERS.strip().splitlines(), ids=lambda line: line.partition(":")[0])
def test_columns_of_other_times_and_languages_are_told_apart(line: str, tmp_path: Path) -> None:
    _, _, columns = line.partition(": ")
    marks = [("", mark) if mark[1:2] != "=" else (mark[0], mark[2:]) for mark in columns.split(";")]
    shown = {"t": "Boats {}", "a": "Anna Beispiel", "y": "c. 189{}", "p": "images/{}.jpg"}
    rows = [[name.rstrip("+") for _, name in marks]]
    rows += [
        [
            shown.get(mark, "1951" if name.endswith("+") else "Some words" if place else f"N{number}").format(number)
            for place, (mark, name) in enumerate(marks)
        ]
        for number in range(8)
    ]
    (tmp_path / "metadata.csv").write_text("\n".join(map(";".join, rows)), encoding="utf-8")
    source = FolderSource(tmp_path)
    list(source.records())
    found = {meaning: column for column, meaning in source.reading().columns.items() if meaning in _MEANINGS}
    assert found == {meaning: name for meaning in _MEANINGS for mark, name in marks if mark == meaning[0]}


@pytest.mark.parametrize(
    "column",
    ["birthyear", "Geburtsjahr", "AcquisitionYear", "Zugangsjahr", "année_achat", "YearOfBirth", "dob", "生年"],
)
def test_years_of_people_and_of_the_museum_are_not_those_of_works(column: str, tmp_path: Path) -> None:
    report = read(tmp_path, f"id,title,{column}\n" + "".join(f"N{n},Boats,18{n}0\n" for n in range(5)))
    assert report.columns == {"id": "id", "title": "title"}


@pytest.mark.parametrize(
    ("cell", "found"), [("2015-01-0{} 10:12:33", False), ("2015-01-0{}T00:00:00", True), ("188{}", True)]
)
def test_the_times_of_records_are_not_those_of_works(cell: str, found: bool, tmp_path: Path) -> None:
    report = read(tmp_path, "id,title,created\n" + "".join(f"N{n},Boats,{cell.format(n)}\n" for n in range(5)))
    assert ("created" in report.columns) is found


def test_a_table_of_pictures_alone_gives_works_by_the_number_of_their_object(tmp_path: Path) -> None:
    rows = [f"u{n}{v},https://a.example/{n}{v}.jpg,{v},10{n},Boat {n} lies there {v}" for n in range(4) for v in "ab"]
    head = "uuid,iiifthumburl,viewtype,depictstmsobjectid,assistivetext"
    report = read(tmp_path, "\n".join([head, *rows]))
    assert report.columns == {"depictstmsobjectid": "id", "iiifthumburl": "picture", "assistivetext": "description"}
    assert report.kept == 4


def test_a_picture_goes_before_its_reduced_one(tmp_path: Path) -> None:
    rows = "".join(f"N{n},Boats,small/{n}.jpg,large/{n}.jpg\n" for n in range(4))
    report = read(tmp_path, f"id,title,image_thumbnail,image_native\n{rows}")
    assert report.columns["image_native"] == "picture"


def test_the_column_that_is_proposed_for_titles_repeats_least(tmp_path: Path) -> None:
    report = read(tmp_path, "foo,bar\nSeen here,Ulm\nSeen here,Bonn\n")
    assert "--column 'title=bar'" in report.stop


def read(folder: Path, text: str, columns: dict[str, str] | None = None) -> CollectionReport:
    (folder / "metadata.csv").write_text(text, encoding="utf-8")
    report = inspect_collection(FolderSource(folder, options=TableOptions(columns=columns or {}))).report
    assert report is not None
    return report


def test_each_guess_has_its_reason_and_a_value(tmp_path: Path) -> None:
    prose = "A long text about boats that lie in the harbour while the sun goes down and nobody is to be seen anywhere."
    rows = [f"X{n},{prose} {n},harbour/{n}.jpg,{1880 + n % 3},Boats {n}" for n in range(5)]
    report = read(tmp_path, "\n".join(["a,b,c,d,nom_objet", *rows]))
    assert [guess.line() for guess in report.guesses] == [
        'a → id (its cells are short and all different), such as "X0"',
        'b → description (its cells are long texts), such as "A long text about boats that lie in the…"',
        'c → picture (its cells name pictures), such as "harbour/0.jpg"',
        'd → year (its cells are years), such as "1880"',
        'nom_objet → title (a part of its name, nom), such as "Boats 0"',
    ]
    assert all(guess.line() in "\n".join(report.lines()) for guess in report.guesses)


def test_columns_are_what_a_person_says_they_are(tmp_path: Path) -> None:
    report = read(tmp_path, "id,title,Wer\n1,Sea,Anna\n", {"title": "Wer", "artist": ""})
    assert report.columns == {"id": "id", "Wer": "title"}
    with pytest.raises(CollectionError, match="'painter', which no work has; name one for artist, description"):
        read(tmp_path, "id,title\n1,Sea\n", {"painter": "title"})
    with pytest.raises(CollectionError, match=r"'Wer', but there is none of that name \(columns: id, title\)"):
        read(tmp_path, "id,title\n1,Sea\n", {"artist": "Wer"})


def test_a_table_without_title_name_and_description_stops_with_the_command_that_names_one(tmp_path: Path) -> None:
    report = read(tmp_path, "foo,bar\nBoats at sea,Ulm\nHills,Bonn\n")
    assert "--column 'title=foo'" in report.stop
    with pytest.raises(CollectionError, match="no column of metadata.csv is known to give a title"):
        load_collection(tmp_path)
    assert read(tmp_path, "foo,bar\nBoats at sea,Ulm\n", {"title": "foo"}).stop == ""


def test_titles_fall_back_to_names_and_first_words_row_by_row(tmp_path: Path) -> None:
    prose = "Two boats lie in the harbour, and a fisherman mends his nets while his children play."
    rows = f'1,Harbour view,Print,"{prose}"\n2,,Vase,\n3,,,"{prose}"\n4,,,A red hat. It is old.\n5,,,\n'
    read(tmp_path, f"Object ID,Title,Object Name,Description\n{rows}")
    works = load_collection(tmp_path)
    titles = ["Harbour view", "Vase", "Two boats lie in the harbour, and a fisherman mends his …", "A red hat", ""]
    assert [work.title for work in works] == titles
    assert (works["2"].text, works["4"].text) == ("Vase", "A red hat. It is old.")


def test_addresses_are_kept_as_links_and_said_to_be_none_of_files(tmp_path: Path) -> None:
    rows = "".join(f"https://x.example/Q{n},Sea {n},https://x.example/{n}.jpg\n" for n in range(3))
    report = read(tmp_path, f"item,itemLabel,image\n{rows}")
    assert any("column image holds 3 web addresses, not files" in remark for remark in report.remarks)
    works = load_collection(tmp_path)
    assert works.ids == ("Q0", "Q1", "Q2")
    assert works["Q0"].picture_link == "https://x.example/0.jpg"
