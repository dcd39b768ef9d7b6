#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Edit a file, load it, edit it, load it again: running processes use the new code."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import support

FIRST = """(in-ns 'app)
(def answer 1)
(defn ask [] answer)
"""


class OnHost(support.Both):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        self.folder = self.top / "work"
        self.folder.mkdir()
        self.app = self.folder / "app.lona"
        self.app.write_text(FIRST)

    def words(self, name, *words):
        return [str(support.LONA), name, *self.platform, *words]

    def run_forms(self, *forms):
        """What batch prints for each form."""
        done = subprocess.run(self.words("batch"), input="\n".join(forms).encode(),
                              capture_output=True, timeout=support.TIMEOUT, cwd=self.folder,
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode().splitlines()

    @contextlib.contextmanager
    def conversation(self):
        """A batch run that goes on, and ends well: what it prints for the form that it is given."""
        batch = subprocess.Popen(self.words("batch"), stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, cwd=self.folder)
        self.addCleanup(batch.wait)
        self.addCleanup(batch.kill)

        def answer(form):
            batch.stdin.write(form.encode() + b"\n")
            batch.stdin.flush()
            return batch.stdout.readline().decode().rstrip("\n")

        yield answer
        batch.stdin.close()
        self.assertEqual(batch.wait(timeout=support.TIMEOUT), 0)
        batch.stdout.close()

    def test_a_running_process_uses_the_new_code(self):
        with self.conversation() as answer:
            self.assertEqual(answer('(load-file "app.lona")'), "#'app/ask")
            self.assertEqual(answer("(ns-name *ns*)"), "lona.user")
            answer("""(defn serve [] (receive [:ask from] (do (send from (app/ask)) (serve))))""")
            answer("(def server (spawn serve))")
            ask = "(do (send server [:ask (self)]) (receive x x))"
            self.assertEqual(answer(ask), "1")
            self.assertEqual(answer("(reload)"), "()")
            self.app.write_text(FIRST.replace("answer 1", "answer 2"))
            self.assertEqual(answer("(reload)"), '("app.lona")')
            self.assertEqual(answer(ask), "2")
            self.app.write_text(FIRST.replace("[] answer", "[] (+ 40 answer)"))
            self.assertEqual(answer('(reload "app.lona")'), '("app.lona")')
            self.assertEqual(answer(ask), "41")
            self.assertEqual(answer("(var-source #'app/ask)"), '"(defn ask [] (+ 40 answer))"')

    def test_large_files_and_what_is_refused(self):
        big = "".join(f"(def x{i % 50} {i}) ; {'é' * 40}\n" for i in range(9000))
        (self.folder / "big.lona").write_text(big + "(+ x0 x49)\n")
        self.assertGreater(len(big), 500_000)
        (self.folder / "empty.lona").write_text("")
        (self.folder / "wrong.lona").write_text("(def ok 1)\n\n(def bad (+ 1 :a))\n")
        (self.folder / "open.lona").write_text("(def ok 2)\n(def never\n")
        (self.folder / "huge.lona").write_bytes(b" " * ((4 << 20) + 1))
        (self.folder / "full.lona").write_bytes(b" " * ((4 << 20) - 1) + b"7")
        (self.folder / "folder.lona").mkdir()
        os.mkfifo(self.folder / "pipe.lona")
        (self.top / "outside.lona").write_text("1")
        (self.folder / "link.lona").symlink_to(self.top / "outside.lona")
        (self.folder / "inner.lona").symlink_to(self.app)
        said = self.run_forms(*(f'(load-file "{path}")' for path in (
            "big.lona", "empty.lona", "no.lona", "../outside.lona", "../no.lona", "link.lona",
            "/etc/passwd", "folder.lona", "pipe.lona", "huge.lona", "wrong.lona", "open.lona",
            "inner.lona", str(self.app), "full.lona", "app.lona/x", "lib/lona/set.lona")), "ok")
        refused = "ERROR :file-refused"
        for line, wanted in zip(said, [
                str(8950 + 8999), "nil", "ERROR :file-not-found", refused, refused, refused,
                refused, refused, refused, refused, "ERROR :badarg", "ERROR :unexpected-eof",
                "#'app/ask", "#'app/ask", "7", "ERROR :file-not-found", ""]):
            self.assertIn(wanted, line)
        self.assertEqual(said[-1], "1")  # open.lona gave it another value, and failed
        self.assertEqual([(":outside-folder" in line) for line in said[3:7]], [True] * 4, said)

    def test_errors_name_file_and_line(self):
        (self.folder / "wrong.lona").write_text("(def ok 1)\n\n(def bad (+ 1 :a))\n")
        (self.folder / "open.lona").write_text("(def ok 2)\n\n\n(def never\n")
        for name, place in (("wrong", "wrong.lona:3"), ("open", "open.lona:4")):
            done = subprocess.run(self.words("eval", f'(load-file "{name}.lona")'),
                                  stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=support.TIMEOUT, cwd=self.folder, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(place, done.stderr.decode())

    def write_pair(self, version, end=""):
        """Two files; the first one loads the second one and uses what that defines."""
        (self.folder / "outer.lona").write_text(
            f"(in-ns 'app)\n(refer 'lona.process)\n(defn f [] [{version} (g)])\n"
            f"(load-file \"inner.lona\")\n"
            f"(def at-load (f))\n(send lona.user/whom [:loading (self)])\n"
            f"(receive :on :on :after 20000 :nobody)\n{end}\n")
        (self.folder / "inner.lona").write_text(f"(in-ns 'app)\n(defn g [] {version})\n")

    def test_a_load_is_seen_whole_or_not_at_all(self):
        with self.conversation() as answer:
            start = '(def loader (spawn-monitor (fn [] (load-file "outer.lona"))))'
            meets = "(receive [:loading p] [(app/f) app/at-load] :after 20000 :nobody)"
            ended = ("(receive [:DOWN _ _ why]"
                     " [(if (tuple? why) (first why) why) (app/f) app/at-load]"
                     " :after 20000 :nobody)")
            def load(meanwhile, signal, afterwards):
                answer(start)
                self.assertEqual(answer(meets), meanwhile)
                answer(signal)
                self.assertEqual(answer(ended), afterwards)

            answer("(def whom (self))")
            go_on = "(send (first loader) :on)"
            self.write_pair(1)
            # What had no value before is there at once.
            load("[[1 1] [1 1]]", go_on, "[:normal [1 1] [1 1]]")
            self.write_pair(2)
            load("[[1 1] [1 1]]", go_on, "[:normal [2 2] [2 2]]")
            self.write_pair(3, "(+ 1 :a)")
            load("[[2 2] [2 2]]", go_on, "[:error [2 2] [2 2]]")
            self.write_pair(4)
            load("[[2 2] [2 2]]", "(exit (first loader) :kill)", "[:killed [2 2] [2 2]]")
            # Files of one reload come into effect together, or none of them does.
            (self.folder / "outer.lona").write_text("")
            for name, value in (("one", 1), ("two", 1)):
                (self.folder / f"{name}.lona").write_text(f"(def {name} {value})\n")
                answer(f'(load-file "{name}.lona")')
            (self.folder / "one.lona").write_text("(def one 2)\n")
            (self.folder / "two.lona").write_text("(def two (+ :a 2))\n")
            self.assertIn("ERROR :badarg", answer("(reload)"))
            self.assertEqual(answer("[one two]"), "[1 1]")

    def test_an_error_says_that_the_load_is_dropped(self):
        (self.folder / "wrong.lona").write_text("(def one 2)\n(+ 1 :a)\n")
        done = subprocess.run(self.words("eval", "(def one 1)", '(load-file "wrong.lona")'),
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=support.TIMEOUT, cwd=self.folder, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the load is dropped, what it defines anew stays as it was (1)",
                      done.stderr.decode())

    def test_several_processes_load_at_once(self):
        for i in range(8):
            (self.folder / f"f{i}.lona").write_text(f"(def v{i} {i})\n;{'x' * 100_000}\nv{i}")
        said = self.run_forms(
            "(def me (self))",
            "(dotimes [i 8] (spawn (fn [] (send me (load-file (str \"f\" i \".lona\"))))))",
            "(reduce (fn [sum _] (+ sum (receive x x))) 0 (range 8))")
        self.assertEqual(said[-1], "28")


class Booted(OnHost):
    platform = []

    def with_broken_tool(self, *forms):
        tool = support.ROOT / "tests" / "console" / "broken_tool.py"
        done = subprocess.run([sys.executable, str(tool), "batch"],
                              input="\n".join(forms).encode(), capture_output=True,
                              timeout=support.TIMEOUT, cwd=self.folder, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode().splitlines()

    def test_wrong_answers_end_the_caller_only(self):
        wrong = {"unknown-answer": ":bad-answer", "short-head": ":bad-answer",
                 "empty-head": ":bad-answer", "too-large": ":too-large",
                 "data-first": ":bad-answer", "no-credit": ":bad-answer",
                 "two-heads": ":bad-answer", "refused-twice": "ERROR :file-"}
        said = self.with_broken_tool(*(f'(load-file "{path}")' for path in wrong),
                                     '(load-file "app.lona")')
        for (path, wanted), line in zip(wrong.items(), said):
            with self.subTest(path=path):
                self.assertIn(wanted, line)
        self.assertEqual(said[-1], "#'app/ask")

    def test_others_go_on_while_one_waits_and_ctrl_c_ends_the_wait(self):
        said = self.with_broken_tool(
            '(load-file "silent")', '(load-file "app.lona")', '(load-file "half")',
            '(load-file "app.lona")',
            '(spawn (fn [] (do (sleep 50) (println "tick"))))',
            '(load-file "late")', "(app/ask)")
        self.assertEqual(said[:4], ["ERROR :interrupted", "#'app/ask"] * 2)
        self.assertEqual(said[5:], ["tick", "#'app/ask", "1"])


if __name__ == "__main__":
    unittest.main()
