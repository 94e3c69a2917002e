"""The names of the columns that scoring adds to a file's own."""

from collections.abc import Mapping, Sequence
from itertools import chain, count

from common.scoring.kept_model import KeptModel
from common.scoring.outputs import outputs_of
from common.scoring.records import LINE, REASON

# Before the name of a column that is added, if the file has a column of this name.
MODEL = "model "


def added_names(there: Sequence[str], model: KeptModel) -> dict[str, str]:
    """Return the names of the columns that scoring adds to a file.

    Args:
        there: Names of the columns of the file.
        model: The model.

    Returns:
        For each of the model's outputs, and for REASON and LINE, the name of its column: its own or, if
        the file has a column of one of these names, that after MODEL; with a number if it has these too,
        as a file that was scored before.
    """
    added, given = [*outputs_of(model.target), REASON, LINE], {name.lower() for name in there}
    around = (("", ""), (MODEL, "")), ((MODEL, f" {number}") for number in count(2))
    tried = ({name: f"{before}{name}{after}" for name in added} for before, after in chain(*around))
    return next(names for names in tried if not given & {name.lower() for name in names.values()})


def renamed_outputs(names: Mapping[str, str], model: KeptModel) -> list[str]:
    """Say how the model's outputs are called, if not by their own names."""
    own = [repr(names[output]) for output in outputs_of(model.target) if names[output] != output]
    if not own:
        return []
    return [f"the file has a column of the name of one of the model's, which are called {', '.join(own)}"]
