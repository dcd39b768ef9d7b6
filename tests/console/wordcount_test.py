#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""examples/wordcount.lona finds what a pipeline of Unix tools finds, on any text."""

import pathlib
import time
import unittest

import support
from lona import texts

LICENSES = pathlib.Path("/usr/share/common-licenses")
PROGRAM = "examples/wordcount.lona"


class OnHost(support.Both):
    def compare(self, text):
        wanted = texts.counted_by_pipeline(text)
        self.assert_done(self.lona("run", PROGRAM, stdin=text), wanted.decode())

    def test_a_text_debian_ships(self):
        self.compare((LICENSES / "GPL-3").read_bytes())

    def test_one_megabyte_with_bytes_that_are_not_utf8_in_less_than_a_minute(self):
        started = time.monotonic()
        self.compare(texts.sample(1 << 20))
        self.assertLess(time.monotonic() - started, 60)


class Booted(OnHost):
    platform = []


class Borders(support.Both):
    """Small inputs, on the host only: many calls."""

    def test_each_border_case(self):
        for text in (b"", b"\n", b"123 456", b"word", b"word\n", b"B a\nA b\n", b"don't",
                     b"caf\xe9 caf\xe9 \xff\xfe", "größe Größe".encode(), b"a" * 100000,
                     b"a\0b\0a", b"\r\n".join([b"one", b"two", b"one"]),
                     b" ".join(b"%c" % letter for letter in b"zyxwvutsrqponmlk")):
            with self.subTest(text=text[:40]):
                done = self.lona("run", PROGRAM, stdin=text)
                self.assertEqual(done.returncode, 0, done.stderr)
                # Nothing to count: the pipeline's grep finds nothing, and neither do we.
                self.assertEqual(done.stdout, texts.counted_by_pipeline(text))

    def test_every_license_debian_ships(self):
        for path in sorted(LICENSES.iterdir()):
            if path.is_file() and not path.is_symlink():
                with self.subTest(path=path.name):
                    text = path.read_bytes()
                    self.assert_done(self.lona("run", PROGRAM, stdin=text),
                                     texts.counted_by_pipeline(text).decode())


if __name__ == "__main__":
    unittest.main()
