#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/untrusted.md works as typed."""

import unittest

import support


class Booted(support.Both):
    platform = []

    def test_every_line_answers_as_printed(self):
        text = (support.ROOT / "docs" / "untrusted.md").read_text()
        lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
        typed = [line[2:] + "\n" for line in lines if line.startswith("> ")]
        self.assertEqual(len(typed), 5)
        printed = "".join(line + "\n" for line in lines if not line.startswith("> "))
        self.assert_done(self.lona("run", stdin="".join(typed).encode()), printed)


if __name__ == "__main__":
    unittest.main()
