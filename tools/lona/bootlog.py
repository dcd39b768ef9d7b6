# SPDX-License-Identifier: BSD-2-Clause
"""What arrives on COM1: kept, shown, searched for the reason when the system gives up."""

import collections
import re
import sys
import time

# Lines after which the system will not answer any more. Each is printed by the kernel (panic) or
# by the manager (no realm could be started, or the init realm was stopped).
_TROUBLE = re.compile(r"panic|realm init stopped|cannot start|too little memory", re.IGNORECASE)
_QUIET_AFTER_TROUBLE = 0.5
# The manager gives its reasons in the lines before the one that says that it ends.
_LINES_BEFORE = 3
_LONGEST_REPORT = 40


class BootLog:
    def __init__(self, path=None, verbose=False):
        self._file = open(path, "wb") if path else None
        self._verbose = verbose
        self._lines = collections.deque(maxlen=500)
        self._partial = b""
        self._trouble_at = None
        self._last_heard = None

    def feed(self, data):
        self._last_heard = time.monotonic()
        if self._file:
            self._file.write(data)
            self._file.flush()
        *whole, self._partial = (self._partial + data).split(b"\n")
        for line in whole:
            self._take(line.decode(errors="replace").rstrip("\r"))

    def _take(self, line):
        if self._verbose:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        if self._trouble_at is None and _TROUBLE.search(line):
            self._trouble_at = line
        self._lines.append(line)

    def given_up(self):
        """True when the log says that the system ended, and has said all it has to say."""
        return (self._trouble_at is not None
                and time.monotonic() - self._last_heard > _QUIET_AFTER_TROUBLE)

    @property
    def troubled(self):
        return self._trouble_at is not None

    @property
    def silent(self):
        return self._last_heard is None

    def report(self):
        """The lines that tell why: from the first sign of trouble on, else the last ones."""
        lines = list(self._lines)
        if self._partial:
            lines.append(self._partial.decode(errors="replace"))
        if self._trouble_at in lines:
            at = lines.index(self._trouble_at)
            if "panic" not in self._trouble_at.lower():
                at = max(0, at - _LINES_BEFORE)
            lines = lines[at:][:_LONGEST_REPORT]
        else:
            lines = lines[-15:]
        return "\n".join("  " + line for line in lines)

    def close(self):
        if self._file:
            self._file.close()
