"""An audit log as its reader sees it: every line is checked, and the records are found by what they say."""

import json
import pwd
import os
import re

from deadline import eventually

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
#: The members that every record may have, beside those of its event.
COMMON = {"time", "pid", "server", "event", "connection", "peer"}


def own(record):
    """The members of a record that are its event's own."""
    return {name: value for name, value in record.items() if name not in COMMON}


class AuditLog:
    """The file at `path`, of one server."""

    def __init__(self, path, pid):
        self.path = path
        self.pid = pid

    @property
    def text(self):
        return self.path.read_text(encoding="utf-8") if self.path.exists() else ""

    @property
    def records(self):
        assert self.text.endswith("\n") or not self.text, "the last line is not whole: %r" % self.text[-200:]
        return [self._checked(line) for line in self.text.splitlines()]

    def _checked(self, line):
        record = json.loads(line)
        assert TIME.fullmatch(record["time"]), line
        assert record["pid"] == self.pid and record["server"] and record["event"], line
        assert ("peer" in record) == ("connection" in record), line
        if "peer" in record:
            peer = record["peer"]
            assert peer["door"] in ("text", "control", "unix"), line
            assert peer["uid"] == os.getuid() and peer["user"] == pwd.getpwuid(os.getuid()).pw_name, line
            assert ("address" in peer) == (peer["door"] != "unix"), line
        return record

    def of(self, event, **members):
        """The records of an event that have these members."""
        return [record for record in self.records if record["event"] == event
                and all(record.get(name) == value for name, value in members.items())]

    def wait_for(self, event, **members):
        """What a client is not told of may come a moment later: the first of those records."""
        return eventually(lambda: self.of(event, **members), "%s %r in the log" % (event, members))[0]

    def story(self, connection):
        """The events of one connection, in order, with what changed."""
        return [" ".join([record["event"], record["change"]] if "change" in record else [record["event"]])
                for record in self.records if record.get("connection") == connection]
