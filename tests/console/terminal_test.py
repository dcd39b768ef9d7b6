#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The prompt on a terminal: editing, history, Ctrl-C, Ctrl-D."""

import time
import unittest

import support


class OnHost(unittest.TestCase):
    platform = ["--host"]

    def setUp(self):
        self.terminal = support.Terminal("run", *self.platform)
        self.addCleanup(lambda: self.terminal.close())
        self.terminal.expect("lona.user> ")

    def enter(self, line, answer):
        self.terminal.type(line + "\r")
        self.terminal.expect("\r\n" + answer + "\r\n")
        self.terminal.expect("lona.user> ")

    def leave(self):
        self.terminal.type("\x04")
        self.assertEqual(self.terminal.process.wait(timeout=20), 0)
        self.assertTrue(self.terminal.is_sane())

    def test_a_line_is_answered_and_ctrl_d_ends(self):
        self.enter("(+ 1 2)", "3")
        self.leave()

    def test_the_line_can_be_edited(self):
        self.enter("(+ 1 3)\x1b[D\x7f2", "3")            # left, backspace: 3 becomes 2
        self.enter("nonsense\x15(+ 2 2)", "4")           # Ctrl-U deletes the line
        self.enter("+ 2 3)\x01(", "5")                   # Ctrl-A goes to its start
        self.leave()

    def test_arrow_up_brings_the_last_line_back(self):
        self.enter("(* 6 7)", "42")
        self.enter("\x1b[A", "42")
        self.leave()

    def test_an_open_form_goes_on_in_the_next_line(self):
        self.terminal.type("(+ 1\r")
        self.enter("2)", "3")
        self.leave()

    def test_ctrl_c_stops_the_running_form_and_keeps_definitions(self):
        self.enter("(def kept 17)", "#'lona.user/kept")
        self.enter("(def forever (fn* [] (forever)))", "#'lona.user/forever")
        self.terminal.type("(forever)\r")
        self.terminal.expect("(forever)")
        self.terminal.type("\x03")
        self.terminal.expect("interrupted", timeout=20)
        self.terminal.expect("lona.user> ")
        self.enter("kept", "17")
        self.leave()

    def test_ctrl_c_drops_the_line_being_typed(self):
        self.terminal.type("(never finished")
        self.terminal.type("\x03")
        self.terminal.expect("lona.user> ")
        self.enter("(+ 1 1)", "2")
        self.leave()

    def test_an_error_keeps_the_prompt(self):
        self.terminal.type("(no-such-function 1)\r")
        self.terminal.expect(":undef")
        self.terminal.expect("lona.user> ")
        self.enter("(+ 1 1)", "2")
        self.leave()


    def test_tab_completes_names(self):
        self.terminal.type("(lona.ser\t")
        self.terminal.expect("lona.server/")
        self.terminal.type("\x15(redu\t + 0 (rang\t 4))\r")
        self.terminal.expect("\r\n6\r\n")
        self.leave()

    def test_earlier_values_and_the_last_error_have_names(self):
        self.enter("(* 6 7)", "42")
        self.enter("(+ *1 1)", "43")
        self.enter("[*1 *2]", "[43 42]")
        self.terminal.type("(exit :some-reason)\r")
        self.terminal.expect("ended: :some-reason")
        self.terminal.expect("lona.user> ")
        self.enter("*e", ":some-reason")
        self.leave()

    def test_long_values_are_laid_out(self):
        self.terminal.type("(range 60)\r")
        self.terminal.expect("\r\n(0 1 2 3")
        self.terminal.expect("\r\n ")
        self.terminal.expect("59)\r\n")
        self.leave()

    def test_the_table_of_processes(self):
        self.terminal.type("(processes)\r")
        self.terminal.expect("REDUCTIONS")
        self.terminal.expect("running")
        self.leave()

    def test_observe_ends_with_enter(self):
        self.terminal.type("(observe)\r")
        self.terminal.expect("Enter ends this")
        self.terminal.type("\r")
        self.terminal.expect("\r\nnil\r\n")
        self.enter("(+ 1 1)", "2")
        self.leave()

    def test_colors_where_the_terminal_has_them(self):
        self.terminal.close()
        self.terminal = support.Terminal("run", *self.platform, color=True)
        self.terminal.expect("lona.user> ")
        self.terminal.type("[:a 1]\r")
        self.terminal.expect("[\x1b[36m:a\x1b[0m \x1b[33m1\x1b[0m]")
        self.leave()


class Booted(OnHost):
    platform = []

    def test_a_child_that_floods_the_console_takes_it_from_nobody(self):
        def enter(line, answer):
            self.terminal.type(line)
            self.terminal.expect(answer, timeout=60)

        enter("(def loud (realm-create %{:name 'loud}))\r", "user/loud\r\n")
        enter('(realm-eval loud "(defn f [] (println (range 9)) (f)) (spawn f) 700")\r',
              "[:ok 700]")
        time.sleep(1)  # nobody reads meanwhile, so all between the child and us is full
        enter("(+ 400 20)\r", "420")
        enter("(defn forever [] (forever))\r", "user/forever")
        enter("(forever)\r", "(forever)")
        time.sleep(1)
        enter("\x03", "interrupted")
        enter("(realm-terminate loud)\r", ":ok")
        enter("(* 7 111)\r", "777")
        self.leave()


if __name__ == "__main__":
    unittest.main()
