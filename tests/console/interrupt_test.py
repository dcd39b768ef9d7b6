#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program that never ends is ended by Ctrl-C, soon and with a reason."""

import pathlib
import signal
import subprocess
import tempfile
import unittest

import support


class OnHost(unittest.TestCase):
    platform = ["--host"]

    def run_until_started(self, source):
        file = tempfile.NamedTemporaryFile(suffix=".lona")
        self.addCleanup(file.close)
        pathlib.Path(file.name).write_text(f'(println "started")\n{source}\n')
        process = subprocess.Popen([support.LONA, "run", *self.platform, file.name],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, cwd=support.ROOT)
        self.addCleanup(lambda: (process.kill(), process.communicate()))
        self.assertEqual(process.stdout.readline(), b"started\n")
        return process

    def assert_interrupted(self, source):
        process = self.run_until_started(source)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        self.assertEqual(process.wait(timeout=20), 1, said)
        self.assertIn(b"interrupted", said)

    def test_an_endless_loop(self):
        self.assert_interrupted("(def f (fn* [] (f)))\n(f)")

    def test_waiting_for_input_that_never_comes(self):
        self.assert_interrupted("(read-line)")

    def test_waiting_for_a_message_that_never_comes(self):
        self.assert_interrupted("(receive :never :came)")


class Booted(OnHost):
    platform = []


if __name__ == "__main__":
    unittest.main()
