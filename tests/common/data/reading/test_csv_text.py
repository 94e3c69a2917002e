"""CSV by the rules for a Python that repeats groups rightly, and for one before 3.11.5."""

import random
import re

import pytest

from common.data.reading import Unreadable, csv_text
from common.data.reading.csv_text import grammar, split_fields, split_records

PARTS = '"""aa \t\n'


@pytest.fixture(params=[True, csv_text.LOSES_PLACE], ids=["any Python", "this Python"])
def rules(request, monkeypatch):
    monkeypatch.setattr(csv_text, "LOSES_PLACE", request.param)
    csv_text._compiled.cache_clear()
    yield
    csv_text._compiled.cache_clear()


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ('a,"b\nc",d\n', [["a", "b\nc", "d"]]),
        ('"a\n""b"", \n",c\n1,2\n', [['a\n"b", \n', "c"], ["1", "2"]]),
        ('x,"\n"\n', [["x", "\n"]]),
        ('1,"a,b" , "c"\n', [["1", "a,b", "c"]]),
        ('a"b,c\n', [['a"b', "c"]]),
        ('a,"b"c\n', [None]),
    ],
)  # fmt: skip
def test_records_and_fields_are_told_apart(rules, text, records):
    assert [split_fields(record.text, ",") for record in split_records(text, ",")] == records


def test_quote_that_is_not_closed_is_named_by_its_line(rules):
    with pytest.raises(Unreadable, match="line 2 opens a quote that is not closed"):
        list(split_records('a,b\nc,"d\ne,f\n', ","))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_both_ways_to_repeat_a_group_say_the_same(separator):
    drawn = random.Random(7)
    letters = PARTS + 2 * separator
    texts = ["".join(drawn.choices(letters, k=drawn.randrange(15))) for _ in range(5000)]
    found = [
        [[bool(re.match(rule.replace(r"\z", r"\Z"), text)) for text in texts] for rule in rules[2:]]
        for rules in (grammar(separator, True), grammar(separator, csv_text.LOSES_PLACE))
    ]
    assert found[0] == found[1]
    assert all(0 < sum(of_rule) < len(texts) for of_rule in found[0])
