#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples show what they promise."""

import unittest

import support


class OnHost(support.Both):
    def lines(self, *words):
        done = self.lona("run", *words)
        self.assert_done(done)
        return done.stdout.decode().splitlines()

    def test_a_crashed_worker_is_restarted(self):
        lines = self.lines("examples/supervisor.lona")
        self.assertEqual(lines.count("worker: ready"), 2, lines)
        answers = [line for line in lines if line.startswith("100 /")]
        self.assertEqual(answers, ["100 / 5 = 20",
                                   "100 / 0 : the worker ended with :division-by-zero",
                                   "100 / 20 = 5"])
        self.assertIn("same worker? false", lines)

    def test_a_hundred_thousand_processes_are_alive_at_once(self):
        first, second, third = self.lines("examples/ring.lona")
        self.assertRegex(first, r"^100000 processes in a ring, made in \d+ ms$")
        self.assertRegex(second, r"^the token made 100000 hops in \d+ ms$")
        self.assertEqual(third, "all stopped")

    def test_the_size_of_the_ring_is_an_argument(self):
        lines = self.lines("examples/ring.lona", "10", "7")
        self.assertRegex(lines[1], r"^the token made 70 hops")


class Booted(OnHost):
    platform = []


if __name__ == "__main__":
    unittest.main()
