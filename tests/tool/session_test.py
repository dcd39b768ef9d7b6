#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`./lona run`, `eval` and `batch` against guests that behave well, badly, or not at all."""

import os
import pathlib
import pty
import select
import signal
import subprocess
import tempfile
import termios
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
LONA = HERE.parents[1] / "lona"


class WithFakeMachine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "qemu-system-x86_64").symlink_to(HERE / "fake_machine.py")
        (self.folder / "image").write_bytes(b"")
        (self.folder / "program.lona").write_bytes(b"(println 1)")
        self.program = str(self.folder / "program.lona")

    def words(self, call, *arguments):
        image = str(self.folder / "image")
        return [LONA, call, "--kernel", image, "--root-task", image, *arguments]

    def environment(self, guest):
        return dict(os.environ, FAKE_GUEST=guest, FAKE_RECORD=str(self.folder / "record"),
                    PATH=f"{self.folder}:{os.environ['PATH']}", TERM="xterm")

    def call(self, guest, *words, stdin=b"", **environment):
        return subprocess.run(self.words(*words), input=stdin, capture_output=True, timeout=30,
                              env=self.environment(guest) | environment, check=False)

    def start(self, guest, *words, **pipes):
        process = subprocess.Popen(self.words(*words), env=self.environment(guest), **pipes)
        self.addCleanup(self.finish, process)
        return process

    @staticmethod
    def finish(process):
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()

    def assert_no_machine_left(self):
        end = time.monotonic() + 20
        while subprocess.run(["pgrep", "-f", f"{self.folder}/"], capture_output=True,
                             check=False).returncode == 0:
            self.assertLess(time.monotonic(), end, "the machine still runs")
            time.sleep(0.05)


class GoodGuests(WithFakeMachine):
    def test_output_errors_and_status_are_the_programs(self):
        done = self.call("status", "run", self.program, "7")
        self.assertEqual((done.stdout, done.stderr, done.returncode), (b"out\n", b"err\n", 7))

    def test_program_and_arguments_arrive(self):
        self.call("status", "run", self.program, "--flag", "a b", "0")
        record = (self.folder / "record").read_bytes()
        self.assertRegex(record, rb"^run\0.*\0--\0.*program.lona\0--flag\0a b\x000\n\(println 1\)$")

    def test_input_of_any_bytes_arrives_whole_and_within_the_credit(self):
        data = bytes(range(256)) * 1000
        done = self.call("echo", "run", self.program, stdin=data)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout, data)

    def test_a_guest_that_waits_until_its_output_was_taken_gets_on(self):
        done = self.call("careful", "run", self.program)
        text = b"".join(b"%04d" % n * (1 if n % 2 else 256) for n in range(2000))
        self.assertEqual((done.returncode, done.stderr, done.stdout == text), (0, b"", True))

    def load(self, *paths):
        """The first line is the answer and the size of the file, as docs/host-link.md has them."""
        inside = self.folder / "inside"
        inside.mkdir(exist_ok=True)
        done = subprocess.run(self.words("eval", *paths), capture_output=True, timeout=30,
                              stdin=subprocess.DEVNULL, cwd=inside,
                              env=self.environment("loads"), check=False)
        self.assertEqual((done.stderr, done.returncode), (b"", 0))
        return done.stdout

    def test_files_arrive_whole_and_within_the_credit(self):
        inside = self.folder / "inside"
        inside.mkdir()
        data = bytes(range(256)) * 2000
        (inside / "big").write_bytes(data)
        (inside / "empty").write_bytes(b"")
        self.assertEqual(self.load("big"), b"0 %d\n" % len(data) + data)
        self.assertEqual(self.load("empty", "./big", "no"),
                         b"0 0\n0 %d\n" % len(data) + data + b"1 0\n")

    def test_only_files_of_the_folder_are_read(self):
        inside = self.folder / "inside"
        (inside / "deep").mkdir(parents=True)
        (inside / "deep" / "file").write_bytes(b"x")
        (self.folder / "secret").write_bytes(b"secret")
        (self.folder / "inside-not").mkdir()
        (self.folder / "inside-not" / "file").write_bytes(b"secret")
        (inside / "link").symlink_to("../secret")
        (inside / "up").symlink_to("..")
        (inside / "loop").symlink_to("loop")
        (inside / "good").symlink_to("deep/file")
        os.mkfifo(inside / "pipe")
        with open(inside / "huge", "wb") as huge:
            huge.truncate((4 << 20) + 1)
        cases = (("deep/file", 0), ("good", 0), (str(inside / "good"), 0),
                 ("deep/../good", 0), ("missing", 1), ("good/x", 1), ("", 1),
                 ("../secret", 2), ("../missing", 2), ("link", 2), ("up/secret", 2),
                 ("up/inside-not/file", 2), ("/etc/passwd", 2), ("/no/such", 2),
                 ("deep", 3), (".", 3), ("pipe", 3), ("/dev/null", 2), ("huge", 4),
                 ("loop", 5))
        said = self.load(*(path for path, _ in cases)).replace(b"0 1\nx", b"0 0\n").split(b"\n")
        self.assertEqual([(path, int(line[:1])) for (path, _), line in zip(cases, said)],
                         list(cases))

    def test_closed_standard_input_is_end_of_input(self):
        done = subprocess.run(["sh", "-c", 'exec "$@" <&-', "sh",
                               *map(str, self.words("run", self.program))],
                              env=self.environment("echo"), capture_output=True, timeout=30,
                              check=False)
        self.assertEqual((done.stdout, done.returncode), (b"", 0))

    def test_run_without_file_feeds_lines_to_the_prompt(self):
        done = self.call("prompt", "run", stdin=b"(+ 1 2)\n")
        self.assertIn(b"tty=0", done.stdout)
        self.assertIn(b"I " + b"(+ 1 2)\n".hex().encode(), done.stdout)
        self.assertTrue(done.stdout.endswith(b"E \n"))

    def test_log_goes_to_its_file_and_with_v_to_standard_error(self):
        log = self.folder / "log"
        quiet = self.call("status", "eval", "--log", str(log), "0")
        self.assertEqual(log.read_bytes(), b"[manager] booting\n")
        self.assertEqual(quiet.stderr, b"err\n")
        self.assertIn(b"[manager] booting\n", self.call("status", "eval", "-v", "0").stderr)


