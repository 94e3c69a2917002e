import re

import pytest

from common.data.profile import sample_rows, write_profile
from common.data.row_hash import frame_digest


def test_sample_is_the_same_rows_whatever_the_partitions(people):
    sampled = sample_rows(people, 100)
    assert sampled.count() == 100
    assert frame_digest(sampled) == frame_digest(sample_rows(people.repartition(7), 100))


@pytest.mark.slow
def test_profile_is_one_page_of_at_most_the_rows_asked_for(people, tmp_path):
    path = tmp_path / "reports" / "overview.html"
    write_profile(people.select("age", "sex"), path, "adult: overview", rows=50, minimal=True)
    page = path.read_text()
    assert "adult: overview" in page
    assert re.search(r"Number of observations(</th>)?\s*<td[^>]*>50\b", page)
