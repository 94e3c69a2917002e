"""The application: MLflow's server, and before it a model that can answer a short request by itself."""

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

# A longer request is read beside the event loop by MLflow's server, so that others need not wait for it.
SHORT = 32_768
JSON_TYPES = (b"application/json", b"application/json; charset=utf-8", b"application/json;charset=utf-8")
DIRECT, MLFLOW = "direct", "mlflow"
ERROR_CODE = re.compile(rb'\{"error_code": "([A-Z_]+)"')
TOO_LONG = 504


class Figures(Protocol):
    """Where the application counts what it does."""

    def asked(self, way: str, status: int, kind: str, seconds: float) -> None:
        """Count a request: who answered it, with what status and error, and how long it took."""

    def text(self) -> tuple[bytes, str]:
        """Return all figures as text, and the type of this text."""


class Service:
    """An ASGI application with MLflow's routes, and GET /metrics."""

    def __init__(
        self,
        mlflow: Application,
        answer: Callable[[bytes], bytes | None],
        figures: Figures,
        limit: float,
    ) -> None:
        """Put the pieces together.

        Args:
            mlflow: The application of MLflow's server.
            answer: Answers the JSON of a short request; None if MLflow's server has to.
            figures: Counts the requests.
            limit: Time for a request, in seconds; one that takes longer is answered by TOO_LONG.
        """
        self._mlflow = mlflow
        self._answer = answer
        self._figures = figures
        self._limit = limit

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request; see the ASGI specification."""
        route = (scope.get("method"), scope.get("path"))
        if route == ("POST", "/invocations"):
            await self._invoke(scope, receive, send)
        elif route == ("GET", "/metrics"):
            body, kind = await asyncio.to_thread(self._figures.text)
            await _respond(send, 200, body, kind.encode())
        else:
            await self._mlflow(scope, receive, send)

    async def _invoke(self, scope: Message, receive: Receive, send: Send) -> None:
        sent = _Sent(send, self._figures)
        try:
            # MLflow's application has this limit too, but counts from when it is called.
            async with asyncio.timeout(self._limit):
                first = await _first(scope, receive)
                body = _short_body(scope, first)
                answer = None if body is None else self._answer(body)
                if answer is not None:
                    sent.way = DIRECT
                    await _respond(sent, 200, answer, b"application/json")
                else:
                    await self._mlflow(scope, _again(first, receive), sent)
        except TimeoutError:
            if sent.status:
                raise
            await _respond(sent, TOO_LONG, b"Request processing time exceeded limit", b"application/json")
        finally:
            sent.count()


class _Sent:
    """What is sent to a client; the request is counted just before the body of its answer goes out.

    So whoever has an answer finds it counted.

    Attributes:
        status: The status; 0 as long as there is no answer.
        kind: MLflow's code of an error or, where it gives none, its status; empty if there was none.
        way: Who answers.
    """

    def __init__(self, send: Send, figures: Figures) -> None:
        self._send = send
        self._figures = figures
        self._started = time.perf_counter()
        self._is_counted = False
        self.status = 0
        self.kind = "NO_ANSWER"
        self.way = MLFLOW

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.kind = "" if self.status < 400 else str(self.status)
        else:
            if self.kind and (code := ERROR_CODE.match(message.get("body", b""))):
                self.kind = code[1].decode()
            self.count()
        await self._send(message)

    def count(self) -> None:
        """Count the request, once."""
        if not self._is_counted:
            self._is_counted = True
            self._figures.asked(self.way, self.status, self.kind, time.perf_counter() - self._started)


async def _first(scope: Message, receive: Receive) -> list[Message]:
    """Return the first messages: of JSON until they are the whole body, or too much for a short one.

    A network divides what is longer than a packet, some 1,400 bytes.
    """
    found = [await receive()]
    while found[-1].get("more_body") and _is_json(scope) and len(_body(found)) <= SHORT:
        found.append(await receive())
    return found


def _body(messages: Sequence[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def _is_json(scope: Message) -> bool:
    return next((value for name, value in scope["headers"] if name == b"content-type"), b"") in JSON_TYPES


def _short_body(scope: Message, first: Sequence[Message]) -> bytes | None:
    """Return the body of a short JSON request, if the first messages are all of it."""
    if first[-1]["type"] != "http.request" or first[-1].get("more_body") or not _is_json(scope):
        return None
    body = _body(first)
    return body if len(body) <= SHORT else None


def _again(first: Sequence[Message], receive: Receive) -> Receive:
    """Return a `receive` that begins with messages that were received before."""
    held = deque(first)

    async def receive_again() -> Message:
        return held.popleft() if held else await receive()

    return receive_again


async def _respond(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-length", str(len(body)).encode()), (b"content-type", kind)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
