"""split by its command."""

from common.store import artifacts
from steps.load_data import load_data
from steps.split import split


def test_strata_that_were_given_are_those_of_the_steps_that_follow(call, slice_file):
    """So the model card, the pictures and champion's gates are about these."""
    _, loaded = call(load_data, source=slice_file)
    _, uri = call(split, data=f"{loaded}/data", strata="income, race")
    assert artifacts.read_text(f"{uri}/strata.csv").startswith("strata,train_count")
    assert "strata:\n- income\n- race\n" in artifacts.read_text(f"{uri}/dataset.yaml")
    _, uri = call(split, data=f"{loaded}/data")
    assert "strata:\n- income\n- sex\n" in artifacts.read_text(f"{uri}/dataset.yaml")
