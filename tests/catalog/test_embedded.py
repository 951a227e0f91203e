"""Titles, captions, keywords, makers and dates that stand in pictures' files; all files are written here."""

import struct
from pathlib import Path

import pytest
from PIL import Image

from vernissage.catalog.loading import load_collection
from vernissage.catalog.sources.embedded import Embedded, embedded_in

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
photoshop:DateCreated="1893-05-00">
<dc:title><rdf:Alt><rdf:li xml:lang="de">Boote im Hafen</rdf:li><rdf:li xml:lang="x-default">Boats, ‘evening’</rdf:li>
</rdf:Alt></dc:title><dc:subject><rdf:Bag><rdf:li>boat</rdf:li><rdf:li>harbour</rdf:li><rdf:li>boat</rdf:li></rdf:Bag>
</dc:subject><dc:creator><rdf:Seq><rdf:li>Ada Müller</rdf:li><rdf:li>Bo Li</rdf:li></rdf:Seq></dc:creator>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
BOMB = """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<x><rdf:Description xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>&b;</dc:title></rdf:Description></x>"""


def iptc(*records: tuple[int, int, bytes]) -> bytes:
    """IPTC records as Photoshop's block of a JPEG."""
    data = b"".join(b"\x1c" + bytes([part, tag]) + struct.pack(">H", len(text)) + text for part, tag, text in records)
    block = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    content = b"Photoshop 3.0\0" + block
    return b"\xff\xed" + struct.pack(">H", len(content) + 2) + content


def exif(*, description: str = "", artist: str = "", title: str = "", taken: str = "") -> Image.Exif:
    data = Image.Exif()
    if description:
        data[0x010E] = description
    if artist:
        data[0x013B] = artist.encode()  # as many programs write it, though the standard has ASCII
    if title:
        data[0x9C9B] = (title + "\0").encode("utf-16-le")
    if taken:
        data.get_ifd(0x8769)[0x9003] = taken
    return data


def picture(path: Path, *, records: bytes = b"", **options: object) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    Image.new("RGB", (8, 6), "navy").save(path, **options)
    if records:
        raw = path.read_bytes()
        path.write_bytes(raw[:2] + records + raw[2:])
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_xmp_is_read_in_every_format_the_usual_language_first(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP)
        picture(path, pnginfo=info)
    elif suffix == "tif":
        picture(path, tiffinfo={700: XMP.encode()})
    else:
        picture(path, xmp=XMP.encode())
    assert embedded_in(path) == Embedded(
        title="Boats, ‘evening’", keywords=("boat", "harbour"), artist="Ada Müller; Bo Li", year="1893"
    )


@pytest.mark.parametrize(("mark", "encoding"), [(b"\x1b%G", "utf-8"), (b"", "latin-1"), (b"", "utf-8")])
def test_iptc_is_read_in_its_encoding(tmp_path: Path, mark: bytes, encoding: str) -> None:
    records = [
        (2, 5, "Bäume".encode(encoding)),
        (2, 25, b"tree"),
        (2, 25, "Grün".encode(encoding)),
        (2, 55, b"19010203"),
    ]
    records += [(2, 80, b"Cy"), (2, 120, "Ein Weg, früh".encode(encoding))]
    path = picture(tmp_path / "a.jpg", records=iptc(*([(1, 90, mark)] if mark else []), *records))
    assert embedded_in(path) == Embedded("Bäume", "Ein Weg, früh", ("tree", "Grün"), "Cy", "1901-02-03")


def test_exif_is_read_without_what_cameras_write(tmp_path: Path) -> None:
    told = exif(description="A hat", artist="Dé", title="Żółty", taken="2019:05:03 10:00:00")
    assert embedded_in(picture(tmp_path / "a.jpg", exif=told)) == Embedded("Żółty", "A hat", (), "Dé", "2019-05-03")
    told = exif(description="OLYMPUS DIGITAL CAMERA         ", taken="0000:00:00 00:00:00")
    assert embedded_in(picture(tmp_path / "b.jpg", exif=told)) == Embedded()


def test_field_by_field_xmp_goes_before_iptc_and_iptc_before_exif(tmp_path: Path) -> None:
    records = iptc((2, 5, b"By IPTC"), (2, 120, b"Caption by IPTC"))
    told = exif(description="By EXIF", artist="Of EXIF", taken="2019:05:03 10:00:00")
    path = picture(tmp_path / "a.jpg", records=records, exif=told, xmp=XMP.replace("dc:creator", "dc:other").encode())
    found = embedded_in(path)
    assert (found.title, found.description, found.artist, found.year) == (
        "Boats, ‘evening’", "Caption by IPTC", "Of EXIF", "1893",
    )  # fmt: skip


@pytest.mark.parametrize("raw", [BOMB.encode(), BOMB.encode("utf-16"), b"<x", b"\0\xff" * 50, XMP.encode() * 900])
def test_bombs_and_damaged_data_say_nothing_and_the_rest_is_read(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.webp"
    picture(path, xmp=raw, exif=exif(artist="Eve"))
    assert embedded_in(path) == Embedded(artist="Eve")


def test_a_folder_of_photographs_has_the_words_of_its_files(tmp_path: Path) -> None:
    picture(tmp_path / "works" / "IMG_0001.jpg", xmp=XMP.encode())
    picture(tmp_path / "works" / "IMG_0002.jpg", exif=exif(taken="2019:05:03 10:00:00"))
    picture(tmp_path / "works" / "red-hat.jpg", records=iptc((2, 5, b"DSC_0042"), (2, 120, b"\x1b]0;x\x07 <b>Hat</b>")))
    outside = picture(tmp_path / "outside.jpg", xmp=XMP.encode())
    (tmp_path / "works" / "link.jpg").symlink_to(outside)
    works = load_collection(tmp_path / "works")
    boats, dated, hat = (works[name] for name in ("IMG_0001", "IMG_0002", "red-hat"))
    assert boats.text == "Boats, ‘evening’. Ada Müller; Bo Li. 1893. boat, harbour"
    assert (dated.year, dated.text, dated.title) == ("2019-05-03", "", "IMG 0002")
    assert (hat.title, hat.description, hat.text) == ("Red hat", "]0;x Hat", "Red hat. ]0;x Hat")
    assert "link" not in works
    assert works.report is not None
    assert "pictures whose files say more of them (in XMP, IPTC or EXIF): 3" in works.report.remarks
