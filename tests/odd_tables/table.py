"""What an odd table is, and the list of all of them."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from .forms import Csv, Form, Raw

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"

Make = Callable[[np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class OddTable:
    """A table from which a model can be learned in spite of an oddity.

    Attributes:
        name: Its name, also of its file.
        what: The oddity, in a few words.
        label: The column to predict, as given to the command.
        task: binary, multiclass or regression.
        make: Returns the cells from a seeded generator. Text is written as it is.
        form: The form on disk.
        without_label: Number of rows whose label is missing, which training must leave out.
    """

    name: str
    what: str
    label: str
    task: str
    make: Make
    form: Form = field(default_factory=Csv)
    without_label: int = 0

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The cells of all rows; the same on every call and in every process."""
        return self.make(seeded(self.name))

    def write(self, folder: Path) -> Path:
        """Write the table into a folder; return the path of its file or folder."""
        return self.form.write(self.cells, folder, self.name)

    def write_some(self, folder: Path, places: np.ndarray) -> Path:
        """Write some of the rows, by position, as one file in the table's form; return its path."""
        return replace(self.form, files=1).write(self.cells.iloc[places], folder, f"{self.name}_rows")

    def read(self, path: Path) -> pd.DataFrame:
        """Read what was written as a user of pandas would, who knows the form."""
        return self.form.read(path)


@dataclass(frozen=True)
class BadInput:
    """A command that must be refused with one line.

    Attributes:
        name: Its name, also of its file.
        what: What is wrong, in a few words.
        label: The label given to the command.
        named: Texts that the line must contain, whatever the case.
        make: Returns the cells from a seeded generator.
        options: Further options of the command, by name; {folder} is that of the files.
        form: The form on disk; a folder is left out of the error if it is only one file of it.
        by: The step that refuses it.
        beside: Text of further files, by name.
    """

    name: str
    what: str
    label: str
    named: tuple[str, ...]
    make: Make
    options: Mapping[str, str] = field(default_factory=dict)
    form: Form | Raw = field(default_factory=Csv)
    by: str = "load_data"
    beside: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the table and what is beside it into a folder; return its path."""
        for name, text in self.beside.items():
            (folder / name).write_text(text, encoding="utf-8")
        return self.form.write(self.make(seeded(self.name)), folder, self.name)

    def asked(self, folder: Path) -> dict[str, str]:
        """Write the files into a folder; return the options of the command."""
        given = {"source": str(self.write(folder)), "label": self.label, **self.options}
        return {name: value.replace("{folder}", str(folder)) for name, value in given.items()}


ODD_TABLES: dict[str, OddTable] = {}
BAD_INPUTS: dict[str, BadInput] = {}


def odd_table(
    what: str, label: str, task: str, form: Form | None = None, without_label: int = 0
) -> Callable[[Make], Make]:
    """Return a decorator that lists the table which a function makes, under the function's name."""

    def enter(make: Make) -> Make:
        name = make.__name__
        ODD_TABLES[name] = OddTable(name, what, label, task, make, form or Csv(), without_label)
        return make

    return enter


def bad_input(
    what: str,
    label: str,
    *named: str,
    form: Form | Raw | None = None,
    by: str = "load_data",
    beside: Mapping[str, str] | None = None,
    **options: str,
) -> Callable[[Make], Make]:
    """Return a decorator that lists the input which a function makes, under the function's name."""

    def enter(make: Make) -> Make:
        name = make.__name__
        BAD_INPUTS[name] = BadInput(
            name, what, label, named, make, options, form or Csv(), by, beside or {}
        )
        return make

    return enter


def seeded(name: str) -> np.random.Generator:
    """Return a generator of random numbers that depends on a name alone."""
    return np.random.default_rng(zlib.crc32(name.encode()))
