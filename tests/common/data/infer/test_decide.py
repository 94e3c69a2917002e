import pytest

from common.data.infer.decide import decide, is_named_id
from common.data.infer.doubt import needs_all
from common.data.infer.facts import Facts, choose_markers


def few(name="x", kind="string", values=None, rows=None, **more):
    """The facts of a column with few values, given as counts."""
    given = sum(values.values())
    rows = given if rows is None else rows
    return Facts(name, rows, {kind: given}, values=values, estimate=len(values), **more)


def many(name="x", rows=1000, kinds=None, estimate=1000, **more):
    """The facts of a column with more values than are kept."""
    return Facts(name, rows, kinds or {"string": rows}, estimate=estimate, **more)


CASES = [
    # Numbers.
    (few(kind="integer", values={"0": 50, "1": 50}), "integer", "numeric", "whole numbers"),
    (many(kinds={"integer": 900, "double": 100}), "double", "numeric", "numbers"),
    (many(kinds={"whole": 1000}), "double", "numeric", "numbers"),
    (many("id", kinds={"double": 1000}), "double", "numeric", "numbers"),
    (many(kinds={"percent": 1000}), "percent", "numeric", "percentages"),
    (many(kinds={"percent": 999, "integer": 1}, estimate=300), "string", "category", "text, about 300"),
    (many(kinds={"currency": 900, "grouped": 100}), "currency", "numeric", "amounts"),
    (many(kinds={"grouped": 900, "integer": 100}), "currency", "numeric", "numbers with thousands"),
    (many(kinds={"integer": 30}, estimate=30), "integer", "numeric", "whole numbers; 97% missing"),
    (many(rows=50_000, kinds={"double": 10}, estimate=10), "double", "numeric", "numbers; >99% missing"),
    (many(kinds={"double": 12}, estimate=12), "double", "numeric", "numbers; 99% missing"),
    (few(kind="integer", values={"5": 40}, rows=50), "integer", "numeric", "whole numbers, all the same"),
    (many(kinds={"currency": 900, "integer": 100}), "currency", "numeric", "amounts and numbers"),
    (many(kinds={"currency": 1000}, units=frozenset({"€"})), "currency", "numeric", "amounts in €"),
    (
        many(kinds={"currency": 1000}, units=frozenset({"EUR", "$"}), estimate=400),
        "string",
        "category",
        "amounts in several currencies ($, EUR), about 400 values",
    ),
    (
        many(example="01/12/2024"),
        "string",
        "ignored",
        "; dates are read as 2024-12-31, not 01/12/2024",
    ),
    *(
        (many(example=day), "string", "ignored", f"; dates are read as 2024-12-31, not {day}")
        for day in (
            "03-Oct-2021",
            "Oct 3, 2021",
            "2021-4-3",
            "2021.04.03",
            "2021-10-03 12:00 AM",
            "3 October 2021, 14:05",
            "2021-10-03 00:00:00 CEST",
            "10/03/21 2:05:07 PM",
        )
    ),
    (
        many(example="1.2.2024 12:30", estimate=90),
        "string",
        "category",
        "; dates are read as 2024-12-31, not 1.2.2024 12",
    ),
    (many(kinds={"long": 5, "integer": 5, "double": 990}), "double", "numeric", "numbers"),
    (
        few(kind="integer", values={"5": 3, "6": 1}, rows=900),
        "integer",
        "ignored",
        "whole numbers, too few to learn from: 4 of 900 rows have one; >99% missing",
    ),
    # Digits that are no numbers.
    (
        many(kinds={"integer": 900, "zeros": 100}, estimate=400),
        "string",
        "category",
        "digits with leading",
    ),
    (many(kinds={"long": 900, "integer": 100}, estimate=400), "string", "category", "digits beyond 64"),
    # Dates.
    (many(kinds={"date": 1000}), "date", "numeric", "dates"),
    (many(kinds={"timestamp": 1000}), "timestamp", "numeric", "times"),
    (many(kinds={"timestamp": 990, "date": 10}), "timestamp", "numeric", "times and dates"),
    # Yes or no.
    (few(kind="boolean", values={"Yes": 5, "no": 5}), "boolean", "category", "yes or no, 2 values"),
    (few(kind="boolean", values={"t": 5, "F": 5}), "boolean", "category", "yes or no"),
    (few(kind="boolean", values={"Yes": 5, "no": 5, "NO": 1}), "boolean", "category", "yes or no, 2"),
    (few(kind="boolean", values={"true": 5, "TRUE": 5}), "boolean", "ignored", "constant"),
    (few(kind="boolean", values={"Y": 5, "y": 5}, rows=12), "boolean", "category", "yes or no, 1 value"),
    (few(kind="boolean", values={"n": 5, "f": 5, "y": 1}), "string", "category", "text, 3 values"),
    (few(kind="boolean", values={"yes": 5, "true": 5}), "string", "category", "text, 2 values"),
    # Numbers with the other decimal mark.
    (
        many(estimate=109, example="21,5"),
        "string",
        "category",
        "text, about 109 values; 21,5 is no number by the file's decimal mark",
    ),
    # Categories.
    (few(values={"a": 500, "b": 400, "c": 1}), "string", "category", "text, 3 values"),
    (few(values={"a": 50}, rows=60), "string", "category", "text, 1 value"),
    (many(rows=100_000, estimate=2000), "string", "category", "text, about 2,000 values"),
    (many(estimate=760, words=1.3), "string", "category", "text, about 760 values"),
    (many(estimate=100, words=6.0), "string", "category", "text, about 100 values"),
    # Identifiers and free text.
    (many(), "string", "ignored", "unique text: an identifier"),
    (many(estimate=960), "string", "ignored", "almost unique text: an identifier"),
    (many(words=4.2), "string", "ignored", "free text: 4.2 words on average"),
    (many(estimate=600, words=9.0), "string", "ignored", "free text: 9.0 words on average"),
    (many(estimate=600, length=300.0), "string", "ignored", "free text"),
    (many(kinds={"zeros": 1000}), "string", "ignored", "unique digits with leading zeros: an identifier"),
    (
        many(kinds={"integer": 1000}, least=0.0, most=999.0),
        "integer",
        "ignored",
        "counts 0 to 999",
    ),
    (many(kinds={"integer": 1000}, least=1.0, most=1000.0), "integer", "ignored", "counts 1 to 1000"),
    (many(kinds={"integer": 1000}, least=1.0, most=1001.0), "integer", "numeric", "whole numbers"),
    (many(kinds={"integer": 1000}, least=5.0, most=9e6), "integer", "numeric", "whole numbers"),
    (
        many("customer_id", kinds={"integer": 1000}, least=5.0, most=9e6),
        "integer",
        "ignored",
        "by its name",
    ),
    (many("customer_id", kinds={"integer": 1000}, estimate=50), "integer", "numeric", "whole numbers"),
    # At a limit.
    (many(estimate=600, words=2.9), "string", "category", "text, about 600 values"),
    (many(estimate=600, words=3.0), "string", "ignored", "free text: 3.0 words on average"),
    (many(estimate=600, length=99.0), "string", "category", "text, about 600 values"),
    (many(estimate=600, length=100.0), "string", "ignored", "free text"),
    (many(kinds={"double": 500}, estimate=400), "double", "numeric", "numbers; 50% missing"),
    (many(kinds={"long": 900, "zeros": 100}, estimate=400), "string", "category", "digits beyond 64"),
    (many(kinds={"zeros": 900, "string": 100}, estimate=400), "string", "category", "text, about 400"),
    (
        many(kinds={"integer": 1000}, estimate=400, least=0.0, most=999.0, between=(0.0, 249.0)),
        "integer",
        "numeric",
        "whole numbers; 999 beside 0 to 249: list it under missing",
    ),
    # Nothing to learn from.
    (few(values={"a": 50}), "string", "ignored", "constant"),
    (few(kind="integer", values={"7": 50}), "integer", "ignored", "constant"),
    (Facts("x", 50, {}, values={}), "string", "ignored", "no values"),
    # A mistake among numbers is shown.
    (
        many(kinds={"integer": 998, "string": 2}, estimate=300, example="abc"),
        "string",
        "category",
        "text, about 300 values: 2 of 1,000 are no numbers or dates, such as 'abc'",
    ),
    (
        many(kinds={"double": 999, "code": 1}, example="NV"),
        "string",
        "ignored",
        "text, almost each of its own: 1 of 1,000 is no number or date, namely 'NV' (to read",
    ),
]


