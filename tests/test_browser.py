"""The browser that checks the report must notice faults."""

from tests.browser import open_page


def test_what_does_not_fit_and_what_is_logged_are_seen(tmp_path):
    wide = "<script>console.error('oh')</script><div style='width: 600px'>wide</div>"
    seen = open_page(wide, tmp_path)
    assert any("oh" in line for line in seen.console)
    assert [page <= window for window, page, _ in seen.windows] == [True, False]
