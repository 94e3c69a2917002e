from types import SimpleNamespace

import pytest

from common.report.shown import took


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (400, "0 s"),
        (119_400, "119 s"),
        (119_600, "2 min 0 s"),
        (179_700, "3 min 0 s"),
        (458_000, "7 min 38 s"),
    ],
)
def test_time_has_no_minute_of_sixty_seconds(milliseconds, said):
    assert took(ended("FINISHED", milliseconds)) == said


def ended(status, milliseconds):
    info = SimpleNamespace(status=status, start_time=5, end_time=5 + milliseconds)
    return SimpleNamespace(info=info)


def test_time_of_a_killed_run_is_not_that_until_another_run_noticed():
    assert took(ended("KILLED", 86_400_000)) == ""
    assert took(ended("FAILED", 61_000)) == "61 s"
