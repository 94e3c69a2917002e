import pytest
from pyspark.ml import PipelineModel
from pyspark.ml.feature import VectorSlicer
from pyspark.ml.functions import vector_to_array
from pyspark.sql import functions as F

from common.errors import UserError
from common.learning.vectorizer import (
    FEATURES,
    LABEL,
    feature_names,
    feature_sources,
    fit_vectorizer,
    vectorize,
)


@pytest.fixture(scope="module")
def vectorizer(people, spec):
    return fit_vectorizer(people, spec, "onehot")


def test_each_feature_has_a_name(people, spec, vectorizer):
    names = feature_names(vectorizer, spec)
    row = vectorize(people, vectorizer, spec).where("education = 'HS-grad' and sex = 'Male'").first()
    values = dict(zip(names, row[FEATURES].toArray(), strict=True))
    assert values["education=HS-grad"] == values["sex=Male"] == 1
    assert values["sex=Female"] == values["sex other"] == 0
    assert len(names) == len(set(names))


def test_each_feature_comes_from_its_column(spec, vectorizer):
    names, sources = feature_names(vectorizer, spec), feature_sources(vectorizer, spec)
    assert set(sources) == {column.name for column in spec.inputs}
    assert all(name.startswith(source) for name, source in zip(names, sources, strict=True))


def test_features_of_a_further_stage_are_not_named_as_those_before_it(spec, vectorizer):
    """Features that a stage had selected got the names of the first ones, and their importances."""
    further = PipelineModel([*vectorizer.stages, VectorSlicer(inputCol=FEATURES, indices=[3, 5])])
    with pytest.raises(ValueError, match="which features a VectorSlicer leaves is not known: say here"):
        feature_names(further, spec)


def test_numbers_are_scaled_to_the_range_of_the_training_rows(people, spec, vectorizer):
    first = vector_to_array(F.col(FEATURES))[0]
    found = vectorize(people, vectorizer, spec).agg(F.min(first), F.max(first)).first()
    assert tuple(found) == (0.0, 1.0)


def test_label_is_the_place_among_the_specs_labels(people, spec, vectorizer):
    found = vectorize(people, vectorizer, spec).select("income", LABEL).distinct().collect()
    assert {tuple(row) for row in found} == {("<=50K", 0.0), (">50K", 1.0)}


def test_category_that_was_never_seen_is_no_error(people, spec, vectorizer):
    strange = people.limit(1).withColumn("sex", F.lit("?")).withColumn("race", F.lit(None).cast("string"))
    names = feature_names(vectorizer, spec)
    values = dict(
        zip(names, vectorize(strange, vectorizer, spec).first()[FEATURES].toArray(), strict=True)
    )
    assert values["sex other"] == values["race other"] == 1
    assert values["sex=Male"] == values["sex=Female"] == 0


def test_features_carry_no_attributes(people, spec, vectorizer):
    assert vectorizer.transform(people).schema[FEATURES].metadata
    assert vectorize(people, vectorizer, spec).schema[FEATURES].metadata == {}


def test_index_encoding_is_one_place_a_column(people, spec):
    vectorizer = fit_vectorizer(people, spec, "index")
    assert feature_names(vectorizer, spec) == spec.names_of("numeric") + spec.names_of("category")
    assert vectorize(people, vectorizer, spec).first()[FEATURES].size == 14


def test_unknown_encoding_is_refused(people, spec):
    with pytest.raises(UserError, match="encoding must be one of onehot, index, got 'hash'"):
        fit_vectorizer(people, spec, "hash")
