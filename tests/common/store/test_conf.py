"""Grids, spaces and gates from files: what is wrong with a file is one line."""

import pytest

from common.data.spec_yaml import load_given
from common.errors import UserError
from common.learning.learners import get_learner
from common.store.conf import load_gates, load_grid, load_space

GBT = get_learner("gbt")
READERS = {
    "grid": lambda given: load_grid(given, GBT),
    "space": lambda given: load_space(given, GBT),
    "gates": load_gates,
    "dataset": load_given,
}


@pytest.mark.parametrize("what", READERS)
def test_file_that_is_not_utf_8_is_refused_by_name(what, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("größe: [1]\n".encode("latin-1"))
    with pytest.raises(UserError, match=rf"{what} '.*mine.yaml' is not UTF-8 \(at byte 2\)"):
        READERS[what](str(path))


@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("given", ["x" * 300, "[" + '{"maxDepth": [3]}, ' * 20 + "]", "a\0b"])
def test_text_that_can_be_no_files_name_is_unknown(what, given):
    with pytest.raises(UserError, match=f"{what} .* is unknown: give one of"):
        READERS[what](given)


@pytest.mark.parametrize("what", READERS)
def test_file_of_nobodys_home_is_unknown(what):
    with pytest.raises(UserError, match=f"{what} '~nobody-has-it/x.yaml' is unknown: give one of"):
        READERS[what]("~nobody-has-it/x.yaml")


def test_file_is_found_in_the_users_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.yaml").write_text("maxDepth: [3]\n")
    assert load_grid("~/mine.yaml", GBT) == {"maxDepth": [3]}
    with pytest.raises(UserError, match="dataset '~/mine.yaml' .*maxDepth"):
        load_given("~/mine.yaml")


def test_byte_order_mark_of_a_file_is_no_part_of_it(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("maxDepth: [3]\n".encode("utf-8-sig"))
    assert load_grid(str(path), GBT) == {"maxDepth": [3]}
