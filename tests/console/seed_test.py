# SPDX-License-Identifier: BSD-2-Clause
"""Does the order in which processes run decide what comes out? Programs whose processes act on each
other run in many orders, which the VM's test mode takes from a seed: slices of any length, messages
and signals that are late, timers in simulated time. They check themselves what must hold in all of
them. The same seed must give the same order, or a failure could not be looked at again."""

import pathlib
import subprocess
import unittest

from support import ROOT

VM = ROOT / "build" / "host" / "vm" / "lona-vm"
PROGRAMS = pathlib.Path("tests") / "console" / "programs"
SEEDS = range(1, 61)


def run(program, seed):
    return subprocess.run([VM, "--lib", ROOT, "--seed", str(seed), "run", PROGRAMS / program],
                          cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, check=False)


class Seeds(unittest.TestCase):
    def test_what_must_hold_holds_in_every_order(self):
        for program in ("scenarios.lona", "servers.lona"):
            for seed in SEEDS:
                done = run(program, seed)
                self.assertEqual(done.returncode, 0, f"{program}, seed {seed}:\n{done.stdout}")

    def test_a_seed_decides_the_order(self):
        first = [run("scenarios.lona", seed).stdout for seed in SEEDS]
        self.assertEqual(first, [run("scenarios.lona", seed).stdout for seed in SEEDS])
        self.assertGreater(len(set(first)), len(SEEDS) / 2, "all seeds give nearly the same order")

    def test_one_worker_only(self):
        done = subprocess.run([VM, "--seed", "1", "--workers", "2", "eval", "1"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--seed wants one worker", done.stderr)


if __name__ == "__main__":
    unittest.main()
