"""The behaviour of a served model of the sample: what must not matter, what must, what is obvious.

The kinds of test are those of Ribeiro, Wu, Guestrin and Singh (2020), "Beyond Accuracy: Behavioral
Testing of NLP Models with CheckList": invariance, direction, minimum function.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from common.scoring.export import export
from common.scoring.kept_model import write_artifacts
from common.scoring.portable_model import PortableModel

PUPIL = {
    "age": 19,
    "workclass": "Private",
    "fnlwgt": 200_000,
    "education": "11th",
    "education-num": 7,
    "marital-status": "Never-married",
    "occupation": "Other-service",
    "relationship": "Own-child",
    "race": "White",
    "sex": "Female",
    "capital-gain": 0,
    "capital-loss": 0,
    "hours-per-week": 15,
    "native-country": "United-States",
}
MANAGER = PUPIL | {
    "age": 50,
    "education": "Masters",
    "education-num": 14,
    "marital-status": "Married-civ-spouse",
    "occupation": "Exec-managerial",
    "relationship": "Husband",
    "sex": "Male",
    "capital-gain": 20_000,
    "hours-per-week": 50,
}


@pytest.fixture(scope="module")
def model(fit_pipeline, spec, people, tmp_path_factory):
    """The portable model fitted on 2,000 rows, as a function that scores records."""
    pipeline, _ = export(fit_pipeline("gbt", "onehot"), spec, people)
    artifacts = write_artifacts(tmp_path_factory.mktemp("model"), pipeline, spec.input_form)
    made = PortableModel()
    made.load_context(SimpleNamespace(artifacts=artifacts))
    return lambda rows: made.predict(None, rows)


@pytest.fixture(scope="module")
def labelled(sample_rows):
    """2,000 rows that the model was not fitted on."""
    return sample_rows.iloc[2000:4000].reset_index(drop=True)


@pytest.fixture(scope="module")
def rows(labelled):
    return labelled.drop(columns="income")


@pytest.fixture(scope="module")
def scored(model, rows):
    return model(rows)


def test_order_of_rows_does_not_matter(model, rows, scored):
    shuffled = rows.sample(frac=1, random_state=1)
    assert list(shuffled.index) != list(rows.index)
    pd.testing.assert_frame_equal(model(shuffled).sort_index(), scored)


def test_row_is_scored_alone_as_among_others(model, rows, scored):
    for place in (0, 7, 1999):
        pd.testing.assert_frame_equal(model(rows.iloc[[place]]), scored.iloc[[place]])


def test_order_of_columns_does_not_matter(model, rows, scored):
    turned = rows[sorted(rows.columns, reverse=True)]
    assert list(turned.columns) != list(rows.columns)
    pd.testing.assert_frame_equal(model(turned), scored)


def test_column_that_is_not_the_models_does_not_matter(model, labelled, scored):
    pd.testing.assert_frame_equal(model(labelled), scored)
    pd.testing.assert_frame_equal(model(labelled.assign(income=">50K")), scored)


@pytest.mark.parametrize("column", ["native-country", "race"])
def test_unseen_category_in_an_unimportant_column_changes_next_to_nothing(model, rows, scored, column):
    strange = model(rows.assign(**{column: "Atlantis"}))
    assert (strange["probability"] - scored["probability"]).abs().mean() < 0.01
    assert (strange["prediction"] != scored["prediction"]).mean() < 0.01


def test_unseen_category_in_an_important_column_changes_the_probability(model, rows, scored):
    strange = model(rows.assign(**{"marital-status": "Atlantis"}))
    assert (strange["probability"] - scored["probability"]).abs().mean() > 0.05


def test_more_capital_gain_never_lowers_the_probability_on_average(model, rows):
    gains = [0, 1000, 3000, 5000, 8000, 15_000, 50_000, 99_999]
    means = [model(rows.assign(**{"capital-gain": gain}))["probability"].mean() for gain in gains]
    assert (np.diff(means) >= -1e-9).all(), dict(zip(gains, means, strict=True))
    assert means[-1] > means[0] + 0.3


def test_marriage_raises_the_probability_on_average(model, rows):
    by_value = [
        model(rows.assign(**{"marital-status": status}))["probability"].mean()
        for status in ("Never-married", "Married-civ-spouse")
    ]
    assert by_value[1] > by_value[0] + 0.1


def test_obvious_rows_are_told_apart(model):
    found = model(pd.DataFrame([PUPIL, MANAGER]))
    assert found["prediction"].tolist() == ["<=50K", ">50K"]
    assert found["probability"][0] < 0.2
    assert found["probability"][1] > 0.8


def test_probability_goes_with_the_label(labelled, scored):
    is_rich = labelled["income"] == ">50K"
    assert scored["probability"][is_rich].mean() > scored["probability"][~is_rich].mean() + 0.2
    assert (scored["prediction"] == labelled["income"]).mean() > (~is_rich).mean() + 0.04
    assert ((scored["probability"] > 0.5) == (scored["prediction"] == ">50K")).all()


def test_mean_probability_is_about_the_share_of_the_label(labelled, scored):
    assert scored["probability"].mean() == pytest.approx((labelled["income"] == ">50K").mean(), abs=0.06)
