# SPDX-License-Identifier: BSD-2-Clause
"""Reads the kernel's memory as the kernel's headers describe it; used inside gdb only."""

import gdb

NAMESPACE = "lona::kernel::"


def kernel(name):
    """A variable of the kernel."""
    return gdb.parse_and_eval(NAMESPACE + name)


def kernel_type(name):
    return gdb.lookup_type(NAMESPACE + name)


def at(address, name):
    """The object of a type at an address."""
    return gdb.Value(int(address)).cast(kernel_type(name).pointer()).dereference()


def enumerator(value, name):
    """The name of an enumerator without its type and `k`."""
    text = str(gdb.Value(int(value)).cast(kernel_type(name)))
    return text.rsplit("::k", 1)[-1] if "::k" in text else f"{name} {int(value)}"


def words(address, count):
    """So many 64-bit words of memory."""
    data = gdb.selected_inferior().read_memory(address, 8 * count)
    return memoryview(data.tobytes()).cast("Q")


def elements(array):
    """The elements of a std::array, and how many there are."""
    inside = array[array.type.strip_typedefs().fields()[0].name]
    return inside, inside.type.strip_typedefs().range()[1] + 1


def cores():
    """The cores that run."""
    pointers, _ = elements(kernel("cores")["all"])
    return [pointers[i].dereference() for i in range(int(kernel("cores")["count"]))]


def thread_argument(text):
    """The TCB that a command's argument names; without one, the thread that runs."""
    if text.strip():
        return at(int(gdb.parse_and_eval(text)), "Tcb")
    for core in cores():
        current = core["scheduler"]["current"]
        if int(current):
            return current.dereference()
    raise gdb.GdbError("no thread runs; give the address of a TCB")
