import numpy as np
import pytest
from pyspark.sql import functions as F

from common.scoring import models, stages
from common.scoring.export import ExportError, agreement, export, vocabulary


@pytest.fixture(scope="module")
def pipeline(fit_pipeline):
    return fit_pipeline("gbt", "onehot")


def test_export_compares_every_row(pipeline, spec, people):
    model, found = export(pipeline, spec, people)
    assert (found.rows, found.labels, found.numbers, found.refused) == (2000, 0, 0, 0)
    assert found.largest < 1e-14
    assert b"TreeEnsemble" in model


def plant(monkeypatch, fault):
    """Make one threshold or leaf of the trees be read wrongly."""
    right = models.gbt_forest

    def wrong(model):
        forest = right(model)
        fault(forest)
        return forest

    monkeypatch.setattr(models, "gbt_forest", wrong)


def move_a_leaf(forest):
    forest.leaves[0] = (forest.leaves[0][0] + 1e-4,)


def turn_all_leaves(forest):
    forest.leaves = [(-value,) for (value,) in forest.leaves]


def swap_a_roots_children(forest):
    root = forest.roots[0]
    forest.left[root], forest.right[root] = forest.right[root], forest.left[root]


@pytest.mark.parametrize("fault", [move_a_leaf, turn_all_leaves, swap_a_roots_children])
def test_planted_fault_is_found(pipeline, spec, people, monkeypatch, fault):
    plant(monkeypatch, fault)
    with pytest.raises(
        ExportError, match=r"differs from the Spark pipeline on 2000 test rows: \d+ labels"
    ):
        export(pipeline, spec, people)


def test_planted_fault_says_on_how_many_rows(pipeline, spec, people, monkeypatch):
    right = export(pipeline, spec, people)[0]
    plant(monkeypatch, turn_all_leaves)
    wrong = stages.pipeline_model(pipeline, spec).SerializeToString()
    found = agreement(pipeline, wrong, spec, people)
    assert 0 < found.labels <= found.numbers <= 2000
    assert agreement(pipeline, right, spec, people).labels == 0


def test_rows_that_the_portable_model_refuses_are_counted_and_not_compared(pipeline, spec, people):
    # The smallest 64-bit integer represents null.
    least = F.when(F.col("age") < 30, F.lit(-(2**63))).otherwise(F.col("fnlwgt"))
    some = people.withColumn("fnlwgt", least)
    young = people.where("age < 30").count()
    _, found = export(pipeline, spec, some)
    assert (found.rows, found.refused) == (2000 - young, young)
    with pytest.raises(ExportError, match=f"accepts none of the {young} test rows"):
        export(pipeline, spec, some.where("age < 30"))


def test_vocabulary_has_the_categories_and_the_range_of_every_column(pipeline, spec, sample_rows):
    known = vocabulary(pipeline, spec)
    rows = sample_rows.head(2000)
    assert list(known["columns"]) == [column.name for column in spec.inputs]
    assert set(known["columns"]["sex"]["categories"]) == set(rows["sex"])
    assert set(known["columns"]["education-num"]["categories"]) == set(map(str, rows["education-num"]))
    age = known["columns"]["age"]
    assert (age["least"], age["most"]) == (np.min(rows["age"]), np.max(rows["age"]))
    assert known["positive"] == ">50K"
