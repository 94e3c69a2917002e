"""The names of the columns that scoring adds to a file's own."""

from collections.abc import Mapping, Sequence

from common.errors import UserError
from common.scoring.kept_model import KeptModel
from common.scoring.outputs import outputs_of
from common.scoring.records import LINE, REASON

# Before the name of a column that is added, if the data set has a column of this name.
MODEL = "model "


def added_names(there: Sequence[str], model: KeptModel, source: str) -> dict[str, str]:
    """Return the names of the columns that scoring adds to a file.

    Args:
        there: Names of the columns of the file.
        model: The model.
        source: URI of the file, for the error.

    Returns:
        For each of the model's outputs, and for REASON and LINE, the name of its column: its own, or
        after MODEL if the data set's own files have a column of one of these names.

    Raises:
        UserError: Another column of the file has such a name.
    """
    added = [*outputs_of(model.target), REASON, LINE]
    given = {name.lower(): name for name in there}
    clashes = [given[name] for name in map(str.lower, added) if name in given]
    if not clashes:
        return {name: name for name in added}
    own = {model.form.in_file(name).lower() for name in model.form.layout}
    names = {name: f"{MODEL}{name}" for name in added}
    clashes = [name for name in clashes if name.lower() not in own]
    clashes += [given[name] for name in map(str.lower, names.values()) if name in given]
    if clashes:
        raise UserError(f"input {source} has a column {clashes[0]!r}, which the output adds: rename it")
    return names


def renamed_outputs(names: Mapping[str, str], model: KeptModel) -> list[str]:
    """Say how the model's outputs are called, if not by their own names."""
    own = [repr(names[output]) for output in outputs_of(model.target) if names[output] != output]
    if not own:
        return []
    return [f"the file has a column of the name of one of the model's, which are called {', '.join(own)}"]
