"""A web page in a real browser, and the small server that the page comes from."""

import http.server
import json
import re
import shutil
import socket
import threading
from pathlib import Path

import pytest

from deadline import PATIENCE
from host_process import HostProcess
from peers import tool as program

PAGE = Path(__file__).with_name("hostile_page.html")
BROWSERS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"]

# It talks to nobody but this machine, stores nothing anywhere else, and asks nobody anything.
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
           "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1 , EXCLUDE ::1", "--allow-loopback-in-peer-connection",
           "--remote-debugging-pipe"]


def browser():
    """The path of a browser; without one the test fails and says what to install."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path is not None:
            return path
    pytest.fail("no browser is installed (Debian: apt-get install chromium-headless-shell)", pytrace=False)


class PageServer:
    """Serves the page, and waits for its report."""

    def __init__(self, folder, targets):
        self._reported = threading.Event()
        self.report = None
        text = PAGE.read_text().replace("{/*CONFIG*/}", json.dumps({"folder": str(folder), "targets": targets}))
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = text.encode() if self.path == "/" else b""
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                outer.report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()
                outer._reported.set()

            def log_message(self, *_):
                pass
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.url = "http://127.0.0.1:%d/" % self._server.server_address[1]

    def _serve(self):
        while not self._closing:
            self._server.handle_request()

    def wait(self):
        """What the page says of each of its attempts."""
        assert self._reported.wait(PATIENCE * 3), "the page has not reported"
        return self.report

    def close(self):
        self._closing = True
        self._server.socket.shutdown(socket.SHUT_RDWR)  # which wakes the thread; closing does not
        self._thread.join(PATIENCE)
        self._server.server_close()


class Browser(HostProcess):
    """A browser that shows one page until it is closed."""

    def __init__(self, url, environment, folder, *options):
        # Descriptors 3 and 4 are the pipe of --remote-debugging-pipe: the browser ends when its input does.
        script = 'exec 3<&0 4>/dev/null; exec "$@"'
        super().__init__([program("bash"), "-c", script, "bash", browser(), *OPTIONS, "--user-data-dir=%s" % folder,
                          *options, url], environment, cwd=str(folder))
        # It complains of what a test machine has not: no bus, no graphics.
        self.trouble_expected = True


class LineServer:
    """A deliberately careless server: it obeys whatever line makes a mark, whoever sent it and however.

    This is how a REPL on a port that asks no questions looks to a page. `heard` has the first bytes of each connection.
    """

    def __init__(self, folder, host="127.0.0.1"):
        self.heard = []
        self._obeyed = re.compile(rb"open\('(%s/\w+)','a'\)\.close\(\)" % re.escape(str(folder).encode()))
        self._listener = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        data, done = b"", 0
        with sock:
            while True:
                try:
                    piece = sock.recv(1 << 16)
                except OSError:
                    piece = b""
                if not data and piece:
                    self.heard.append(piece[:200])
                data += piece
                end = data.rfind(b"\n") + 1
                for line in data[done:end].split(b"\n"):
                    obeyed = self._obeyed.search(line)
                    if obeyed:
                        open(obeyed.group(1), "a").close()
                done = end
                if not piece or whole_request(data):
                    return

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._listener.close()


def whole_request(data):
    """Whether nothing more is to come, as far as this looks like HTTP; of anything else the first piece is enough."""
    if not re.match(rb"[^\r\n]+ HTTP/1\.[01]\r\n", data):
        return data[:1] in (b"\x16", b"\x00")
    head, found, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(found) and len(body) >= (int(length.group(1)) if length else 0)
