"""A real HTTP server on this machine that serves a small data set, well or in some way of failing."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from netlearn.datasets.sources import FILES
from tests.files import idx_bytes, small_arrays

CONTENT = {
    f"{name}.gz": gzip.compress(idx_bytes(items), mtime=0) for name, items in zip(FILES, small_arrays(), strict=True)
}
HASHES = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}


class Mirrors(ThreadingHTTPServer):
    """Serves CONTENT under each of its paths, well or in a way of failing: /good/, /wrong/, /missing/, …"""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.encodings: list[str] = []
        self.closing = threading.Event()

    def url(self, manner: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{manner}/"


class Handler(BaseHTTPRequestHandler):
    server: Mirrors

    def do_GET(self) -> None:
        _, manner, name = self.path.split("/")
        self.server.asked.append(f"{manner}/{name}")
        self.server.encodings.append(self.headers["Accept-Encoding"])
        content = CONTENT[name]
        if manner == "missing":
            self.send_error(404)
        elif manner == "hanging":
            self.server.closing.wait(10)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if manner == "wrong":
                content = bytes(len(content))
            if manner == "truncated":
                content = content[: len(content) // 2]
            if manner == "stalling":
                self.wfile.write(content[:10])
                self.server.closing.wait(10)
            if manner == "dripping":
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    if self.server.closing.wait(0.2):
                        return
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def serving() -> Iterator[Mirrors]:
    """Run a server in a thread."""
    with Mirrors() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
