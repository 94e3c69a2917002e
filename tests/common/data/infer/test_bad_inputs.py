"""Every input that load_data must refuse is refused by one line that names what is wrong."""

import pytest

from common.data.infer import find_spec
from common.data.read import read_source
from common.errors import UserError
from tests.odd_tables import BAD_INPUTS, ODD_TABLES


def read(spark, asked):
    """The rows of a table, as load_data reads them."""
    found = find_spec(spark, **asked)
    return read_source(spark, found.spec, found.location).frame


@pytest.mark.parametrize(
    "bad",
    [bad for bad in BAD_INPUTS.values() if bad.by == "load_data"],
    ids=lambda bad: bad.name,
)
def test_bad_input_is_refused_in_one_line_that_names_what_is_wrong(spark, tmp_path, bad):
    asked = {"dataset": "auto", **bad.asked(tmp_path)}
    with pytest.raises(UserError) as refused:
        read(spark, asked)
    line = str(refused.value)
    assert "\n" not in line
    assert line.isprintable()
    assert len(line) < 500
    assert [text for text in bad.named if text.casefold() not in line.casefold()] == []


@pytest.mark.parametrize("name", ["csv_folder", "bom_and_crlf", "quoted_fields", "index_column"])
def test_folder_whose_files_all_begin_with_the_header_is_read(spark, tmp_path, name):
    table = ODD_TABLES[name]
    asked = {"dataset": "auto", "source": str(table.write(tmp_path)), "label": table.label}
    assert read(spark, asked).count() == len(table.cells)
