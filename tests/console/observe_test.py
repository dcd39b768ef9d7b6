#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The live view shows the realms, and what each has used since the last round."""

import re
import unittest

import support


class Booted(support.Both):
    platform = []

    def test_a_realm_that_spins_shows_its_share(self):
        done = self.lona("eval",
                         "(def r (realm-create %{:name 'spinner :policy %{:cpu %{:max 0.3}}}))",
                         '(realm-eval r "(defn spin [] (spin)) (spawn spin) nil")', "(observe 2)")
        rounds = done.stdout.decode().split("\x1b[H\x1b[2J")[1:]
        self.assertEqual(len(rounds), 2, done.stdout)
        rows = [re.search(r"\d+ +spinner +running +(\S+) ", text) for text in rounds]
        self.assertEqual(rows[0][1], "?")
        # How much exactly, tests/manager measures with a clock that a busy host does not disturb.
        self.assertIn(int(rows[1][1]), range(1, 101), rounds[1])
        self.assertRegex(rounds[1], r"ID +NAME +STATE +CPU")
        self.assertRegex(rounds[1], r"\d+ processes, ")

    def test_realms_may_come_and_go_meanwhile(self):
        done = self.lona("eval",
                         "(defn churn [] (let [r (realm-create %{:name 'brief})] (do (realm-eval r "
                         '"(realm-create %{:name \'inner :policy %{:memory %{:max 1048576}}})" '
                         "1000) (realm-terminate r) (churn))))",
                         "(each (fn [_] (spawn churn)) (range 2))", "(observe 3)",
                         "(receive x x :after 0 :nothing-is-left-behind)")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout.endswith(b":nothing-is-left-behind\n"), done.stdout[-300:])


if __name__ == "__main__":
    unittest.main()
