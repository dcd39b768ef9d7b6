# SPDX-License-Identifier: BSD-2-Clause
"""Which files of this computer may the guest read, and how do they get there?

Regular files below the folder in which the tool was started, as it is once all links are followed.
What lies elsewhere is refused whether it exists or not, so a program learns nothing about it.
"""

import os
import stat

MOST_BYTES = 4 << 20

# The answers, as in docs/host-link.md.
FOUND, MISSING, OUTSIDE, NOT_REGULAR, TOO_LARGE, UNREADABLE = range(6)


class Folder:
    def __init__(self, path="."):
        try:
            self._path = os.path.realpath(os.fsencode(path), strict=True)
        except OSError:
            self._path = None  # it is gone: nothing lies in it

    def read(self, path):
        """The answer and the file's bytes, all of one moment."""
        if self._path is None or not path or b"\0" in path:
            return MISSING, b""
        try:
            path = os.path.join(self._path, path)
            if not self._holds(os.path.realpath(path)):
                return OUTSIDE, b""
            # O_PATH opens nothing, so a pipe does not block and a device does not act; what is
            # checked is what is read, also when somebody replaces a link meanwhile.
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return MISSING, b""
        except OSError:
            return UNREADABLE, b""
        try:
            return self._read_place(place)
        except OSError:
            return UNREADABLE, b""
        finally:
            os.close(place)

    def _read_place(self, place):
        found = os.fstat(place)
        if not self._holds(os.fsencode(os.readlink(f"/proc/self/fd/{place}"))):
            return OUTSIDE, b""
        if not stat.S_ISREG(found.st_mode):
            return NOT_REGULAR, b""
        with open(f"/proc/self/fd/{place}", "rb") as file:
            data = file.read(MOST_BYTES + 1)
        return (FOUND, data) if len(data) <= MOST_BYTES else (TOO_LARGE, b"")

    def _holds(self, path):
        return os.path.commonpath([self._path, path]) == self._path


class Transfer:
    """A file on its way to the guest, as far as that gives credit."""

    def __init__(self, number=None, data=b""):
        self.number, self._data, self._at = number, data, 0

    def next(self, credit):
        """So many bytes more, in pieces that fit into a frame."""
        piece = self._data[self._at:self._at + credit]
        self._at += len(piece)
        return piece
