"""Small files, each read by load_data, by predict and by the service: the same values, or none."""

import pytest

from common.data.reading import encoding_name
from tests.one_reading.conftest import HEADER, Refused, line


def rows(*items):
    """Rows as `line` makes them, with these items."""
    return [(item, 5, 2.5, 1) for item in items]


def text(item):
    """A file without a header: a line with this item, and one that is always well-formed."""
    return line(item) + line("last")


# Name of a file: its content, and its rows or the message.
FILES = {
    # Quotes, by RFC 4180.
    "quote doubled in quotes": (text('"24"" monitor"'), rows('24" monitor', "last")),
    "separators and quotes in quotes": (text('"a, ""b"", c"'), rows('a, "b", c', "last")),
    "backslash at the end of quotes": (text('"end\\"'), rows("end\\", "last")),
    "backslash before a quote": (text('"a\\""b"'), rows('a\\"b', "last")),
    "line break in quotes": (text('"over\nlines"'), rows("over\nlines", "last")),
    "CRLF in quotes": (text('"over\nlines"').replace("\n", "\r\n"), rows("over\nlines", "last")),
    "many line breaks in quotes": (text('"a\n\n\nb\n"'), rows("a\n\n\nb\n", "last")),
    "quotes alone on a line": (text('"a\n""\n"'), rows('a\n"\n', "last")),
    "separator after a line break in quotes": (text('"a\n,b"'), rows("a\n,b", "last")),
    "line that ends and begins quotes": (
        HEADER.strip() + ',note\n"a\nb",5,2.5,1,Yes,"no\nte"\nc,5,2.5,1,Yes,\n',
        rows("a\nb", "c"),
    ),
    "quotes around all": ('"item","n","price","size","bought"\n"x","5","2.5","1","Yes"\n', rows("x")),
    "header over lines": (HEADER.replace("item", 'item,"no\nte"') + line('x,"a\nb"'), rows("x")),
    "quote within a field": (text('5" pipe'), rows('5" pipe', "last")),
    "more after quotes": (text('"a"b'), "line 1 has text between a closing quote"),
    "more after quotes, over lines": (text('"a\nb"c'), "line 1 has text between a closing quote"),
    "quote that is not closed": (text('"a'), "line 1 opens a quote that is not closed"),
    "quote that is not closed, further down": (
        line() + text('"a'),
        "line 2 opens a quote that is not closed",
    ),
    "quote that is not closed, at the end": (
        line('"a\nb"') + 'x,5,2.5,1,"Yes',
        "line 3 opens a quote that is not closed",
    ),
    # Lines.
    "CRLF": ((line("a") + line("b")).replace("\n", "\r\n"), rows("a", "b")),
    "CR alone": ((line("a") + line("b")).replace("\n", "\r"), rows("a", "b")),
    "no line break at the end": (line("a") + line("b").rstrip(), rows("a", "b")),
    "empty lines": ("\n" + line("a") + "\n  \n" + line("b") + "\n\n", rows("a", "b")),
    "other line ends of Unicode": (text("a\u2028\x0b\x85b"), rows("a\u2028\x0b\x85b", "last")),
    "nothing": ("\n \n", "has no rows|has no records"),
    "too few fields": (line() + "x,5,2.5\n", "has 3 fields, expected 5"),
    "too many fields": (line() + "x,5,2.5,1,Yes,6\n", "has 6 fields, expected 5"),
    "separator at the end": (line() + "x,5,2.5,1,Yes,\n", "has 6 fields, expected 5"),
    "separator at the end of all": (HEADER.strip() + ",\nx,5,2.5,1,Yes,\n", rows("x")),
    "other fields in the first line": ("x,5\n" + line(), "nor the 5 fields per line"),
    # Header.
    "header": (HEADER + line(), rows("x")),
    "header in another order": ("bought,size,price,n,item\nYes,1,2.5,5,x\n", rows("x")),
    "header in another case": (HEADER.upper() + line(), rows("x")),
    "header with spaces": (" item , n,price,size , bought\n" + line(), rows("x")),
    "header with an index without a name": ("," + HEADER + "0," + line(), rows("x")),
    "header with columns more": (
        "id," + HEADER.strip() + ",note\n7," + line().strip() + ",y\n",
        rows("x"),
    ),
    "mark of byte order and a header": ("\ufeff" + HEADER + line(), rows("x")),
    "mark of byte order alone": ("\ufeff" + line("x") + line("y"), rows("x", "y")),
    "header twice": (HEADER + line() + HEADER, "column 'n' is 'n', expected a whole number"),
    "header without a column": ("item,n,price,bought\nx,5,2.5,Yes\n", "has no column 'size'"),
    "header with a name of its own": (HEADER.replace("size", "sice") + line(), "has no column 'size'"),
    "header with another's name twice": (
        "id,note,NOTE,," + HEADER.strip() + ",\n7,a,b,c," + line().strip() + ",d\n",
        rows("x"),
    ),
    "header with names that are used here": (
        "__record,__FILE,__fits," + HEADER + "1,2,3," + line(),
        rows("x"),
    ),
    "header with a name twice": ("N," + HEADER + "7," + line(), "has the column 'N' twice"),
    "header alone": (HEADER, "has no rows"),
    "first cell is a column's name": (text("item"), rows("item", "last")),
    "first cell is another column's name": (text("Price"), rows("Price", "last")),
    # Encodings.
    "not of ASCII": (text("München") + line("性") + line("a𝄞b"), rows("München", "last", "性", "a𝄞b")),
    "bytes of Latin-1": ((line() + text("München")).encode("latin-1"), "line 2 is not valid utf-8"),
    "bytes of UTF-16": (text("x").encode("utf-16"), "line 1 is not valid utf-8"),
    "half a character": ((line() + line()).encode() + b"x\xc3", "line 3 is not valid utf-8"),
    "half a pair": (line().encode() + b"\xed\xa0\x80,5,2.5,1,Yes\n", "line 2 is not valid utf-8"),
}


