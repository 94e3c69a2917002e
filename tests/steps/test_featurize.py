import pytest

from steps.featurize import told


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 feature: f0"),
        (3, "3 features: f0, f1, f2"),
        (6, "6 features: f0, f1, f2, f3, f4, f5"),
        (1200, "1,200 features: f0, f1, f2, f3, f4, f5, ..."),
    ],
)
def test_features_are_counted_and_no_more_are_hinted_at_than_there_are(count, said):
    assert told([f"f{place}" for place in range(count)]) == said
