"""Cells of dates, times, amounts and the like, drawn by hypothesis: Python and Spark read each alike."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from common.data import reading
from tests.one_reading.test_kinds import HEADER, KINDS, assert_same, csv_line, spec

RECORDS = 1500

MARKS = st.sampled_from(["", "?", "n/a", "-", "N/A", "-999", "-999.0", "-999,0", "null"])
DAYS = st.dates().map(str) | st.from_regex(r"\A[0-9]{4}[-/][0-3][0-9][-/][0-3][0-9]\Z")
CLOCKS = (
    st.times().map(str)
    | st.from_regex(r"\A[0-2][0-9](:[0-6][0-9]){1,2}(\.[0-9]{0,8})?\Z")
    | st.just("00:00")
)
ZONES = st.sampled_from(["", "", "Z", "+02:00", "-1130", "+05", "+24:00", "z", " Z", "+1:00"])
TIMES = st.builds("{}{}{}{}".format, DAYS, st.sampled_from("T  t"), CLOCKS, ZONES)
DIGITS = st.from_regex(r"\A[0-9]{1,4}([,. '\u2019\u00a0][0-9]{2,3}){0,3}([.,][0-9]{0,3})?\Z")
NUMBERS = DIGITS | st.floats(-1e6, 1e6).map(repr) | st.integers(-(10**6), 10**6).map(str)
UNITS = st.sampled_from(["", "", "$", "€", "EUR", "eur", "Kč", "%", "₹"])
SIGNS, BLANKS = (
    st.sampled_from(["", "", "", "-", "+", "("]),
    st.sampled_from(["", "", " ", "\u00a0", "  "]),
)
ENDS = st.sampled_from(["", "", "", ")", "-", "%", " %"])
AMOUNTS = st.builds("".join, st.tuples(SIGNS, UNITS, BLANKS, SIGNS, NUMBERS, BLANKS, UNITS, ENDS))
SIMPLE = st.builds("".join, st.tuples(st.sampled_from(["", "-", "("]), UNITS, NUMBERS, ENDS))
# Two of them have letters that look like those of a word, or become them in capitals.
WORDS = st.sampled_from(["true", "TRUE", "fAlse", "Yes", "no", "T", "f", "y", "N", "1", "0"])
WORDS |= st.sampled_from(["2", "on", "tru\u0435", "ye\u017f", "1.0", "YES."])
ODD = st.text(st.sampled_from(list("0123456789-/:.,+TZ ()$€%'eE٣")), max_size=12)
OF = {"b": WORDS, "d": DAYS | TIMES, "t": TIMES | DAYS, "p": SIMPLE | NUMBERS, "c": AMOUNTS | SIMPLE}
OF |= {"n": NUMBERS, "x": NUMBERS, "s": ODD}


@pytest.fixture(scope="module")
def drawn():
    """Distinct cells, each with the name of its column; the same on each run."""
    found = {}

    @settings(
        max_examples=RECORDS,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from("bddttttppcccccnxs").flatmap(
            lambda name: st.tuples(st.just(name), OF[name] | OF[name] | MARKS | ODD)
        )
    )
    def draw(cell):
        found[cell] = None

    draw()
    return list(found)


@pytest.mark.parametrize("decimal", [".", ","])
def test_drawn_cells_are_the_same_to_python_and_to_spark(ways_of, drawn, decimal):
    ways = ways_of(spec(decimal))
    lines = [csv_line({name: cell}) for name, cell in drawn]
    form = spec(decimal).input_form
    rows = reading.read_csv(HEADER + "".join(lines), form)
    expected = [
        row if good else reason
        for row, good, reason in zip(
            ways.rows_of(rows.values, form), rows.good, rows.reasons, strict=True
        )
    ]
    assert 0.2 < rows.good.mean() < 0.8
    for place, name in enumerate(KINDS):
        assert len({row[place] for row in expected if isinstance(row, tuple)}) > 2, name
    path = ways.folder / f"drawn {decimal}.csv"
    path.write_text("id," + HEADER + "".join(f"{place},{line}" for place, line in enumerate(lines)))
    assert_same(ways.each(path), expected, drawn)