@pytest.mark.parametrize("name", FILES)
def test_file_is_the_same_to_training_batch_and_service(ways, name):
    given, expected = FILES[name]
    content = given.encode() if isinstance(given, str) else given
    path = ways.folder / f"{list(FILES).index(name)}.csv"
    path.write_bytes(content)
    if name == "header alone":
        # A request without records has no scores; a file without records is refused.
        assert ways.served(content) == []
        assert ways.batch(path) == []
        with pytest.raises(Refused, match=expected):
            ways.train(path)
    elif isinstance(expected, str):
        for way, source in ((ways.served, content), (ways.batch, path), (ways.train, path)):
            with pytest.raises(Refused, match=expected):
                way(source)
    else:
        assert ways.served(content) == expected
        assert sorted(ways.batch(path), key=str) == sorted(expected, key=str)
        assert sorted(ways.train(path), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso8859-15", "koi8-r"])
def test_file_in_its_declared_encoding_is_read_as_its_text(ways, encoding):
    items = {"koi8-r": "Мир"}.get(encoding, "Münch€n" if encoding != "latin-1" else "München")
    path = ways.folder / f"{encoding}.csv"
    path.write_bytes((HEADER + line(items)).encode(encoding))
    assert ways.train(path, encoding) == ways.batch(path, encoding) == rows(items)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "iso8859-15", "koi8-r"])
def test_utf8_in_place_of_another_encoding_is_refused(ways, encoding):
    path = ways.folder / f"not-{encoding}.csv"
    path.write_bytes((HEADER + line() + line("Köln") + line("Мир 10 €") * 9).encode())
    for way in (ways.train, ways.batch):
        with pytest.raises(Refused, match=f"is UTF-8, not {encoding_name(encoding)}: give the file's"):
            way(path, encoding)


def test_word_that_could_be_utf8_is_read_in_its_own_encoding(ways):
    path = ways.folder / "her.csv"
    path.write_bytes((HEADER + line("Её")).encode("cp1251"))
    assert ways.train(path, "cp1251") == ways.batch(path, "cp1251") == rows("Её")


def test_one_file_of_another_encoding_in_a_folder_is_named(ways):
    folder = ways.folder / "two encodings"
    folder.mkdir()
    (folder / "a.csv").write_bytes((HEADER + line("Köln")).encode("cp1252"))
    (folder / "b.csv").write_bytes((HEADER + line("x")).encode("cp1252"))
    # A single such line may be text, the others say that the file is not.
    (folder / "c.csv").write_bytes((HEADER + line("Ã¶") + line("Köln")).encode("cp1252"))
    assert sorted(ways.train(folder, "cp1252")) == sorted(rows("Köln", "x", "Ã¶", "Köln"))
    (folder / "b.csv").write_bytes((HEADER + line("Köln")).encode())
    for way in (ways.train, ways.batch):
        with pytest.raises(Refused, match="b.csv: is UTF-8, not cp1252"):
            way(folder, "cp1252")


def test_byte_that_an_encoding_does_not_have_is_refused_with_its_line(ways):
    path = ways.folder / "cp1252-hole.csv"
    path.write_bytes(line().encode() + b"\x81,5,2.5,1,Yes\n")
    for way in (ways.train, ways.batch):
        with pytest.raises(Refused, match="line 2 is not valid cp1252: give the file's encoding"):
            way(path, "cp1252")


@pytest.mark.parametrize("name", ["a[1].csv", "b*{x,y}?.csv", "c 100%,d.csv", "e\\f.csv"])
def test_path_is_taken_for_itself(ways, name):
    folder = ways.folder / f"folder of {name}"
    folder.mkdir()
    (folder / name).write_text(line("this"))
    (ways.folder / "a1.csv").write_text(line("another"))
    assert ways.train(folder / name) == rows("this")
    assert ways.batch(folder) == rows("this")


def test_files_of_a_folder_have_the_same_header(ways):
    folder = ways.folder / "headers"
    folder.mkdir()
    (folder / "1.csv").write_text(HEADER + line("a"))
    (folder / "2.csv").write_text(HEADER + line('"b\nc"'))
    assert sorted(ways.train(folder)) == sorted(ways.batch(folder)) == rows("a", "b\nc")
    (folder / "3.csv").write_text(line("d"))
    for way in (ways.train, ways.batch):
        with pytest.raises(Refused, match="3.csv: does not begin with .* of the first file, '1.csv'"):
            way(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("_hidden.csv", "is hidden from Spark"),
        ("10:30.csv", "10:30.csv has a colon in a file's name, which Spark does not"),
    ],
)
def test_file_whose_name_spark_does_not_read_is_refused(ways, name, message):
    path = ways.folder / name
    path.write_text(line())
    for way in (ways.train, ways.batch):
        with pytest.raises(Refused, match=message):
            way(path)