class BadGuests(WithFakeMachine):
    def refused(self, guest, **environment):
        done = self.call(guest, "run", self.program, **environment)
        self.assertEqual(done.returncode, 1)
        self.assert_no_machine_left()
        return done.stderr.decode()

    def test_a_panic_is_shown_from_its_first_line(self):
        said = self.refused("panic")
        self.assertIn("KERNEL PANIC: assertion failed\n    at somewhere+0x10", said)
        self.assertNotIn("unrelated", said)

    def test_a_stopped_realm_is_shown(self):
        self.assertIn("stack overflow at 0x1000", self.refused("stopped"))

    def test_a_killed_machine_is_named_with_its_last_words(self):
        said = self.refused("dies")
        self.assertIn("killed by SIGKILL", said)
        self.assertIn("last words", said)

    def test_a_reset_is_named(self):
        self.assertIn("reset", self.refused("resets"))

    def test_garbage_on_the_link_is_named(self):
        self.assertIn("unreadable frame", self.refused("garbage"))

    def test_a_wrong_request_for_a_file_is_named(self):
        self.assertIn("file request of wrong length", self.refused("loads_wrongly"))

    def test_silence_from_boot_on_ends_at_last(self):
        self.assertIn("nothing heard", self.refused("silent", LONA_PATIENCE="0.5"))

    def test_noise_on_the_link_is_no_answer(self):
        self.assertIn("nothing heard", self.refused("noise", LONA_PATIENCE="0.5"))

    def test_a_machine_that_does_not_start_gives_its_reason(self):
        self.assertIn("no such machine", self.refused("refuses"))


class Ending(WithFakeMachine):
    def test_interrupt_is_passed_on_and_the_programs_answer_counts(self):
        process = self.start("echo", "run", self.program, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"x")
        process.stdin.flush()
        self.assertEqual(os.read(process.stdout.fileno(), 1), b"x")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
        self.assertEqual((said, process.returncode), (b"interrupted\n", 1))

    def started(self):
        process = self.start("forever", "run", self.program, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"started\n")
        return process

    def test_a_deaf_program_ends_soon_after_the_interrupt(self):
        process = self.started()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(timeout=20), 130)
        self.assert_no_machine_left()

    def test_terminate_ends_the_machine(self):
        process = self.started()
        process.terminate()
        self.assertEqual(process.wait(timeout=20), 143)
        self.assert_no_machine_left()

    def test_even_a_killed_tool_leaves_no_machine(self):
        process = self.started()
        process.kill()
        process.wait()
        self.assert_no_machine_left()

    def test_a_closed_pipe_ends_all_quietly(self):
        process = self.start("flood", "run", self.program, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.wait(timeout=20), 141)
        self.assert_no_machine_left()


