"""Lines between a department's system and the house that a test can spoil: one of bytes, one of HTTP answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

Answer = Callable[[str, bytes], bytes]
"""What becomes of an answer: the path and query that were asked, and what the system said to it."""


class Line:
    """Passes bytes on to a system; no more than `most` come back on a connection, and nothing beyond the text `last`.

    `most` 0 is silence; at any other end the line breaks.
    """

    def __init__(self, port: int) -> None:
        self._there = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.most: int | None = None
        self.last: bytes | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(self._there)
                threading.Thread(target=self._ask, args=(here, there), daemon=True).start()
                threading.Thread(
                    target=self._answer, args=(there, here, self.most, self.last), daemon=True
                ).start()

    @staticmethod
    def _ask(here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while chunk := here.recv(65536):
                there.sendall(chunk)
        with suppress(OSError):
            there.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _answer(there: socket.socket, here: socket.socket, most: int | None, last: bytes | None) -> None:
        passed = 0
        with here, there:
            with suppress(OSError):
                while chunk := there.recv(65536):
                    if most == 0:
                        continue
                    end = len(chunk) if most is None else most - passed
                    if last is not None and last in chunk:
                        end = min(end, chunk.index(last))
                    here.sendall(chunk[:end])
                    passed += len(chunk)
                    if end < len(chunk):
                        break
            for side in (here, there):  # closing alone would wait for the thread that reads
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)


class HttpLine:
    """Passes requests on to a system whose answers a test spoils; `ask` changes what is asked."""

    def __init__(self, there: str) -> None:
        self.spoil: Answer = lambda _, body: body
        self.ask: Callable[[str], str] = lambda path: path
        line = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = {name: self.headers[name] for name in ("Authorization",) if self.headers[name]}
                found = httpx.get(there + line.ask(self.path), headers=asked, trust_env=False, timeout=30)
                body = line.spoil(self.path, found.content)
                self.send_response(found.status_code)
                for name in ("content-type", "x-eco-synthetic"):
                    self.send_header(name, found.headers.get(name, ""))
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing: the ledger says what came."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
