# SPDX-License-Identifier: BSD-2-Clause
"""One conversation with the VM in the booted system, from its `R` to its `Q`.

A single loop over the link, the log, standard input and signals. Standard input is read only as
far as the guest gave credit, so a slow program stops the pipe that feeds it; standard output is
written before more is read from the link, so a slow reader stops the guest.
"""

import contextlib
import os
import select
import signal
import time

from . import files, link, terminal
from .common import Problem

# Seconds without one byte from a machine that boots; a slow computer may need more.
_SILENCE = float(os.environ.get("LONA_PATIENCE", "60"))
_GRACE = 3.0          # seconds a program gets to end after Ctrl-C
_DEAF_INTERRUPTS = 3  # Ctrl-C this often without any answer ends the machine
_MOST_KEYS = 65536    # typed ahead of the guest's credit
_CTRL_C = b"\x03"


class Interrupted(Exception):
    """The person or the system wants this tool to end; carries the exit status."""

    def __init__(self, status):
        super().__init__()
        self.status = status


class Session:
    def __init__(self, machine, log, mode, arguments=(), program=None):
        self._machine, self._log = machine, log
        self._mode, self._arguments, self._program = mode, arguments, program
        self._decoder = link.Decoder()
        self._taken = link.Taken()
        self._to_guest = bytearray()
        self._credit = 0
        self._keys = bytearray()
        self._input_open = True
        self._end_sent = False
        self._folder = files.Folder()
        self._file = files.Transfer()
        self._status = None
        self._interrupts = 0
        self._deadline = None
        self._ready = False
        self._raw = mode == "prompt" and terminal.is_terminal(0) and terminal.is_terminal(1)

    def run(self):
        """Returns the exit status the guest gave."""
        with _signals() as wakeup, terminal.raw(self._raw):
            started = time.monotonic()
            while self._status is None:
                self._step(wakeup)
                self._watch(started)
            self._drain_log()
        return self._status

    # One round: wait for anything, then serve all of it.

    def _step(self, wakeup):
        poll = select.poll()
        poll.register(self._machine.log, select.POLLIN)
        poll.register(self._machine.link,
                      select.POLLIN | (select.POLLOUT if self._to_guest else 0))
        poll.register(wakeup, select.POLLIN)
        if self._wants_input():
            poll.register(0, select.POLLIN)
        ready = dict(poll.poll(200))
        # Also those the poll did not see: an interrupt counts before input that ended after it.
        self._serve_signals(wakeup)
        if self._machine.log.fileno() in ready:
            self._read_log()
        on_link = ready.get(self._machine.link.fileno(), 0)
        if on_link & select.POLLOUT:
            self._flush()
        if on_link & ~select.POLLOUT:
            self._read_link()
        if 0 in ready and self._status is None:
            self._read_input()

    def _watch(self, started):
        now = time.monotonic()
        if self._status is not None:
            return
        if self._log.given_up():
            raise Problem(f"the system stopped:\n{self._log.report()}")
        if self._log.silent and not self._ready and now - started > _SILENCE:
            raise Problem(f"nothing heard from the machine for {_SILENCE:.0f} s")
        if self._deadline is not None and now > self._deadline:
            raise Interrupted(128 + signal.SIGINT)

    # From the guest.

    def _read_log(self):
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self._log.feed(self._machine.log.recv(65536))

    def _read_link(self):
        try:
            data = self._machine.link.recv(65536)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._drain_log()
            raise Problem(f"the machine ended: {self._machine.complaints()}\n"
                          f"{self._log.report()}".rstrip())
        self._interrupts = 0
        try:
            for kind, payload in self._decoder.feed(data):
                self._take(kind, payload)
                self._send(self._taken.count(payload))
        except link.LinkError as error:
            raise Problem(f"the system and this tool do not understand each other: {error}\n"
                          f"{self._log.report()}".rstrip()) from None

    def _take(self, kind, payload):
        if kind == link.OUT:
            _write(1, payload)
        elif kind == link.ERR:
            _write(2, payload)
        elif kind == link.CREDIT:
            self._credit += link.credit(payload)
            self._pass_input()
        elif kind == link.LOAD:
            self._begin_file(*link.file_request(payload))
        elif kind == link.MORE:
            self._pass_file(*link.file_credit(payload))
        elif kind == link.READY:
            self._begin(payload)
        elif kind == link.ENDED and self._status is None:
            self._status = link.status(payload)

    def _drain_log(self):
        """The log may lag behind the link by a moment."""
        while select.select([self._machine.log], [], [], 0.02)[0]:
            try:
                data = self._machine.log.recv(65536)
            except (BlockingIOError, ConnectionError):
                return
            if not data:
                return
            self._log.feed(data)

    # To the guest.

    def _begin(self, payload):
        if payload != b"lona 2":
            raise link.LinkError(f"unknown version {payload!r}")
        columns, rows = terminal.size()
        settings = {"columns": columns, "rows": rows, "color": int(terminal.wants_color()),
                    "tty": int(self._raw)}
        self._send(link.start(self._mode, settings, self._arguments))
        self._ready = True
        if self._program is not None:
            for piece in link.source(self._program):
                self._send(piece)

    def _send(self, data):
        self._to_guest += data
        self._flush()

    def _flush(self):
        try:
            while self._to_guest:
                sent = self._machine.link.send(self._to_guest)
                del self._to_guest[:sent]
        except (BlockingIOError, ConnectionError):
            pass  # the reading side reports a lost connection

    def _wants_input(self):
        # Raw keys are read even without credit: Ctrl-C must reach a program that takes no input,
        # and end a machine that does not come up.
        held = len(self._keys)
        return self._input_open and (held < _MOST_KEYS if self._raw else self._credit > 0)

    def _read_input(self):
        try:
            data = os.read(0, link.MAX_PAYLOAD if self._raw else
                           min(self._credit, link.MAX_PAYLOAD))
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._input_open = False
        if self._raw:
            # Ctrl-C drops the keys typed before it, as on any terminal.
            for _ in range(data.count(_CTRL_C)):
                self._interrupt()
                self._keys.clear()
            data = data[data.rfind(_CTRL_C) + 1:]
        self._keys += data
        self._pass_input()

    def _pass_input(self):
        """Sends what the guest gave credit for, and the end once all is sent."""
        while self._keys and self._credit > 0:
            piece = bytes(self._keys[:min(self._credit, link.MAX_PAYLOAD)])
            del self._keys[:len(piece)]
            self._credit -= len(piece)
            self._send(link.frame(link.INPUT, piece))
        if not self._input_open and not self._keys and not self._end_sent:
            self._end_sent = True
            self._send(link.frame(link.END))

    def _begin_file(self, number, path):
        """A request ends the one before it, which nobody waits for any more."""
        answer, data = self._folder.read(path)
        self._file = files.Transfer(number, data)
        self._send(link.file_head(number, answer, len(data)))

    def _pass_file(self, number, credit):
        if number == self._file.number:
            for piece in link.file_data(number, self._file.next(credit)):
                self._send(piece)

    def _interrupt(self):
        if not self._ready:
            raise Interrupted(128 + signal.SIGINT)
        self._interrupts += 1
        self._send(link.frame(link.INTERRUPT))
        if self._mode != "prompt":
            if self._interrupts > 1:
                raise Interrupted(128 + signal.SIGINT)
            self._deadline = time.monotonic() + _GRACE
        elif self._interrupts > _DEAF_INTERRUPTS:
            raise Interrupted(128 + signal.SIGINT)

    def _serve_signals(self, wakeup):
        try:
            numbers = os.read(wakeup, 64)
        except BlockingIOError:
            return
        for number in numbers:
            if number == signal.SIGWINCH:
                self._send(link.window(*terminal.size()))
            elif number == signal.SIGINT:
                self._interrupt()
            else:
                raise Interrupted(128 + number)


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]


@contextlib.contextmanager
def _signals():
    """A descriptor from which the numbers of arrived signals can be read."""
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGWINCH)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    descriptor = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
