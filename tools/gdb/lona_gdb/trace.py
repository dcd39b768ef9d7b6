# SPDX-License-Identifier: BSD-2-Clause
"""What each core did last (kernel/check/trace.hpp)."""

import gdb

from . import cores, elements, enumerator
from .threads import name_of

_CALLS = "lona::abi::Syscall"
_WITH_MESSAGE = ("Call", "ReplyRecv", "NBSendRecv", "NBSendWait", "Send", "NBSend")


def _call_name(number):
    text = str(gdb.Value(number).cast(gdb.lookup_type(_CALLS)))
    return text.rsplit("::k", 1)[-1] if "::k" in text else str(number)


def entries(core):
    """From the newest to the oldest."""
    ring = core["trace"]
    kept, count = elements(ring["entries_"])
    added = int(ring["added_"])
    for age in range(min(added, count)):
        yield kept[(added - 1 - age) % count]


def describe(entry):
    kind = enumerator(entry["kind"], "TraceKind")
    number, thread = int(entry["number"]), name_of(entry["thread"])
    first, second = int(entry["words"][0]), int(entry["words"][1])
    if kind == "Syscall":
        name = _call_name(number)
        message = f", label {second >> 12}, {second & 127} words" if name in _WITH_MESSAGE else ""
        return f"{thread}: {name} {first:#x}{message}"
    if kind == "Vector":
        at_address = f", address {first:#x}" if first else ""
        return f"{thread}: vector {number}{at_address}, at {second:#x}"
    return f"now runs {thread}"


class Trace(gdb.Command):
    """lona trace [COUNT]: the last entries into the kernel on each core, the newest at the end."""

    def __init__(self):
        super().__init__("lona trace", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        wanted = int(gdb.parse_and_eval(argument)) if argument.strip() else 20
        for core in cores():
            print(f"core {int(core['id'])}")
            kept = [entry for _, entry in zip(range(wanted), entries(core))]
            for entry in reversed(kept):
                print(f"  {int(entry['time']):>16} {describe(entry)}")


def register():
    Trace()
