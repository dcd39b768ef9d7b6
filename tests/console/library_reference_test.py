#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/library.md is what the library's docstrings say."""

import unittest

import support

MAKER = "tools/library_reference.lona"


class LibraryReference(support.Both):
    def test_is_current(self):
        fresh = self.lona("run", MAKER)
        self.assert_done(fresh)
        written = (support.ROOT / "docs" / "library.md").read_bytes()
        self.assertTrue(fresh.stdout == written,
                        f"out of date; run ./lona run --host {MAKER} > docs/library.md")


if __name__ == "__main__":
    unittest.main()
