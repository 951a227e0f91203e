"""Tables of separated cells, in every encoding, separator and line end."""

import csv
import io
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vernissage.catalog.sources.tables import SEPARATORS, Table, find_separator, read_delimited, read_table
from vernissage.errors import CollectionError

PATH = Path("metadata.csv")


def read(text: str, encoding: str = "utf-8") -> Table:
    return read_delimited(PATH, text.encode(encoding))


def cells(table: Table) -> list[tuple[str, ...]]:
    return [row for _, row in table.rows]


printable = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Co", "Cn"), exclude_characters="\ufeff") | st.just("\n"), max_size=30
)


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(printable, printable, printable), min_size=1, max_size=8),
    separator=st.sampled_from(sorted(SEPARATORS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_a_csv_writer_wrote_comes_back(
    rows: list[tuple[str, ...]], separator: str, encoding: str, line_end: str
) -> None:
    if encoding == "cp1252":  # random letters are no language to guess it by, so it is named
        rows = [tuple(cell.encode("cp1252", errors="replace").decode("cp1252") for cell in row) for row in rows]
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=separator, lineterminator=line_end)
    writer.writerow(("id", "title", "description"))
    # A program that ends its rows with a return writes returns within its cells as well.
    writer.writerows([cell.replace("\n", line_end) for cell in row] for row in rows)
    raw = written.getvalue().encode(encoding)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(raw)
        table = read_table(path, "cp1252" if encoding == "cp1252" else "")
    trimmed = [tuple(cell.strip() for cell in row) for row in rows]
    assert cells(table) == [row for row in trimmed if any(row)]
    assert table.separator == SEPARATORS[separator]
    assert table.problems == ()


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused_in_one_line(raw: bytes) -> None:
    try:
        table = read_delimited(PATH, raw)
    except CollectionError as error:
        message = str(error)
    else:
        message = ""
        assert all(len(row) == len(table.columns) for row in cells(table))
    assert len(message.splitlines()) <= 1


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8, with a byte-order mark"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16, without a byte-order mark"),
        ("utf-16-be", "UTF-16, without a byte-order mark"),
        ("cp1252", "Windows-1252, for it is not UTF-8"),
    ],
)
def test_the_encoding_is_found_and_named(encoding: str, named: str) -> None:
    table = read("id,title\n1,Fête – “Été”\n", encoding)
    assert cells(table) == [("1", "Fête – “Été”")]
    assert table.encoding == named


def test_bytes_without_a_letter_in_windows_1252_are_latin_1() -> None:
    table = read_delimited(PATH, b"id,title\n1,F\xeate\x81\n")
    assert cells(table) == [("1", "Fête")]  # 0x81 is a control character in Latin-1
    assert table.encoding == "Latin-1, for it is not UTF-8"


def test_one_pasted_byte_does_not_spoil_a_table_in_utf_8() -> None:
    table = read_delimited(PATH, "id,title\n1,Fête Été Noël\n2,".encode() + b"caf\xe9\n")
    assert cells(table) == [("1", "Fête Été Noël"), ("2", "café")]
    assert table.encoding == "UTF-8, but for 1 byte read as Windows-1252"


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("id,title,year\n1,a,1800\n", ","),
        ("id;title;year\n1;a, b, c;1800\n2;d, e;1801\n", ";"),
        ("id\ttitle\n1\ta,b;c|d\n", "\t"),
        ("id|keywords\n1|a,b,c\n2|d;e\n", "|"),
        ("Title, short;Artist, full;Year\na;b;1800\nc;d;1801\n", ";"),
        ('id,text\n1,"a;b\n;c;;"\n2,"d;e"\n', ","),
        ("id;price\n1;3,50\n2;4,20\n", ";"),
    ],
)
def test_the_separator_is_found(text: str, separator: str) -> None:
    assert find_separator(text.splitlines(keepends=True)) == separator


def test_the_line_by_which_excel_names_a_separator_is_obeyed() -> None:
    table = read("sep=;\nid;title\n1;a,b\n")
    assert table.columns == ("id", "title")
    assert tuple(table.rows) == ((3, ("1", "a,b")),)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_within_quotes_belong_to_the_cell_and_blank_lines_to_nobody(line_end: str) -> None:
    table = read(line_end.join(["id,text", '1,"two', 'lines"', "", " , ", '2,"say ""hi"""', ""]))
    assert tuple(table.rows) == ((2, ("1", "two\nlines")), (5, ("2", 'say "hi"')))


def test_rows_with_too_many_or_too_few_cells_are_named_as_a_spreadsheet_counts_them() -> None:
    table = read('id,title,year\n1,"a\nb",1800\n2,b\n3,c,1802,x\n4,d,1803,,\n')
    assert tuple(table.rows) == ((2, ("1", "a\nb", "1800")), (5, ("4", "d", "1803")))
    assert [(problem.row, problem.what) for problem in table.problems] == [
        (3, "the row has 2 cells where the header has 3"),
        (4, "the row has 4 cells where the header has 3"),
    ]


def test_a_quotation_mark_that_is_never_closed_swallows_no_further_row() -> None:
    table = read('id,title\n1,"Untitled\n2,b\n3,"c"\n4,d\n5,"e\n')
    assert cells(table) == [("2", "b"), ("3", "c"), ("4", "d")]
    assert [problem.row for problem in table.problems] == [2, 6]


