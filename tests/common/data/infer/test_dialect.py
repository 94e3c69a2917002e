import pytest

from common.data.infer import dialect as module
from common.data.infer.dialect import find_dialect
from common.data.reading import Unreadable

COMMA = "a,b,y\n1,x,no\n2,z,yes\n"


def of(text, encoding="utf-8", **given):
    return find_dialect(text.encode(encoding), **given)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        (COMMA, ","),
        (COMMA.replace(",", ";"), ";"),
        (COMMA.replace(",", "\t"), "\t"),
        (COMMA.replace(",", "|"), "|"),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("1,5;2,5\n3,5;4,5\n", ";"),
        ("x,a;b,3\ny,c;d,4\n", ","),
        ('a,b\n1,"x;y;z"\n2,"u;v;w"\n', ","),
        ('a,b\n1,"x\n\n;y"\n2,"u"\n', ","),
        ("a\n1\n2\n", ","),
        ("a,b\n1,2\n3,4,5\n6,7\n", ","),
    ],
)
def test_separator_gives_most_records_the_same_width(text, separator):
    assert of(text).separator == separator


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("a;b\n1,5;x\n2,25;y\n", ","),
        ("a;b\n1.234,50;x\n2.000,00;y\n", ","),
        ("a;b\n1.5;x\n2.25;y\n", "."),
        ("a;b\n1,234;x\n2,345;y\n", ","),
        ("a\tb\n1,234\tx\n2,345\ty\n", "."),
        ("a;b\n1,234;1.5\n2,345;2.5\n", "."),
        ('a,b\n"1,5",x\n"2,5",y\n', ","),
        # Where a comma separates the fields, it may also be a text of two numbers.
        ('a,b\n"1,5",0.5\n"2,5",1.5\n"2,7",3\n', "."),
        ('a,b\n"1,5","1,234"\n"2,5","5,678"\n', "."),
        ('a,b\n"1,5",x\n"1,2,3",y\n', "."),
        # Amounts and percentages.
        ("a;b\n1.234,50 €;x\n€ 2,00;y\n", ","),
        ("a;b\n12,5 %;x\n3%;y\n", ","),
        ("a;b\n($1,200.50);x\n-$3;y\n", "."),
        # Thousands.
        ("a;b\n1.234.567;x\n2.345;y\n", ","),
        ("a;b\n1,234,567;x\n2,345;y\n", "."),
        ("a;b\n2.850;x\n993;y\n1.825;z\n", ","),
        ("a;b\n2.850 €;x\n993 €;y\n1.825 €;z\n", ","),
        ("a;b\n2,850;x\n993;y\n1,825;z\n", "."),
        ("a;b\n2.851;x\n993;y\n1.825;z\n", "."),
        ("a;b\n2.850;x\n1993;y\n1.825;z\n", "."),
        ("a;b;c\n1.234;2.345;1,5\n2.345;4.567;2,5\n", ","),
        ("a;b\n1.5;1,x\n2.5;1,y\n", "."),
        ("a;b\n1,5 or so;1\n2,5;2\nmany;3\n", "."),
        # Points between thousands stand in no file whose fields are apart by commas or bars.
        ("a,b\n1.250,x\n2.500,y\n3,z\n", "."),
        ("a|b\n1.250|x\n2.500|y\n3|z\n", "."),
        ("a\tb\n1.250\tx\n2.500\ty\n3\tz\n", ","),
        # Of versions and hours all have a mark, of measurements some.
        ("a;b\n1.2;21,5\n1.3;22\n1.4;23\n", ","),
        ("a;b;c\n1.2;21,5;0.5\n1.3;22;7\n1.4;23;8\n", "."),
        ("a\tb\n1.2\t21,5\n1.3\t22\n1.4\t23\n", "."),
        # A few marks may be mistakes, but not if there are no others.
        ("a;b\n" + "0.5;x\n" * 20 + "3,5;y\n", "."),
        ("a;b\n" + "0.5;7\n" * 20 + "1.5;2,5\n", "."),
        ("a\tb\n" + "0,5\tx\n" * 9 + "1.5\ty\n", ","),
        ("a;b\n" + "7;x\n" * 20 + "3,5;y\n", ","),
        # Blanks between thousands.
        ("a;b\n32 500;x\n41\u00a0200;y\n850;z\n", ","),
        ("a;b\n555 123;1.5\n555 124;2.5\n", "."),
        ("a;b\n555 123;x\n555 124;y\n", "."),
        ("a\tb\n32 500\tx\n41 200\ty\n", "."),
    ],
)
def test_decimal_comma_is_seen_in_numbers(text, decimal):
    assert of(text).decimal == decimal