CASES += [
    (many(name, kinds={"integer": 1000}, least=5.0, most=9e6), "integer", "ignored", "by its name")
    for name in (
        "Index",
        "Unnamed: 0",
        "__index_level_0__",
        "rowid",
        "row_ID",
        "rownames",
        "row_number",
        "",
    )
]


@pytest.mark.parametrize(("facts", "type", "role", "why"), CASES, ids=lambda case: str(case)[:60])
def test_column_is_decided_by_its_counts(facts, type, role, why):
    found = decide(facts)
    assert (found.type, found.role) == (type, role)
    assert found.why.startswith(why) or why in found.why


@pytest.mark.parametrize(("words", "all_rows"), [(("true", "TRUE"), True), (("true", "false"), False)])
def test_one_word_in_a_part_of_the_rows_is_counted_over_all(words, all_rows):
    assert needs_all(few(kind="boolean", values=dict.fromkeys(words, 5)), 1000) == all_rows


@pytest.mark.parametrize("text", ["00.00.00", "18.00.00", "0000-00-00", "2023-02-30", "10.99.2024"])
def test_what_is_no_date_is_not_told_to_be_one_that_is_written_otherwise(text):
    assert "dates are read" not in decide(many(estimate=24, example=text)).why


# The least and the largest of all numbers, those of the numbers that are no codes, and which are told.
CODED = [
    (-999, 70, (0, 70), "-999"),
    (0, 9999, (0, 70), "9999"),
    (-99, 999, (18, 70), "-99 and 999"),
    (-9, 1, (0, 1), "-9"),
    (-99, 70, (-80, 70), ""),
    (-98, 70, (0, 70), ""),
    (0, 99, (0, 70), ""),
    (0, 99999, (0, 41310), ""),
    (-99, -99, None, ""),
]


