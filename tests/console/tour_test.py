#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The README's tour works as typed."""

import unittest

import support


def _tour():
    text = (support.ROOT / "README.md").read_text()
    text = text[text.index("<!-- tour -->"):text.index("<!-- end of tour -->")]
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    typed = "".join(line[2:] + "\n" for line in lines if line.startswith("> "))
    return typed, "".join(line + "\n" for line in lines if not line.startswith("> "))


class OnHost(support.Both):
    def test_every_line_answers_as_printed(self):
        typed, printed = _tour()
        self.assertGreater(typed.count("\n"), 10)
        self.assert_done(self.lona("run", stdin=typed.encode()), printed)


class Booted(OnHost):
    platform = []


if __name__ == "__main__":
    unittest.main()
