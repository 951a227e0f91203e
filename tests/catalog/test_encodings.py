"""Encodings of texts that are not UTF-8: guessed by their words, overruled by a person."""

from pathlib import Path

import pytest

from vernissage.catalog.sources.encodings import decode_unknown, known_codec
from vernissage.catalog.sources.tables import read_table
from vernissage.errors import CollectionError

WORDS = {
    "cp1252": ("Fête à l’été", "Mädchen mit Früchten", "Retrato de niña", "Flüchtige Größe"),
    "mac_roman": ("Café de la Gare", "Mädchen in Zürich", "Nature morte à l’été"),
    "cp1250": ("Žena u řeky, světlo", "Dívka s květinami a kůň", "Łódź na jeziorze, święto", "Źrebię pod dębem"),
    "cp1251": ("Мальчик с собакой", "Портрет неизвестной", "Зимний пейзаж"),
    "koi8_r": ("Мальчик с собакой", "Портрет неизвестной"),
    "cp1253": ("Γυναίκα με λουλούδια", "Τοπίο με θάλασσα"),
    "cp1256": ("امرأة مع زهور", "منظر طبيعي"),
    "cp932": ("東大寺の港", "富士山の風景", "花と女性"),
    "euc_jp": ("東大寺の港の風景", "富士山の風景と花"),
    "gb18030": ("山水图卷", "花鸟画册页"),
    "big5": ("山水圖卷與花鳥", "春天的風景與人物"),
    "cp1254": ("Çiçekli kadın ve deniz manzarası", "Şehir ışıkları"),
    "cp1255": ("נמל עם סירות", "דיוקן אישה"),
    "iso8859_2": ("Žena u řeky, zátiší", "Šašek a kůň, přístav s loďmi"),
    "iso8859_5": ("Мальчик с собакой", "Портрет неизвестной"),
    "iso8859_7": ("Άγιος Γεώργιος και Λιμάνι",),
    "cp852": ("Žena u řeky, zátiší", "Přístav s loďmi a kůň"),
    "cp866": ("Мальчик с собакой", "Портрет неизвестной"),
    "mac_latin2": ("Žena u řeky, zátiší", "Přístav s loďmi a kůň"),
    "mac_cyrillic": ("Мальчик с собакой", "Портрет неизвестной"),
    "cp949": ("똠방각하와 꽃",),
    "euc_kr": ("산수화와 인물화", "꽃과 여인의 초상"),
}


@pytest.mark.parametrize(("codec", "title"), [(codec, title) for codec, titles in WORDS.items() for title in titles])
def test_an_encoding_is_guessed_from_a_few_words(codec: str, title: str) -> None:
    text = "id,title\n" + "".join(f"{number},{title} {number}\n" for number in range(6))
    found = decode_unknown(text.encode(codec))
    assert found.text == text, found


def write(folder: Path, text: str, codec: str) -> Path:
    (folder / "works.csv").write_bytes(text.encode(codec))
    return folder / "works.csv"


def test_three_cells_that_hang_on_the_guess_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"{number},Žena u řeky {number}\n" for number in range(5))
    table = read_table(write(tmp_path, f"id,title\n{rows}", "cp1250"))
    assert table.encoding.startswith("Windows-1250 (Central Europe), for it is not UTF-8")
    assert "such as Žena u řeky 0; Žena u řeky 1; Žena u řeky 2: name another with --encoding" in table.remarks[0]


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("title", ["Äpfel", "Портрет неизвестной с собакой", "静物与苹果和港口的船"])
def test_utf_16_without_a_mark_is_known_in_every_script(title: str, codec: str, tmp_path: Path) -> None:
    rows = tuple((2 + number, (str(number), f"{title} {number}")) for number in range(4))
    text = "id,title\r\n" + "".join(f"{number},{cell}\r\n" for _, (number, cell) in rows)
    assert tuple(read_table(write(tmp_path, text, codec)).rows) == rows


def test_lines_of_another_encoding_among_utf_8_are_read_in_theirs(tmp_path: Path) -> None:
    (tmp_path / "works.csv").write_bytes(
        "id,title\n1,Äpfel\n2,L’été à Łódź\n3,Größe\n4,Früchte mit Öl\n".encode()
        + "5,Žena u řeky\n6,kůň\n".encode("cp1250")
    )
    table = read_table(tmp_path / "works.csv")
    assert table.column(1)[-2:] == ["Žena u řeky", "kůň"]
    assert table.encoding == "UTF-8, but for 4 bytes read as Windows-1250 (Central Europe)"


def test_what_is_not_sure_names_its_rivals(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "id,title\n1,Å\n", "cp1252"))
    assert "not sure: it may be" in table.encoding


def test_a_named_encoding_overrules_the_guess_and_must_fit(tmp_path: Path) -> None:
    path = write(tmp_path, "id,title\n1,Žena\n", "cp1250")
    assert tuple(read_table(path, "Windows-1250").rows) == ((2, ("1", "Žena")),)
    assert known_codec("MacRoman") == "mac-roman"
    with pytest.raises(CollectionError, match="not in cp932: line 3 has bytes"):
        read_table(write(tmp_path, "id,title\n1,a\n2,ů\n", "cp1250"), "cp932")
    with pytest.raises(CollectionError, match="there is no encoding 'klingon'"):
        read_table(path, "klingon")