@pytest.mark.parametrize(("least", "most", "between", "said"), CODED)
def test_number_that_may_be_a_code_is_told(least, most, between, said):
    why = decide(many(kinds={"double": 1000}, least=least, most=most, between=between)).why
    shown = f"numbers; {said} beside {between[0]} to {between[1]}: list it under" if said else "numbers"
    assert why.startswith(shown)
    assert said or why == "numbers"


@pytest.mark.parametrize(
    "name", ["id", "ID", "user_id", "user-id", "PassengerId", "customerID", "Unnamed: 0", "index"]
)
def test_name_says_that_a_column_tells_rows_apart(name):
    assert is_named_id(name)


@pytest.mark.parametrize("name", ["paid", "Covid", "PAID", "humid", "idea", "id_count"])
def test_name_that_ends_like_an_identifier_is_none(name):
    assert not is_named_id(name)


NUMBERS = {"integer": 90}


@pytest.mark.parametrize(
    ("columns", "markers"),
    [
        ([("integer", {"-": 3, "None": 1})], ("None", "-")),
        ([("string", {"-": 3, "None": 1, ".": 2, "missing": 4})], ()),
        ([("string", {"NA": 3, "?": 2, "nan": 1})], ("?", "NA", "nan")),
        ([("code", {"NA": 3})], ()),
        ([("code", {"NA": 3}), ("double", {"NA": 1})], ("NA",)),
        ([("boolean", {"N/A": 3, "-": 1})], ("N/A",)),
        ([("date", {"missing": 3})], ("missing",)),
    ],
)
def test_markers_are_chosen_by_what_stands_beside_them(columns, markers):
    facts = [Facts("x", 100, {kind: 90}, marked) for kind, marked in columns]
    assert choose_markers(facts) == markers


def test_markers_that_are_not_chosen_are_texts():
    facts = Facts("x", 10, {"integer": 7}, {"?": 2, "-": 1}, {"?": 2, "-": 1, "5": 7}, 3)
    cleaned = facts.without(("?",))
    assert (cleaned.kinds, cleaned.values) == ({"integer": 7, "string": 1}, {"-": 1, "5": 7})
    assert cleaned.missing == pytest.approx(0.2)
    assert cleaned.example == "-"
