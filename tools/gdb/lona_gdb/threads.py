# SPDX-License-Identifier: BSD-2-Clause
"""Threads, and the queues they are in."""

import gdb
import gdb.printing

from . import at, cores, elements, enumerator, kernel_type
from .caps import all_slots


def name_of(tcb):
    """A thread's name (set by a debug call) and address; `idle` for none."""
    address = int(tcb) if tcb.type.code == gdb.TYPE_CODE_PTR else int(tcb.address)
    if address == 0:
        return "idle"
    name = at(address, "Tcb")["name"].string(errors="replace")
    return f"{name} {address:#x}" if name else f"{address:#x}"


def describe(tcb):
    state = enumerator(tcb["state"], "ThreadState")
    place = f" {int(tcb['blocked_on']):#x}" if state.startswith("BlockedOn") and \
        state != "BlockedOnReply" else ""
    return f"{name_of(tcb)}: priority {int(tcb['priority'])}, {state}{place}"


def chain(first, link):
    """The threads of a list; it may be broken, so it ends after a while."""
    for _ in range(10000):
        if int(first) == 0:
            return
        yield first.dereference()
        first = first.dereference()[link]


def waiting_at(head):
    return ", ".join(name_of(tcb) for tcb in chain(head, "queue_next"))


class EndpointPrinter:
    def __init__(self, value):
        self._head = int(value["head_"])

    def to_string(self):
        state = ("idle", "sending", "receiving", "broken")[self._head & 3]
        first = at(self._head & ~3, "Tcb").address if self._head & ~3 else gdb.Value(0)
        threads = waiting_at(first) if self._head & ~3 else ""
        return f"{state}: {threads}" if threads else state


class NotificationPrinter:
    def __init__(self, value):
        self._value = value

    def to_string(self):
        state = ("idle", "waiting", "active", "broken")[int(self._value["state"]) & 3]
        bound = self._value["bound_tcb"]
        text = f"{state}, word {int(self._value['word']):#x}"
        if int(bound):
            text += f", bound to {name_of(bound)}"
        threads = waiting_at(self._value["queue"]["head"])
        return f"{text}: {threads}" if threads else text


def all_threads():
    seen = set()
    for _, cap in all_slots():
        if cap.type == "Tcb" and cap.object not in seen:
            seen.add(cap.object)
            yield at(cap.object, "Tcb")


class Threads(gdb.Command):
    """lona threads: every thread that a capability leads to."""

    def __init__(self):
        super().__init__("lona threads", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for tcb in all_threads():
            print(describe(tcb))


class ThreadFunction(gdb.Function):
    """$thread("name"): the TCB of the first thread with that name."""

    def __init__(self):
        super().__init__("thread")

    def invoke(self, name):
        wanted = name.string()
        for tcb in all_threads():
            if tcb["name"].string(errors="replace") == wanted:
                return tcb.address
        raise gdb.GdbError(f"no thread is named {wanted}")


def _ready_queues(scheduler):
    """One, or one for each domain, if the kernel has several."""
    ready = scheduler["ready"]
    names = [field.name for field in ready.type.fields()]
    if "queues_" not in names:
        return [ready]
    queues, count = elements(ready["queues_"])
    return [queues[i] for i in range(count)]


def _by_time(root):
    """The contexts of a tree (kernel/sched/release_tree.hpp) in order."""
    if int(root):
        yield from _by_time(root["release_left"])
        yield root.dereference()
        yield from _by_time(root["release_right"])


def _head_time(context):
    header = int(gdb.parse_and_eval("lona::kernel::SchedContext::kHeaderBytes"))
    place = int(context.address) + header
    place += int(context["refill_head"]) * kernel_type("Refill").sizeof
    return int(at(place, "Refill")["time"])


class Queues(gdb.Command):
    """lona queues: what runs on each core, what is ready, and whose time has run out."""

    def __init__(self):
        super().__init__("lona queues", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        for core in cores():
            scheduler = core["scheduler"]
            print(f"core {int(core['id'])} runs {name_of(scheduler['current'])}")
            for queue in _ready_queues(scheduler):
                lists = queue["lists_"]
                for priority in reversed(range(lists.type.range()[1] + 1)):
                    for tcb in chain(lists[priority]["head"], "ready_next"):
                        print(f"  ready {describe(tcb)}")
            for context in _by_time(scheduler["release"]["root_"]):
                print(f"  waits until {_head_time(context)}: {name_of(context['tcb'])} on "
                      f"{int(context.address):#x}")


def register():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("lona-queues")
    printers.add_printer("Endpoint", "^lona::kernel::Endpoint$", EndpointPrinter)
    printers.add_printer("Notification", "^lona::kernel::Notification$", NotificationPrinter)
    gdb.printing.register_pretty_printer(None, printers, replace=True)
    Threads()
    ThreadFunction()
    Queues()
