#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The test runner itself: what fails must be counted as failed."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from lona import console, testing  # noqa: E402


def outcome(job):
    results = job.run(job.names)
    return sum(r.passed for r in results), sum(not r.passed for r in results)


class Programs(unittest.TestCase):
    def plain(self, shell):
        return outcome(testing._plain_job("x", ["sh", "-c", shell]))

    def test_exit_status_decides_without_a_summary(self):
        self.assertEqual(self.plain("true"), (1, 0))
        self.assertEqual(self.plain("exit 3"), (0, 1))

    def test_the_summary_is_counted(self):
        self.assertEqual(self.plain("echo 5 passed, 0 failed"), (5, 0))
        self.assertEqual(self.plain("echo 5 passed, 2 failed; exit 1"), (5, 2))

    def test_a_summary_without_failures_does_not_hide_a_bad_status(self):
        self.assertEqual(self.plain("echo 5 passed, 0 failed; exit 1"), (5, 1))

    def test_a_summary_of_nothing_is_a_failure(self):
        self.assertEqual(self.plain("echo 0 passed, 0 failed"), (0, 1))


class PythonTests(unittest.TestCase):
    def run_text(self, body):
        with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
            path = pathlib.Path(folder) / "some_test.py"
            path.write_text("import unittest\nclass T(unittest.TestCase):\n" + body
                            + "\nif __name__ == '__main__':\n    unittest.main()\n")
            return outcome(testing._python_job(path))

    def test_each_case_counts(self):
        self.assertEqual(self.run_text("  def test_a(self): pass\n"
                                       "  def test_b(self): self.fail('x')\n"
                                       "  def test_c(self): raise OSError\n"
                                       "  def test_d(self):\n    '''Words.'''\n"), (2, 2))

    def test_no_case_is_a_failure(self):
        self.assertEqual(self.run_text("  pass"), (0, 1))

    def test_an_unreadable_file_is_a_failure(self):
        self.assertEqual(self.run_text("  def test_a(self) pass"), (0, 1))


class Scripts(unittest.TestCase):
    def script(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".script", dir=ROOT / "build") as file:
            file.write(text)
            file.flush()
            return console.Script(pathlib.Path(file.name))

    def wrong(self, text, out=b"", err=b"", status=0):
        call = self.script(text).calls[0]
        return console._differences(call, subprocess.CompletedProcess([], status, out, err))

    def test_marks_make_a_call(self):
        call = self.script("# c\n$ run a.lona 'x y' < f\n> in\n| 3\n~ a+\n! bad\n? 1\n").calls[0]
        self.assertEqual((call.words, call.feed, call.input, call.errors, call.status),
                         (["run", "a.lona", "x y"], "f", ["in"], ["bad"], 1))

    def test_what_is_as_promised_passes(self):
        self.assertEqual(self.wrong("$ batch\n| 3\n~ a+\n", b"3\naaa\n"), "")
        self.assertEqual(self.wrong("$ batch\n! bad\n? 1\n", err=b"so bad\n", status=1), "")

    def test_every_difference_is_found(self):
        for got in ({"out": b"4\n"}, {"out": b"3\n3\n"}, {"out": b""},
                    {"out": b"3\n", "err": b"warning\n"}, {"out": b"3\n", "status": 1}):
            with self.subTest(got=got):
                self.assertNotEqual(self.wrong("$ batch\n| 3\n", **got), "")

    def test_a_missing_error_is_found(self):
        self.assertNotEqual(self.wrong("$ batch\n! bad\n? 1\n", status=1), "")

    def test_a_script_that_cannot_fail_is_refused(self):
        with self.assertRaises(ValueError):
            self.script("$ batch\n> 1\n")


class Calls(unittest.TestCase):
    def test_a_pattern_that_matches_nothing_is_a_failure(self):
        done = subprocess.run([ROOT / "lona", "test", "--only", "no-such-test"],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], b"0 passed, 0 failed")


if __name__ == "__main__":
    unittest.main()
