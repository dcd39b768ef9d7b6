# SPDX-License-Identifier: BSD-2-Clause
"""How does a preset get built, quietly and only as far as needed?"""

import contextlib
import fcntl
import os
import re
import subprocess

from . import packages
from .common import BUILD, ROOT, Problem, Progress

PRESETS = ("host", "asan", "tsan", "x86_64")
_STEP = re.compile(r"\[(\d+)/(\d+)\] ?(.*)")


@contextlib.contextmanager
def _only_one():
    """Two calls at the same time take turns: ninja does not guard its own tree."""
    BUILD.mkdir(exist_ok=True)
    with open(BUILD / ".lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            Progress().show("waiting for another build to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _configure(preset, progress):
    progress.show(f"configuring {preset}")
    done = subprocess.run(["cmake", "--preset", preset], cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        progress.clear()
        raise Problem(f"configuring {preset} failed:\n{done.stdout.decode(errors='replace')}")


def _ninja(preset, targets, progress):
    environment = dict(os.environ, NINJA_STATUS="[%f/%t] ")
    jobs = ["-j", os.environ["LONA_JOBS"]] if "LONA_JOBS" in os.environ else []
    with subprocess.Popen(["ninja", "-C", str(BUILD / preset), *jobs, *targets], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as ninja:
        said = []
        for line in ninja.stdout:
            step = _STEP.match(line)
            if step:
                progress.show(f"building {preset} {step[1]}/{step[2]}")
            else:
                said.append(line)
    progress.clear()
    if ninja.returncode != 0:
        raise Problem(f"building {preset} failed:\n{''.join(said)}".rstrip())


def build(preset, *targets):
    """Brings `targets` (default: all) of `preset` up to date."""
    packages.ensure()
    progress = Progress()
    with _only_one():
        if not (BUILD / preset / "build.ninja").exists():
            _configure(preset, progress)
        _ninja(preset, targets, progress)
