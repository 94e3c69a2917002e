"""The application around MLflow's server, alone: who answers what, and how long a request may take."""

import asyncio

import pytest

from common.service.application import SHORT, Service

BODY = b'{"dataframe_records": [{}]}'
JSON = b"application/json"


class Asked:
    """The figures that the application was told."""

    def __init__(self):
        self.requests = []

    def asked(self, way, status, kind, seconds):
        assert seconds >= 0
        self.requests.append((way, status, kind))

    def text(self):
        return b"figures", "text/plain"


async def mlflow(scope, receive, send):
    """A server that reads the whole body, then refuses `bad`, and answers anything else by its length."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    status, said = 200, str(len(body)).encode()
    if b"bad" in body:
        status, said = 400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "bad"}'
    elif b"unknown" in body:
        status, said = 415, b"unknown"
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": said})


def ask(*parts, kind=JSON, path="/invocations", method="POST", answer=lambda body: None, limit=60):
    """Send a request in parts; return the status, the body, and what was counted."""
    last = [*[True] * (len(parts) - 1), False]
    given = [
        {"type": "http.request", "body": part, "more_body": more}
        for part, more in zip(parts, last, strict=True)
    ]
    figures, sent = Asked(), []

    async def receive():
        if not given or given[0]["body"] == b"never":
            await asyncio.Event().wait()
        return given.pop(0)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"content-type", kind)]}
    asyncio.run(Service(mlflow, answer, figures, limit)(scope, receive, send))
    start, body = sent
    return start["status"], body["body"], figures.requests


def short(body):
    return b"short" if b"bad" not in body else None


@pytest.mark.parametrize("kind", [JSON, JSON + b"; charset=utf-8", JSON + b";charset=utf-8"])
def test_short_json_that_the_model_can_answer_is_answered_by_it(kind):
    assert ask(BODY, kind=kind, answer=short) == (200, b"short", [("direct", 200, "")])
    assert ask(b" " * SHORT, kind=kind, answer=short) == (200, b"short", [("direct", 200, "")])


@pytest.mark.parametrize("kind", [b"text/csv", JSON + b"; charset=latin-1", JSON + b"x", b""])
def test_other_types_go_to_mlflow(kind):
    assert ask(BODY, kind=kind, answer=short) == (200, b"27", [("mlflow", 200, "")])


def test_short_json_may_come_in_parts():
    """As over a network, which divides what is longer than a packet."""
    seen = []
    answered = (200, b"short", [("direct", 200, "")])
    assert ask(b"a", b"", b"b", b"c", answer=lambda body: seen.append(body) or b"short") == answered
    assert seen == [b"abc"]


def test_body_that_is_too_long_or_not_good_goes_to_mlflow_whole():
    whole = [("mlflow", 200, "")]
    assert ask(BODY, BODY, BODY, kind=b"text/csv", answer=short) == (200, b"81", whole)
    assert ask(b" " * (SHORT + 1), answer=short) == (200, b"32769", whole)
    assert ask(b" " * SHORT, b"  ", b" ", answer=short) == (200, b"32771", whole)
    assert ask(b"ba", b"d", answer=short)[0] == 400
    refused = [("mlflow", 400, "INVALID_PARAMETER_VALUE")]
    assert ask(b"bad", answer=short)[::2] == (400, refused)


@pytest.mark.parametrize(("kind", "way"), [(JSON, "direct"), (b"text/csv", "mlflow")])
def test_request_is_counted_before_its_client_has_the_answer(kind, way):
    figures, seen = Asked(), []

    async def receive():
        return {"type": "http.request", "body": BODY}

    async def send(message):
        seen.append((message["type"], list(figures.requests)))

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/invocations",
        "headers": [(b"content-type", kind)],
    }
    asyncio.run(Service(mlflow, short, figures, 60)(scope, receive, send))
    assert seen == [("http.response.start", []), ("http.response.body", [(way, 200, "")])]
    assert figures.requests == [(way, 200, "")]


def test_error_without_a_code_is_counted_by_its_status():
    assert ask(b"unknown") == (415, b"unknown", [("mlflow", 415, "415")])


def test_other_paths_and_methods_are_mlflows_and_not_counted():
    assert ask(BODY, path="/ping", answer=short) == (200, b"27", [])
    assert ask(BODY, method="PUT", answer=short) == (200, b"27", [])
    assert ask(BODY, path="/metrics", answer=short) == (200, b"27", [])


def test_figures_are_told():
    assert ask(b"", path="/metrics", method="GET") == (200, b"figures", [])


@pytest.mark.parametrize("parts", [(b"never",), (BODY, b"never")])
def test_request_that_is_never_completed_is_answered_when_its_time_is_over(parts):
    said = b"Request processing time exceeded limit"
    way, status, kind = "mlflow", 504, "504"
    assert ask(*parts, limit=0.05) == (504, said, [(way, status, kind)])


def test_request_whose_client_goes_away_is_counted_as_not_answered():
    figures = Asked()

    async def gone(scope, receive, send):
        assert (await receive())["type"] == "http.disconnect"

    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/invocations", "headers": []}
    asyncio.run(Service(gone, short, figures, 60)(scope, receive, None))
    assert figures.requests == [("mlflow", 0, "NO_ANSWER")]
