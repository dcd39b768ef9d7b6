# SPDX-License-Identifier: BSD-2-Clause
"""What the Python tests of the console share: calls of ./lona, and a terminal to call it on."""

import os
import pathlib
import pty
import select
import subprocess
import sys
import termios
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONA = ROOT / "lona"
sys.path.insert(0, str(ROOT / "tools"))

TIMEOUT = 600


def call(*words, stdin=b"", timeout=TIMEOUT):
    return subprocess.run([LONA, *words], input=stdin, capture_output=True, timeout=timeout,
                          cwd=ROOT, check=False)


class Both(unittest.TestCase):
    """A test that runs on the host build and, in a subclass, on the booted system."""

    platform = ["--host"]

    def lona(self, name, *words, **more):
        return call(name, *self.platform, *words, **more)

    def assert_done(self, done, stdout=None):
        self.assertEqual((done.returncode, done.stderr), (0, b""), done.stdout[-2000:])
        if stdout is not None:
            self.assertEqual(done.stdout.decode(), stdout)


class Terminal:
    """A pseudo terminal with ./lona on it, and a person who types and reads."""

    def __init__(self, *words, columns=100, rows=30, color=False):
        self._master, self._slave = pty.openpty()
        termios.tcsetwinsize(self._slave, (rows, columns))
        self._before = termios.tcgetattr(self._slave)
        self._seen = b""
        self.process = subprocess.Popen([LONA, *words], stdin=self._slave, stdout=self._slave,
                                        stderr=self._slave, cwd=ROOT, preexec_fn=self._own,
                                        env=self._environment(color))

    @staticmethod
    def _environment(color):
        names = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        return names | {"TERM": "xterm"} | ({} if color else {"NO_COLOR": "1"})

    @staticmethod
    def _own():
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))

    def type(self, text):
        os.write(self._master, text.encode())

    def expect(self, text, timeout=TIMEOUT):
        """Reads until `text` was seen, and forgets what came before its end."""
        wanted, end = text.encode(), time.monotonic() + timeout
        while wanted not in self._seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._master], [], [], left)[0]:
                raise AssertionError(f"{text!r} not seen in {self._seen[-2000:]!r}")
            try:
                self._seen += os.read(self._master, 65536)
            except OSError:
                raise AssertionError(f"ended before {text!r}: {self._seen[-2000:]!r}") from None
        self._seen = self._seen[self._seen.index(wanted) + len(wanted):]

    def is_sane(self):
        return termios.tcgetattr(self._slave)[:6] == self._before[:6]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._slave)
        os.close(self._master)