@pytest.mark.parametrize(
    ("content", "encoding", "others"),
    [
        (COMMA.encode(), "utf-8", ("cp1252", "latin-1")),
        (("\ufeff" + COMMA).encode(), "utf-8", ()),
        (COMMA.replace("x", "é").encode(), "utf-8", ()),
        (COMMA.replace("x", "é€").encode("cp1252"), "cp1252", ("latin-1",)),
        (COMMA.replace("x", "é\x81").encode("latin-1"), "latin-1", ()),
    ],
)
def test_encoding_is_the_first_that_decodes(content, encoding, others):
    found = find_dialect(content)
    assert (found.encoding, found.others) == (encoding, others)
    assert found.first == ("a", "b", "y")


def test_file_that_is_mostly_utf8_is_not_read_as_another_encoding():
    content = COMMA.replace("x", "é").replace("z", "ü").encode()
    with pytest.raises(Unreadable, match="line 4 is not valid utf-8"):
        find_dialect(content + b"3,\xe9,no\n")


def test_utf16_is_refused_with_what_to_do():
    with pytest.raises(Unreadable, match="UTF-16.* save it as UTF-8"):
        find_dialect(COMMA.encode("utf-16"))


@pytest.mark.parametrize(
    ("text", "names", "there"),
    [
        ("a,b\n1,x\n2,y\n", (), True),
        ("1,x\n2,y\n", (), False),
        ("red,x\nred,y\nblue,x\n", (), False),
        ("colour,kind\nred,x\nblue,x\n", (), True),
        ("red,red\nblue,x\n", (), False),
        ("day,n\n2024-01-01,x\n", (), True),
        ("2024-01-01,x\n2024-01-02,y\n", (), False),
        ("id,2019,2020\n1,5,6\n", (), False),
        ("id,2019,2020\n1,5,6\n", ("ID",), True),
        ("?,red\n5,blue\n6,red\n", (), False),
        (",a\n0,x\n1,y\n", ("a",), True),
        ("a,b\n", (), True),
    ],
)
def test_header_has_no_number_where_columns_have(text, names, there):
    assert of(text, names=names).has_header is there


def test_line_above_the_header_is_refused():
    with pytest.raises(Unreadable, match="1 fields in its first record but 3 in most"):
        of("Report\n" + COMMA * 2)


def test_file_of_blank_lines_has_no_records():
    with pytest.raises(Unreadable, match="has no records"):
        of("\n \n")


def test_head_that_ends_within_a_record_or_character_is_read_up_to_there(monkeypatch):
    text = 'a,b\n1,"x\ny"\n' + "2,é\n" * 50
    content = text.encode()
    for size in range(20, 40):
        monkeypatch.setattr(module, "HEAD", size)
        found = find_dialect(content[:size])
        assert (found.encoding, found.separator, found.has_header) == ("utf-8", ",", True)
    monkeypatch.setattr(module, "HEAD", 9)
    assert find_dialect(content[:9]).first == ("a", "b")


@pytest.mark.parametrize(
    ("begin", "told"),
    [
        (b"\xfd7zXZ\x00", "compressed by xz"),
        (b"\x28\xb5\x2f\xfd\x00", "compressed by Zstandard"),
        (b"BZh91AY", "compressed by bzip2"),
        (b"<!DOCTYPE html>\n<html>", "web page"),
        (b'{"a": 1}\n', "is JSON"),
        (b'\xef\xbb\xbf[\n  {\n    "a": 1', "is JSON"),
        (b"a.csv".ljust(257, b"\0") + b"ustar\0", "archive of tar"),
    ],
)
def test_file_that_is_no_csv_is_called_what_it_is(begin, told):
    with pytest.raises(Unreadable, match=told):
        find_dialect(begin + b"1,2\n" * 20)


ALIGNED = "18.0   8   307.0\t'chevelle'\n  9.5  10   82.0\t\"ford  pinto\"\n"


@pytest.mark.parametrize(
    ("text", "fields"), [(ALIGNED, 4), ("n   wage  y\n 1   2.5   a\n10  12.5   b\n", 3)]
)
def test_columns_aligned_by_blanks_are_called_so(text, fields):
    with pytest.raises(Unreadable, match=rf"has {fields} fields in each record, separated by one blank"):
        of(text)
    assert of(text, separator=" ").separator == " "


@pytest.mark.parametrize(
    "text",
    [
        "city\nNew  York\nSan Jose\n",
        "a,b\nx  y z,1\nu v  w,2\n",
        "a\tb\tc\n1\tx  y\t2\n3\tu  v\t4\n5\tw\t6\n",
    ],
)
def test_blanks_within_texts_separate_no_fields(text):
    assert of(text).separator in ",\t"
