# SPDX-License-Identifier: BSD-2-Clause
"""`./lona` whose answers to requests for files are wrong in the way that the path names
(reload_test.py)."""

import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lona import cli, link, session  # noqa: E402


def _head(number, answer=0, size=10):
    return link.file_head(number, answer, size)


def _data(number, size):
    return b"".join(link.file_data(number, b"1" * size))


ANSWERS = {
    b"unknown-answer": lambda n: _head(n, 99),
    b"short-head": lambda n: link.frame(link.HEAD, struct.pack("<I", n)),
    b"empty-head": lambda n: link.frame(link.HEAD),
    b"too-large": lambda n: _head(n, size=0xFFFFFFFF),
    b"data-first": lambda n: _data(n, 10),
    b"no-credit": lambda n: _head(n, size=200_000) + _data(n, 150_000),
    b"two-heads": lambda n: _head(n) + _head(n),
    b"refused-twice": lambda n: _head(n, 1) + _head(n, 1),
    b"silent": lambda n: link.frame(link.INTERRUPT),  # as a person who is tired of waiting
    b"half": lambda n: _head(n, size=20_000) + link.frame(link.INTERRUPT),
}


class BrokenSession(session.Session):
    _late = None

    def _begin_file(self, number, path):
        # An answer to an earlier request, to one that never was, and data nobody asked for.
        for other in (number - 1, number + 1000):
            self._send(_head(other, size=5) + _data(other, 5))
        if path in ANSWERS:
            self._send(ANSWERS[path](number))
        elif path == b"late":
            self._late = number
        else:
            super()._begin_file(number, path)

    def _take(self, kind, payload):
        super()._take(kind, payload)
        if kind == link.OUT and b"tick" in payload and self._late is not None:
            super()._begin_file(self._late, b"app.lona")
            self._late = None


session.Session = BrokenSession
sys.exit(cli.main(sys.argv[1:]))
