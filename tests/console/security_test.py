#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each test that docs/security.md names is there."""

import re
import unittest

import support

ROOT = support.ROOT
PLACES = {"systems/attack": ("attacks.cpp", "main.cpp", "bystander.cpp"),
          "tests/manager": ("probe.cpp", "boot_test.py")}


def cells():
    text = (ROOT / "docs" / "security.md").read_text()
    table = text[text.index("## What stops it"):text.index("## The threats")]
    for row in table.splitlines():
        if row.startswith("| ") and not row.startswith("| a realm tries"):
            yield row.split(" | ")[-1].rstrip(" |")


def named(cell):
    """(place, names in it) of a cell."""
    for place, rest in re.findall(r"`([^`]+)`([^`]*)", cell):
        yield place, re.findall(r"[\w-]+", re.sub(r"\(.*?(\)|$)", "", rest))


def content(place):
    if place in PLACES:
        return "".join((ROOT / place / name).read_text() for name in PLACES[place])
    if place.endswith(".script"):
        return (ROOT / "tests" / place).read_text()
    if place.startswith("./lona "):
        return (ROOT / "tools" / "lona" / "bench_realms.py").read_text()
    if "/" in place:
        return (ROOT / place).read_text()
    found = [path for folder in ("base", "kernel", "manager", "vm")
             for path in (ROOT / folder).rglob(place + ".cpp")]
    if not found:  # a fuzzer has a name and a source
        return next(path for path in (ROOT / "manager").rglob("*.cpp")
                    if place.removeprefix("manager_") == path.stem).read_text()
    return found[0].read_text()


class Security(unittest.TestCase):
    def test_each_named_test_is_there(self):
        rows = list(cells())
        self.assertGreater(len(rows), 25)
        for cell in rows:
            pairs = list(named(cell))
            self.assertTrue(pairs, cell)
            for place, names in pairs:
                text = content(place)
                for name in names:
                    self.assertTrue(f'"{name}"' in text or re.search(rf"\b{name}\b", text),
                                    f"{place}: {name}")


if __name__ == "__main__":
    unittest.main()
