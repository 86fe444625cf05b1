"""A real HTTP server on loopback with one file, that can be told to misbehave."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class FileServer:
    """What it has, how it behaves, and what it was asked."""

    content: bytes
    tag: str = '"one"'
    """ETag; empty for a server that has none."""
    ranges: bool = True
    """It sends the rest only, when asked."""
    cut_after: int = 0
    """Bytes of an answer after which it hangs up; 0 for never."""
    asked: list[str] = field(default_factory=list)
    """Path and Range of each request."""
    others: dict[str, bytes] = field(default_factory=dict)
    """Further files, by path."""
    address: str = ""

    def reply(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append(f"{handler.path} {wanted}".strip())
        if handler.path.startswith("/to/"):
            handler.send_response(302)
            handler.send_header("Location", handler.path.removeprefix("/to/"))
            handler.end_headers()
            return
        if handler.path == "/missing":
            handler.send_error(404)
            return
        data = self.others.get(handler.path, self.content)
        start = 0
        fresh = handler.headers.get("If-Range", self.tag) == self.tag
        if self.ranges and fresh and (found := re.fullmatch(r"bytes=(\d+)-", wanted)):
            start = int(found[1])
        if start and start >= len(data):
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(data)}")
            handler.end_headers()
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if self.tag:
            handler.send_header("ETag", self.tag)
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        rest = data[start:]
        handler.wfile.write(rest[: self.cut_after] if self.cut_after else rest)


@contextmanager
def file_server(content: bytes) -> Iterator[FileServer]:
    """Serve `content` at /FILE, whatever its name, while inside."""
    server = FileServer(content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.reply(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.address = f"http://127.0.0.1:{http.server_port}"
        thread = Thread(target=http.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
