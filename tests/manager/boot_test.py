#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manager on a kernel, with programs in the archive that stand in for the VM.

LONA_KERNEL names another kernel than the one that was built, for instance another one of the same
interface.
"""

import functools
import os
import pathlib
import re
import selectors
import subprocess
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "x86_64"
KERNEL = os.environ.get("LONA_KERNEL", str(BUILD / "kernel" / "kernel.elf"))


def boot(image, until, memory=256, seconds=300, more=()):
    """Boots `image`; its log up to the line that matches `until`, or all there is in time."""
    words = ["qemu-system-x86_64", "-nodefaults", "-display", "none", "-no-reboot", "-machine",
             "q35", "-cpu", "max", "-m", str(memory), "-kernel", KERNEL, "-initrd",
             str(BUILD / "tests" / "manager" / image), "-serial", "stdio", *more]
    log = b""
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as machine:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(machine.stdout, selectors.EVENT_READ)
                end = time.monotonic() + seconds
                while not re.search(until, log) and selector.select(max(0, end - time.monotonic())):
                    piece = os.read(machine.stdout.fileno(), 65536)
                    if not piece:
                        break
                    log += piece
        finally:
            machine.kill()
    return log.decode(errors="replace")


@functools.cache
def probe_log():
    """What the probe's realms say of a machine of 256 MB.

    Guest time is counted in instructions, so a busy host does not matter.
    """
    return boot("manager-probe.elf", rb"realm init stopped\r\n",
                more=("-icount", "shift=1,sleep=off"))


class Manager(unittest.TestCase):
    def test_a_realm_gets_what_it_may_have_and_no_more(self):
        log = probe_log()
        self.assertIn("[init] probe passed", log)
        self.assertNotIn("FAILED", log)
        self.assertIn("unprintable ?[2J bytes", log)

    def test_a_stack_overflow_is_reported_and_stops_the_realm(self):
        log = probe_log()
        self.assertRegex(log, r"\[manager\] realm init faulted: write of 0x[0-9a-f]+: guard page, "
                              r"the native stack overflowed .* at 0x[0-9a-f]+ \(\w*overrun\w*\+")
        self.assertIn("[manager] realm init stopped", log)

    def test_the_kernel_enforces_a_share_of_time(self):
        log = probe_log()
        self.assertIn("[init] probe passed", log)
        late = re.search(r"worst deadline late by (\d+) us", log)
        self.assertLess(int(late[1]), 20000, "deadlines come far too late")
        used = int(re.search(r"a share of 300000 used (\d+)", log)[1])
        self.assertTrue(290000 <= used <= 310000, used)
        # A tick is half an instruction here.
        one, many = (int(re.search(fr"a request for {pages} pages in (\d+) ticks", log)[1]) // 2
                     for pages in (1, 16))
        self.assertLess(one, 5000)
        self.assertLess(many // 16, 2000)
        after_idling = int(re.search(r"after idling it used (\d+) us", log)[1])
        self.assertLess(after_idling, 66_000, "idle time was kept")
        storm = int(re.search(r"a storm of faults took (\d+) us of 200 ms", log)[1])
        self.assertTrue(5_000 <= storm <= 54_000, "a quarter of the time, however many they are")
        reserves = re.search(r"reserves used ([\d ]+)", log)[1].split()
        free, limited, exact, *others = map(int, reserves)
        self.assertGreaterEqual(free, 297_000, "a reserve of 300000, and what is left")
        self.assertTrue(240_000 <= limited <= 260_000, limited)
        self.assertTrue(48_000 <= exact <= 52_000, exact)
        self.assertGreater(min(others), 20_000, "the others share the rest")

    def test_a_thousand_realms_share_the_time_of_one(self):
        log = boot("manager-probe.elf", rb"probe (passed|FAILED)", memory=5120, seconds=600,
                   more=("-icount", "shift=1,sleep=off"))
        self.assertIn("[init] probe passed", log)
        realms, used = re.search(r"(\d+) realms with a share of 100000 used (\d+)", log).groups()
        self.assertEqual(int(realms), 1001)
        self.assertTrue(90_000 <= int(used) <= 110_000, used)

    def test_faults_of_children_are_reported_in_words(self):
        log = probe_log()
        for words in ("realm writes-text faulted: write of 0x400000: write to read-only memory",
                      "realm null faulted: read of 0x8: null pointer",
                      "realm bad-cap faulted: use of the capability 0x9 that it does not have",
                      "realm overruns faulted: write of 0x1007fff8: guard page",
                      "realm writes-level faulted: write of 0x10000000000: write to inherited "
                      "memory (code and binaries of the realms above)",
                      "realm reads-no-level faulted: read of 0x10020000000: memory that no realm "
                      "above has",
                      "realm reads-level-gap faulted: read of 0x10140000000: memory that no realm"):
            self.assertIn(words, log)

    def test_a_realm_that_faulted_has_its_last_words_and_no_more(self):
        log = probe_log()
        self.assertIn("[manager] realm speaks faulted: invalid instruction", log)
        self.assertIn("[manager] realm speaks says: a word?[2J, and another", log)
        self.assertNotIn("goes on", log)
        for name in ("speaks", "goes-on", "babbles", "mute", "overruns-twice"):
            self.assertEqual(log.count(f"[manager] realm {name} stopped"), 1, name)

    def test_a_fault_of_the_manager_itself_costs_one_realm_or_is_told(self):
        log = boot("manager-breaks.elf", rb"realm init stopped, and all others\r\n")
        self.assertIn("[init] broken services passed", log)
        for name in ("breaks", "breaks-making"):
            self.assertRegex(log, rf"the manager's thread for realm {name} faulted: write of 0x0, "
                                  r"at 0x4[0-9a-f]+ "
                                  r"\(lona::manager::write_to_nowhere\+0x[0-9a-f]+\)")
            self.assertIn(f"realm {name} stopped, with all below it", log)
        self.assertRegex(log, r"the manager's thread for realm breaks-locked faulted: invalid "
                              r"instruction \(.*\), at 0x4[0-9a-f]+ \(abort\+0x[0-9a-f]+\)")
        self.assertIn("the manager cannot be trusted any more", log)

    def test_a_kernel_call_that_is_refused_leaves_nothing_behind(self):
        log = boot("manager-refused.elf", rb"realm init ended",
                   more=("-icount", "shift=0,sleep=off"))
        self.assertIn("[init] refusals passed", log)
        steps = {what: int(calls) for what, calls in
                 re.findall(r"\[init\] (a realm|a channel|a helper|growth): (\d+) kernel", log)}
        self.assertGreater(steps["a realm"], 100, log)
        self.assertEqual(len(steps), 4, log)
        self.assertRegex(log, r"was ended at each of 1\d\d kernel calls")

    def test_an_archive_without_the_vm_is_a_clear_error(self):
        log = boot("manager-empty.elf", rb"cannot start\r\n")
        self.assertIn("[manager] the archive of the boot image lacks vm.elf", log)

    def test_too_little_memory_says_how_much_is_needed(self):
        log = boot("manager-probe.elf", rb"(?i)needs? .*\d+ ?MB.*\n", memory=18)
        self.assertRegex(log, r"(?i)memory.* needs? .*\d+ ?MB")


if __name__ == "__main__":
    unittest.main()
