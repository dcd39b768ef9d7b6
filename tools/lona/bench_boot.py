# SPDX-License-Identifier: BSD-2-Clause
"""How long is it from the kernel's first instruction until the VM is ready?

The machine runs with `-icount shift=0`: one guest instruction takes one nanosecond of guest time,
so the figure is the same on every computer. The start is read from the ACPI timer of the stopped
machine when it reaches the kernel's entry (a breakpoint set through gdb's remote protocol). The
end is the guest's own clock when the first form is evaluated. Nothing in the guest is changed.
"""

import dataclasses
import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import time

from . import bootlog, link, machine
from .common import KERNEL, Problem

_ICOUNT = ["-icount", "shift=0,sleep=off"]
_ACPI_TIMER_PORT = 0x608
_ACPI_TIMER_HZ = 3579545
_ACPI_TIMER_BITS = 24


@dataclasses.dataclass
class Measured:
    nanoseconds: int


class _Listener:
    def __init__(self, folder, name):
        self.path = os.path.join(folder, name)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen(1)
        self._socket.settimeout(20)

    def accept(self):
        connection = self._socket.accept()[0]
        connection.settimeout(120)
        self._socket.close()
        return connection


class _Gdb:
    """As much of gdb's remote protocol as a breakpoint needs."""

    def __init__(self, connection):
        self._connection = connection
        self._held = b""

    def ask(self, text):
        data = text.encode()
        self._connection.sendall(b"$%s#%02x" % (data, sum(data) & 0xFF))
        return self.answer()

    def answer(self):
        while not (found := re.search(rb"\$([^#]*)#..", self._held)):
            more = self._connection.recv(4096)
            if not more:
                raise Problem("the machine ended while it was measured")
            self._held += more
        self._held = self._held[found.end():]
        self._connection.sendall(b"+")
        return found[1].decode(errors="replace")


class _Monitor:
    """QEMU's monitor, machine readable."""

    def __init__(self, connection):
        self._lines = connection.makefile("rw")
        self._lines.readline()  # its greeting
        self._ask({"execute": "qmp_capabilities"})

    def _ask(self, request):
        self._lines.write(json.dumps(request) + "\n")
        self._lines.flush()
        while "return" not in (answer := json.loads(self._lines.readline())):
            if "error" in answer:
                raise Problem(f"QEMU's monitor: {answer['error']}")
        return answer["return"]

    def command(self, line):
        return self._ask({"execute": "human-monitor-command", "arguments": {"command-line": line}})

    def acpi_timer_ns(self):
        said = self.command(f"i /w {_ACPI_TIMER_PORT:#x}")
        value = int(re.search(r"= (0x[0-9a-f]+)", said)[1], 16) & ((1 << _ACPI_TIMER_BITS) - 1)
        return value * 1_000_000_000 // _ACPI_TIMER_HZ


def _entry(kernel):
    head = kernel.read_bytes()[:64]
    return struct.unpack_from("<I" if head[4] == 1 else "<Q", head, 24)[0]


def measure(settings=None):
    settings = settings or machine.Settings()
    settings.extra = [*_ICOUNT, *settings.extra]
    with tempfile.TemporaryDirectory(prefix="lona-") as folder:
        gdb, monitor, log, com2 = (_Listener(folder, name) for name in "gmlc")
        words = machine.command(settings, f"socket,path={log.path}", f"socket,path={com2.path}")
        words += ["-S", "-chardev", f"socket,path={gdb.path},id=gdb", "-gdb", "chardev:gdb",
                  "-chardev", f"socket,path={monitor.path},id=qmp", "-qmp", "chardev:qmp"]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True) as guest:
            try:
                # Connected one by one in the order of QEMU's command line.
                at_log, at_link = log.accept(), com2.accept()
                connections = gdb.accept(), monitor.accept()
                start = _run_to_entry(_Gdb(connections[0]), _Monitor(connections[1]))
                return Measured(_ready_at(at_link, at_log) - start)
            except TimeoutError:
                raise Problem("the system did not come up while it was measured") from None
            finally:
                guest.kill()


def _run_to_entry(gdb, monitor):
    where = f"1,{_entry(KERNEL):x},1"
    gdb.ask("?")
    if gdb.ask(f"Z{where}") != "OK" or not gdb.ask("c").startswith(("T05", "S05")):
        raise Problem("the machine did not reach the kernel's entry")
    start = monitor.acpi_timer_ns()
    gdb.ask(f"z{where}")
    gdb._connection.sendall(b"$c#63")
    return start


def _ready_at(at_link, at_log):
    """The guest's clock in nanoseconds when it evaluates its first form."""
    decoder, said = link.Decoder(), b""
    log = bootlog.BootLog()
    at_log.setblocking(False)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        data = at_link.recv(4096)
        try:
            log.feed(at_log.recv(65536))
        except BlockingIOError:
            pass
        if not data:
            break
        for kind, payload in decoder.feed(data):
            if kind == link.READY:
                at_link.sendall(link.start("eval", {"tty": 0}, ["(monotonic-time)"]))
            elif kind == link.OUT:
                said += payload
            elif kind == link.ENDED:
                return int(said)
    raise Problem(f"the system did not answer while it was measured\n{log.report()}")
