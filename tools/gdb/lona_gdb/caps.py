# SPDX-License-Identifier: BSD-2-Clause
"""Capabilities (kernel/object/cap.hpp), CSpaces, and the list of all capabilities."""

import gdb
import gdb.printing

from . import at, enumerator, kernel, thread_argument

_RIGHTS = ((2, "Read"), (1, "Write"), (4, "Grant"), (8, "GrantReply"))
_SLOT_BYTES = 32
_OF_MEMORY = ("Untyped", "Endpoint", "Notification", "Reply", "CNode", "Tcb", "SchedContext",
              "Zombie", "Page", "PageTable", "PageDirectory", "Pdpt", "Pml4", "AsidPool",
              "IoPageTable")


def _bits(word, low, width):
    return word >> low & (1 << width) - 1


class Cap:
    """The two words of a capability, taken apart."""

    def __init__(self, value):
        self.word0 = int(value["w0_"])
        self.word1 = int(value["w1_"])
        self.type = enumerator(self.word0 & 31, "CapType")

    @property
    def object(self):
        signed = self.word0 - (1 << 64) if self.word0 >> 63 else self.word0
        return (signed >> 16 & ~15) % (1 << 64)

    @property
    def radix(self):
        return _bits(self.word0, 5, 6)

    @property
    def guard(self):
        return self.word1

    @property
    def guard_size(self):
        return _bits(self.word0, 11, 6)

    def _rights(self):
        raw = _bits(self.word0, 5, 4)
        return "+".join(name for bit, name in _RIGHTS if raw & bit) or "no rights"

    def _mapping(self):
        asid, address = _bits(self.word1, 48, 12), _bits(self.word1, 0, 48)
        return f", mapped at {address:#x} in space {asid}" if asid else ""

    def details(self):
        if self.type == "Untyped":
            device = " of a device" if _bits(self.word0, 11, 1) else ""
            used = _bits(self.word1, 0, 44) << 4
            return f", 2^{self.radix} bytes{device}, {used:#x} used"
        if self.type in ("Endpoint", "Notification"):
            return f", badge {self.word1:#x}, {self._rights()}"
        if self.type == "CNode":
            return f", 2^{self.radix} slots, guard {self.guard:#x} of {self.guard_size} bits"
        if self.type == "Page":
            device = ", device" if _bits(self.word0, 11, 1) else ""
            size = ("4 KiB", "2 MiB", "1 GiB")[_bits(self.word0, 9, 2)]
            rights = "+".join(n for b, n in _RIGHTS[:2] if _bits(self.word0, 5, 4) & b)
            return f", {size}{device}, {rights or 'no rights'}{self._mapping()}"
        if self.type in ("PageTable", "PageDirectory", "Pdpt", "Pml4"):
            return self._mapping()
        if self.type == "IrqHandler":
            return f" {self.word1}"
        if self.type == "IoPort":
            return f" {_bits(self.word1, 0, 16):#x}-{_bits(self.word1, 16, 16):#x}"
        return ""

    def __str__(self):
        where = f" {self.object:#x}" if self.type in _OF_MEMORY else ""
        return f"{self.type}{where}{self.details()}"


class CapPrinter:
    def __init__(self, value):
        self._value = value

    def to_string(self):
        return str(Cap(self._value))


class SlotPrinter:
    def __init__(self, value):
        self._value = value

    def to_string(self):
        marks = int(self._value["node"]["next_"]) & 3
        original = " (original)" if marks & 1 else ""
        return f"{Cap(self._value['cap'])}{original}"


def slots_of(cnode):
    """Index and capability of each full slot of a CNode."""
    for index in range(1 << cnode.radix):
        cap = Cap(at(cnode.object + index * _SLOT_BYTES, "Slot")["cap"])
        if cap.type != "Null":
            yield index, cap


def all_slots():
    """Every slot with a capability, children behind their parents."""
    slot = int(kernel("derivation_anchor")["node"]["next_"]) & ~3
    while slot:
        value = at(slot, "Slot")
        yield slot, Cap(value["cap"])
        slot = int(value["node"]["next_"]) & ~3


class Caps(gdb.Command):
    """lona caps [TCB]: the capabilities in a thread's CSpace, as far as its first CNode."""

    def __init__(self):
        super().__init__("lona caps", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        root = Cap(thread_argument(argument)["slots"][0]["cap"])
        if root.type != "CNode":
            raise gdb.GdbError("the thread has no CSpace")
        print(root)
        for index, cap in slots_of(root):
            print(f"{index:6} {cap}")


class Objects(gdb.Command):
    """lona objects [TYPE]: all capabilities (of a type), children behind parents."""

    def __init__(self):
        super().__init__("lona objects", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        wanted = argument.strip().lower()
        for slot, cap in all_slots():
            if not wanted or cap.type.lower() == wanted:
                print(f"{slot:#x} {cap}")


def register():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("lona")
    printers.add_printer("Cap", "^lona::kernel::Cap$", CapPrinter)
    printers.add_printer("Slot", "^lona::kernel::Slot$", SlotPrinter)
    gdb.printing.register_pretty_printer(None, printers, replace=True)
    Caps()
    Objects()