class WrongUse(WithFakeMachine):
    def test_each_kind_is_status_2_with_a_reason(self):
        for words, reason in ((["run", "/no/such.lona"], b"/no/such.lona: No such file"),
                              (["run", str(self.folder)], b"Is a directory"),
                              (["eval"], b"EXPR"),
                              (["eval", "x" * 5000], b"too long"),
                              (["run", "--memory", "much"], b"invalid int value")):
            with self.subTest(words=words):
                done = self.call("status", *words)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(reason, done.stderr)
                self.assertEqual(done.stdout, b"")

    def test_unknown_call(self):
        done = subprocess.run([LONA, "fly"], capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)

    def test_a_missing_kernel_is_named(self):
        done = subprocess.run([LONA, "eval", "--kernel", "/no/kernel", "--root-task", "/dev/null",
                               "1"], capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/no/kernel does not exist", done.stderr)


class OnATerminal(WithFakeMachine):
    def setUp(self):
        super().setUp()
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        termios.tcsetwinsize(self.slave, (30, 100))
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""

    def start_prompt(self, guest="prompt"):
        def own_terminal():
            os.setsid()
            os.close(os.open(os.ttyname(0), os.O_RDWR))  # becomes the controlling terminal
        process = self.start(guest, "run", stdin=self.slave, stdout=self.slave,
                             stderr=self.slave, preexec_fn=own_terminal)
        return process

    def expect(self, text, seconds=10):
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                self.fail(f"{text!r} not seen in {self.seen!r}")
            self.seen += os.read(self.master, 4096)

    def assert_sane(self):
        self.assertEqual(termios.tcgetattr(self.slave)[:6], self.before[:6])
        os.close(self.slave)

    def test_keys_go_raw_and_the_guest_knows_the_terminal(self):
        process = self.start_prompt()
        self.expect(b"settings columns=100 rows=30 color=1 tty=1\r\n")
        os.write(self.master, b"\x1b[A")
        self.expect(b"I 1b5b41")
        os.write(self.master, b"\x04")
        self.expect(b"I 04")
        os.write(self.master, b"q")
        self.assertEqual(process.wait(timeout=20), 0)
        self.assert_sane()

    def test_ctrl_c_is_an_interrupt_frame_and_the_prompt_lives(self):
        process = self.start_prompt()
        self.expect(b"settings")
        os.write(self.master, b"\x03")
        self.expect(b"C ")
        os.write(self.master, b"q")
        self.assertEqual(process.wait(timeout=20), 0)
        self.assert_sane()

    def test_a_new_window_size_is_passed_on(self):
        process = self.start_prompt()
        self.expect(b"settings")
        termios.tcsetwinsize(self.slave, (40, 132))
        process.send_signal(signal.SIGWINCH)
        self.expect(b"W 84002800")
        os.write(self.master, b"q")
        process.wait(timeout=20)
        self.assert_sane()

    def test_a_deaf_prompt_ends_after_several_interrupts(self):
        process = self.start_prompt("forever")
        self.expect(b"started")
        for _ in range(4):  # it gave no credit: interrupts must not wait for any
            os.write(self.master, b"\x03")
            time.sleep(0.1)
        self.assertEqual(process.wait(timeout=20), 130)
        self.assert_sane()

    def test_ctrl_c_ends_a_machine_that_does_not_come_up(self):
        process = self.start_prompt("booting")
        time.sleep(1)
        os.write(self.master, b"\x03")
        self.assertEqual(process.wait(timeout=20), 130)
        self.assert_sane()

    def test_terminate_restores_the_terminal(self):
        process = self.start_prompt()
        self.expect(b"settings")
        process.terminate()
        self.assertEqual(process.wait(timeout=20), 143)
        self.assert_sane()

    def test_a_machine_that_dies_leaves_the_terminal_sane(self):
        process = self.start_prompt("dies")
        self.assertEqual(process.wait(timeout=20), 1)
        self.assert_sane()


if __name__ == "__main__":
    unittest.main()
