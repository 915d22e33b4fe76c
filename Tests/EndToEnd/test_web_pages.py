"""A web page in a real browser reaches the ports, in every manner that the browser knows, and has nothing run.

The same page has its code run by a server that asks no questions: so it does reach a port of this machine.
"""

import time

import pytest

from control_client import ControlClient
from deadline import eventually
from process_facts import descriptors
from web_page import Browser, LineServer, PageServer
from witness import Witness, assert_logged_rarely, counted, port_of, settled

# What certainly sends bytes to the port; the page tries more, and what comes of that is up to the browser.
REACHING = {"fetch_get", "fetch_head", "fetch_post", "fetch_post_buffer", "fetch_post_long", "fetch_post_cors",
            "fetch_keepalive", "fetch_put", "fetch_patch", "fetch_delete", "fetch_options", "fetch_word",
            "fetch_odd_word", "fetch_headers", "fetch_credentials", "xhr_post", "xhr_put", "form_plain",
            "form_multipart", "form_urlencoded", "beacon", "image", "script", "module", "style", "frame",
            "frame_query", "object", "video", "prefetch", "events", "socket", "socket_protocols"}
# What has code of the page's run where nobody looks at the first line; and that only where the page is of the server's
# own origin, as it is when its name was bound to another address (DNS rebinding).
HARMING = {"fetch_post", "fetch_post_buffer", "fetch_post_long", "fetch_post_cors", "fetch_keepalive", "xhr_post",
           "form_plain", "form_multipart", "beacon"}
HARMING_AT_HOME = {"fetch_put", "fetch_patch", "fetch_delete", "fetch_options", "fetch_word", "fetch_odd_word",
                   "fetch_headers", "xhr_put"}

ORIGINS = {"foreign": [], "rebound": ["--disable-web-security"]}


@pytest.fixture(params=["127.0.0.1", "::1"], ids=["v4", "v6"])
def host(request):
    return request.param


@pytest.fixture(params=ORIGINS)
def origin(request):
    return request.param


@pytest.fixture
def visit(environment, closing, tmp_path):
    """Has a browser show the page; returns it when the page has tried everything, and what the page says of that."""
    def start(folder, targets, origin):
        page = closing(PageServer(folder, targets))
        profile = tmp_path / "profile"
        profile.mkdir()
        browser = closing(Browser(page.url, environment, profile, *ORIGINS[origin]))
        return browser, page.wait()
    return start


def targets_at(host, ports):
    """Ports by name, each under the address itself and under the name of the machine."""
    literal = "[%s]" % host if ":" in host else host
    return [{"name": "%s_%s" % (name, kind), "host": spelling, "address": host, "port": port}
            for name, port in ports.items() for kind, spelling in (("literal", literal), ("named", "localhost"))]


def labels(manners, targets):
    return {"%s_%s" % (manner, target["name"]) for manner in manners for target in targets}


def test_the_page_can_do_harm(visit, closing, tmp_path, host, origin):
    """Where nothing keeps it from that: without this the test below would prove nothing."""
    folder = tmp_path / "marks"
    folder.mkdir()
    careless = closing(LineServer(folder, host))
    targets = targets_at(host, {"careless": careless.port})
    _, report = visit(folder, targets, origin)
    assert labels(REACHING, targets) <= set(report), "the page did not try everything"
    heard = b"\n".join(careless.heard).decode("latin-1")
    assert {label for label in labels(REACHING, targets) if "/" + label not in heard} == set()
    assert any(data[:2] == b"\x16\x03" for data in careless.heard), "no TLS hello"
    assert any(data[:1] == b"\x00" for data in careless.heard), "no TURN request"
    wanted = labels(HARMING | (HARMING_AT_HOME if origin == "rebound" else set()), targets)
    eventually(lambda: wanted <= {path.name for path in folder.iterdir()}, "the code was run")


def test_every_door(visit, serve, tmp_path, host, origin):
    server = serve("--bind", host)
    witness = Witness(tmp_path / "marks")
    before = len(descriptors(server.pid))
    began = time.monotonic()
    targets = targets_at(host, {door: port_of(server, door) for door in ("text", "control")})
    browser, report = visit(witness.folder, targets, origin)
    assert labels(REACHING, targets) <= set(report), "the page did not try everything"
    with ControlClient(server.control_port, host=host) as control:  # while the browser is still there
        assert control.request("DescribeServer")["status"] == "ok"
    browser.close()
    settled(server, host)
    assert witness.seen == []
    assert counted(server)["foreign"] >= len(REACHING) * len(targets)
    eventually(lambda: len(descriptors(server.pid)) <= before, "no connection is left")
    assert_logged_rarely(server, began)
