#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stands in for QEMU in the tests of the tool: connects to both character devices of the command
line and plays the guest that FAKE_GUEST names. What the host sent at the start is written to the
file FAKE_RECORD, if set."""

import os
import re
import socket
import struct
import sys
import time

_HEAD = struct.Struct("<cH")


class Guest:
    def __init__(self, words):
        paths = [re.match(r"socket,path=([^,]+)", word)[1] for word in words
                 if word.startswith("socket,path=")]
        self.log, self.link = (self._connect(path) for path in paths)
        self._input = self.link.makefile("rb")
        self.sent = self.taken = 0

    waits_for_other_frames = True

    @staticmethod
    def _connect(path):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        return connection

    def send(self, kind, payload=b""):
        self.link.sendall(_HEAD.pack(kind, len(payload)) + payload)
        self.sent += len(payload) + 2048

    def say(self, text):
        self.log.sendall(text.encode() + b"\n")

    def receive(self):
        head = self._input.read(_HEAD.size)
        if len(head) < _HEAD.size:
            sys.exit(0)
        kind, length = _HEAD.unpack(head)
        payload = self._input.read(length)
        if kind != b"T":
            return kind, payload
        self.taken += struct.unpack("<I", payload)[0]
        assert self.taken <= self.sent, "more taken than was sent"
        return self.receive() if self.waits_for_other_frames else (kind, payload)

    def begin(self):
        """R, then the host's S; in mode run the program too. Gives mode, settings, arguments."""
        self.say("[manager] booting")
        self.send(b"R", b"lona 2")
        kind, payload = self.receive()
        assert kind == b"S", kind
        words = payload.split(b"\0")
        at = words.index(b"--")
        self.program = b""
        while words[0] == b"run":
            kind, piece = self.receive()
            assert kind == b"F", kind
            if not piece:
                break
            self.program += piece
        if "FAKE_RECORD" in os.environ:
            with open(os.environ["FAKE_RECORD"], "wb") as record:
                record.write(payload + b"\n" + self.program)
        return words[0], words[1:at], words[at + 1:]

    def credit(self, amount):
        self.send(b"K", struct.pack("<I", amount))

    def end(self, status):
        self.send(b"Q", bytes([status]))
        time.sleep(60)  # the host ends the machine


def echo(guest):
    """Gives small credits and sends back what comes; checks that no credit is overdrawn."""
    guest.begin()
    left = 0
    while True:
        if left == 0:
            left = 1000
            guest.credit(left)
        kind, payload = guest.receive()
        if kind == b"E":
            guest.end(0)
        if kind == b"C":
            guest.send(b"X", b"interrupted\n")
            guest.end(1)
        if kind == b"I":
            left -= len(payload)
            if left < 0:
                guest.send(b"X", b"credit overdrawn\n")
                guest.end(9)
            guest.send(b"O", payload)


def status(guest):
    """Ends with the status its first argument names."""
    _, _, arguments = guest.begin()
    guest.send(b"O", b"out\n")
    guest.send(b"X", b"err\n")
    guest.end(int(arguments[-1]))


def forever(guest):
    """Runs and never reacts, not even to an interrupt."""
    guest.begin()
    guest.send(b"O", b"started\n")
    time.sleep(60)


def flood(guest):
    guest.begin()
    while True:
        guest.send(b"O", b"y\n" * 2048)


def careful(guest):
    """Prints a megabyte, and never more than 64 KiB, counted as the link does, before the host has
    taken it."""
    guest.begin()
    guest.waits_for_other_frames = False
    for n in range(2000):
        while guest.sent - guest.taken > 65536 - 4096 - 2048:
            guest.receive()
        guest.send(b"O", b"%04d" % n * (1 if n % 2 else 256))
    guest.end(0)


def prompt(guest):
    """A prompt that shows which keys and interrupts arrive, one per line. `q` ends it."""
    _, settings, _ = guest.begin()
    guest.send(b"O", b"settings " + b" ".join(settings) + b"\n")
    guest.credit(1000)
    while True:
        kind, payload = guest.receive()
        guest.send(b"O", b"%s %s\n" % (kind, payload.hex().encode()))
        if payload.endswith(b"q") or kind == b"E":
            guest.end(0)


def loads(guest):
    """Reads the files that its arguments name, and sends back the answer and the bytes of each.
    Gives little credit and checks that it is not overdrawn, and an interrupt is not held up."""
    _, _, arguments = guest.begin()
    for number, path in enumerate(arguments, 7):
        guest.send(b"L", struct.pack("<I", number - 1) + b"superseded")
        assert guest.receive()[0] == b"H"
        guest.send(b"L", struct.pack("<I", number) + path)
        kind, payload = guest.receive()
        assert kind == b"H", kind
        again, answer, size = struct.unpack("<IBI", payload)
        guest.send(b"O", b"%d %d\n" % (answer, size))
        while size > 0:
            guest.send(b"M", struct.pack("<II", number - 1, 1000))  # of a request that is over
            guest.send(b"M", struct.pack("<II", number, 5000))
            credit = min(size, 5000)
            size -= credit
            while credit > 0:
                kind, payload = guest.receive()
                assert (kind, payload[:4]) == (b"D", struct.pack("<I", number)), (kind, payload)
                credit -= len(payload) - 4
                guest.send(b"O", payload[4:])
            if credit < 0 or again != number:
                guest.end(9)
    guest.end(0)


def loads_wrongly(guest):
    guest.begin()
    guest.send(b"L", b"abc")
    time.sleep(60)


def panic(guest):
    guest.begin()
    guest.say("unrelated")
    guest.say("KERNEL PANIC: assertion failed")
    guest.say("  at somewhere+0x10")
    time.sleep(60)


def stopped(guest):
    guest.begin()
    guest.say("[manager] realm init stopped: stack overflow at 0x1000")
    time.sleep(60)


def dies(guest):
    guest.begin()
    guest.say("last words")
    os.kill(os.getpid(), 9)


def resets(guest):
    guest.begin()
    sys.exit(0)


def garbage(guest):
    guest.begin()
    guest.link.sendall(b"SeaBIOS (version 1)\n")
    time.sleep(60)


def noise(guest):
    """Firmware that uses the link as its console, and a guest that never comes up."""
    guest.link.sendall(b"\x1b[2JBIOS")
    time.sleep(60)


def booting(guest):
    guest.say("[manager] still booting")
    time.sleep(60)


def silent(_guest):
    time.sleep(60)


if __name__ == "__main__":
    if os.environ["FAKE_GUEST"] == "refuses":
        sys.exit("qemu-system-x86_64: no such machine")
    globals()[os.environ["FAKE_GUEST"]](Guest(sys.argv[1:]))
