#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A short run of the kernel fuzzer. A fixed number of calls, so that a slow machine only waits."""

import re
import unittest

import run


class KernelFuzz(unittest.TestCase):
    def check(self, calls, **settings):
        text = run.run(calls, seconds=200, **settings)
        done = re.search(r"kernel-fuzz: done, (\d+) calls .* made (\d+) rounds", text)
        self.assertIsNotNone(done, text[-3000:])
        self.assertGreaterEqual(int(done[1]), calls)
        self.assertGreater(int(done[2]), 10)

    def test_random_calls_break_nothing(self):
        self.check(60_000)

    def test_the_same_calls_at_the_same_instants_break_nothing(self):
        self.check(30_000, seed=1000, icount=True)

    def test_random_calls_on_two_cores_break_nothing(self):
        self.check(20_000, seed=2000, cores=2)


if __name__ == "__main__":
    unittest.main()
