#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Both devices that can carry the host link do: bytes of all values go in and come out whole, on
both machine models."""

import pathlib
import subprocess
import tempfile
import time
import unittest

import support

ECHO = """
(defn copy [n]
  (match (read-line)
    nil (println n)
    line (do (println line) (copy (+ n 1)))))
(copy 0)
"""


class LinkDevice(unittest.TestCase):
    def echo(self, lines, *words):
        with tempfile.NamedTemporaryFile(suffix=".lona", mode="w") as program:
            program.write(ECHO)
            program.flush()
            text = "".join(line + "\n" for line in lines).encode()
            done = support.call("run", *words, pathlib.Path(program.name), stdin=text)
        self.assertEqual(done.stderr, b"")
        self.assertEqual(done.stdout, text + f"{len(lines)}\n".encode())
        self.assertEqual(done.returncode, 0)

    def test_virtio_carries_more_than_its_buffers_hold(self):
        lines = [f"{i} " + "xyzé✓" * (i % 40) for i in range(1500)]
        self.echo(lines)

    def test_a_slow_reader_loses_nothing(self):
        with tempfile.NamedTemporaryFile(suffix=".lona", mode="w") as program:
            program.write('(def line (apply str (repeat 99 "x")))\n'
                          "(doseq [_ (range 20000)] (println line))\n")
            program.flush()
            process = subprocess.Popen([support.LONA, "run", program.name], cwd=support.ROOT,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(2)  # more than the system needs to fill all that is between it and us
            said, errors = process.communicate(timeout=support.TIMEOUT)
        self.assertEqual((process.returncode, errors), (0, b""))
        self.assertEqual(len(said), 20000 * 100)
        self.assertEqual(set(said.split(b"\n")), {b"x" * 99, b""})

    def test_virtio_on_the_older_machine(self):
        self.echo(["one", "two"], "--machine", "pc", "--cpu", "qemu64")

    def test_a_uart_carries_it_too(self):
        self.echo([f"line {i}" for i in range(40)], "--link", "uart")


if __name__ == "__main__":
    unittest.main()