def test_quotation_marks_amid_a_cell_are_read_as_they_stand() -> None:
    table = read('id\ttitle\n1\t12" record\n2\t"Untitled" (blue)\n')
    assert cells(table) == [("1", '12" record'), ("2", "Untitled (blue)")]


def test_cells_and_names_are_trimmed_and_freed_of_what_databases_leave() -> None:
    table = read(' id , title ,\n 1 ,\u00a0a\x00b\x0bc , \n2, "d, e"\n')
    assert table.columns == ("id", "title")
    assert cells(table) == [("1", "ab\nc"), ("2", "d, e")]


def test_returns_within_cells_become_line_feeds_whether_or_not_other_odd_signs_are_met() -> None:
    plain = 'id,title\r\n1, "a\r\nb"\r\n2, c\r\n'
    assert cells(read(plain)) == [("1", "a\nb"), ("2", "c")]
    assert cells(read(plain + "3,d\x1de\r\n")) == [("1", "a\nb"), ("2", "c"), ("3", "d|e")]


def test_columns_get_unique_names() -> None:
    table = read(",title,title,\n0,a,b,c\n")
    assert table.columns == ("column 1", "title", "title 2", "column 4")


def test_a_very_large_cell_is_read_whole() -> None:
    words = "word " * 200_000
    assert cells(read(f'id,text\n1,"{words}"\n')) == [("1", words.strip())]


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        (b"", "no header"),
        (b"\n \n", "no header"),
        (b"PK\x03\x04rest", "an Excel file"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b"%PDF-1.4", "a PDF"),
        (bytes(range(256)) * 40, "no text: .* control characters.*export the table anew"),
        (b"id,title\n" + bytes(8) * 4, "32 of its first 41 characters are control characters"),
    ],
)
def test_what_is_no_table_is_refused_by_its_kind(raw: bytes, named: str) -> None:
    with pytest.raises(CollectionError, match=named):
        read_delimited(PATH, raw)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), size=st.integers(1_000, 5_000))
def test_random_bytes_are_no_table(seed: int, size: int) -> None:
    with pytest.raises(CollectionError, match="no text"):
        read_delimited(PATH, b"!" + random.Random(seed).randbytes(size))


def test_a_few_control_characters_among_words_are_passed_over() -> None:
    words = "oil on canvas " * 10
    table = read(f"id,title\n1,{words}\x00\x07\n2,{words}\x1f\x1a\n")
    assert [row[0] for row in cells(table)] == ["1", "2"]


def test_a_header_without_known_names_is_remarked_upon() -> None:
    assert read("1,Blue,2\n2,Red,3\n").remarks == ("none of the columns' names is known; is row 1 the header?",)


@pytest.mark.parametrize("limit", [131_072, 1_000])
def test_cells_of_any_length_are_read_and_the_hosts_limit_stays(limit: int) -> None:
    usual = csv.field_size_limit(limit)
    try:
        texts = [f"id,text\nw{number},{'word ' * 40_000}\n" for number in range(24)]
        with ThreadPoolExecutor(8) as pool:
            tables = list(pool.map(read, texts))
        assert [cells(table)[0][0] for table in tables] == [f"w{number}" for number in range(24)]
        assert {len(cells(table)[0][1]) for table in tables} == {5 * 40_000 - 1}
        with pytest.raises(CollectionError, match="no header"):
            read('"never closed, text\n')
        assert csv.field_size_limit() == limit
    finally:
        csv.field_size_limit(usual)


def test_marks_behind_backslashes_belong_to_the_cell_where_that_makes_rows_whole() -> None:
    table = read('"id","title","size"\n"1","Boat","21 x 15\\" (54 cm)"\n"2","A \\"Spring\\", late","6\' 6\\" x 6\\""\n')
    assert cells(table) == [("1", "Boat", '21 x 15" (54 cm)'), ("2", 'A "Spring", late', '6\' 6" x 6"')]
    assert table.problems == ()


def test_a_backslash_at_the_end_of_a_cell_stays_where_marks_are_doubled() -> None:
    table = read('id,path,title\n1,"C:\\works\\",Sea\n2,"C:\\a",b\n')
    assert cells(table) == [("1", "C:\\works\\", "Sea"), ("2", "C:\\a", "b")]


@pytest.mark.parametrize("above", ["Object list,,\nprinted 12.03.2024,,\n\n", "Report\n", "sep=,\nReport of works\n\n"])
def test_lines_above_the_header_are_left_out(above: str) -> None:
    table = read(f"{above}id,title,artist\n1,Sea,Anna\n2,Hills,Bert\n")
    assert table.columns == ("id", "title", "artist")
    assert cells(table) == [("1", "Sea", "Anna"), ("2", "Hills", "Bert")]
    assert any("is taken for the header" in remark for remark in table.remarks) is not above.startswith("sep")


def test_works_that_are_called_by_names_of_columns_are_no_header() -> None:
    table = read("id,title,artist\n1,The title of the artist,Title\n2,date,artist\n")
    assert len(cells(table)) == 2


def test_line_ends_of_other_systems_and_blanks_after_separators_are_read() -> None:
    assert cells(read("id,title\r\r\n1,a\r\r\n2,b\r\r\n")) == [("1", "a"), ("2", "b")]
    assert cells(read("id,title\n1,a\r2,b\r\n3,c")) == [("1", "a"), ("2", "b"), ("3", "c")]
    assert cells(read("id,title\u20281,a\u20282,b")) == [("1", "a"), ("2", "b")]
    assert cells(read("id,title\x851,a\x852,b")) == [("1", "a"), ("2", "b")]
