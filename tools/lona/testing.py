# SPDX-License-Identifier: BSD-2-Clause
"""`./lona test`: finds every test, runs them side by side, and counts.

A job is a program that runs one test or many; its results carry the tests' own names:

    host/NAME.Suite.Case, asan/…   GoogleTest programs of both host presets
    tsan/NAME.Suite.Case           those in which several workers run, with the thread sanitizer
    FOLDER/FILE.Case               Python tests, */*_test.py anywhere in the tree
    console/NAME.boot, .host       console scripts, tests/console/*.script; on the host in stress
                                   modes of the VM, too: .collect, .tight, .seed
    format/tree                    formatting, SPDX lines, line length
"""

import concurrent.futures
import dataclasses
import fnmatch
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from . import console, formatting
from .build import build
from .common import BUILD, ROOT, Problem, Progress, say

_TIMEOUT = 1200
_THREADED = ("workers_test",)


@dataclasses.dataclass
class Result:
    name: str
    passed: bool
    detail: str = ""


@dataclasses.dataclass
class Job:
    """`names`: what it will run, as far as can be known; `run(names)` gives the results."""

    names: list
    run: callable
    cost: int = 1


class Selection:
    """The tests of any of some patterns; of none, all."""

    def __init__(self, patterns):
        self._patterns = [f"*{pattern}*" for pattern in patterns] or ["*"]

    def of(self, names):
        return [name for name in names
                if any(fnmatch.fnmatchcase(name, pattern) for pattern in self._patterns)]


def _command(words, **more):
    """Exit status and everything said; a program that never ends has status None."""
    try:
        done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=_TIMEOUT, check=False, **more)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace") + f"\nno end in {_TIMEOUT} s"


# GoogleTest programs.

def _ctest_entries(preset):
    status, text = _command(["ctest", "--test-dir", str(BUILD / preset), "--show-only=json-v1"])
    if status != 0:
        raise Problem(f"ctest cannot list the tests of {preset}:\n{text}")
    for entry in json.loads(text)["tests"]:
        labels = [value for prop in entry["properties"] if prop["name"] == "LABELS"
                  for value in prop["value"]]
        yield entry["name"], entry.get("command"), "gtest" in labels  # none: not built here


def _gtest_cases(command):
    status, text = _command([*command, "--gtest_list_tests"])
    if status != 0:
        return None
    cases, suite = [], ""
    for line in text.splitlines():
        if line.startswith("  "):
            cases.append(suite + line.split("#")[0].strip())
        elif line.rstrip().endswith(".") or "." in line.split("#")[0]:
            suite = line.split("#")[0].strip()
    return [case for case in cases if "DISABLED_" not in case]


def _gtest_job(label, command):
    cases = _gtest_cases(command)
    if not cases:
        return _plain_job(label, command)

    def run(names):
        chosen = [name[len(label) + 1:] for name in names]
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.json"
            words = [*command, f"--gtest_output=json:{report}"]
            if len(chosen) != len(cases):
                words.append(f"--gtest_filter={':'.join(chosen)}")
            status, text = _command(words)
            results = _gtest_results(label, report)
        missing = set(names) - {result.name for result in results}
        if missing or (status != 0 and all(result.passed for result in results)):
            first = min(missing, default=f"{label}.ending")
            results.append(Result(first, False, f"ended with status {status}\n{text[-3000:]}"))
        return results

    return Job([f"{label}.{case}" for case in cases], run)


def _gtest_results(label, report):
    try:
        suites = json.loads(report.read_text())["testsuites"]
    except (OSError, ValueError):
        return []
    return [Result(f"{label}.{suite['name']}.{case['name']}", "failures" not in case,
                   "\n".join(failure["failure"] for failure in case.get("failures", [])))
            for suite in suites for case in suite["testsuite"] if case["status"] == "RUN"]


# Other programs.

_SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed$", re.MULTILINE)


def _plain_job(label, command):
    """A program that says `N passed, N failed` in its last line, or only its exit status."""
    def run(_names):
        status, text = _command(command)
        counts = _SUMMARY.findall(text)
        passed, failed = map(int, counts[-1]) if counts else (int(status == 0), int(status != 0))
        if status != 0 or passed + failed == 0:
            failed = max(failed, 1)
        results = [Result(f"{label}.{number}", True) for number in range(1, passed + 1)]
        return results + [Result(label, False, text[-4000:])] * failed

    return Job([label], run, cost=5)


_UNITTEST_CASE = re.compile(r"^(test\w*) \(([\w.]+)\)", re.MULTILINE)


def _python_job(path):
    label = str(path.relative_to(ROOT).with_suffix("")).removeprefix("tests/")
    if "unittest.main" not in path.read_text():
        return _plain_job(label, [sys.executable, str(path)])

    def run(_names):
        status, text = _command([sys.executable, str(path), "-v"])
        outcomes = re.findall(r"^(test\w*) \([^)]*\)(?:\n[^\n]*)??[^\n]*\.\.\. (ok|skipped)",
                              text, re.MULTILINE)
        results = [Result(f"{label}.{name}", True) for name, outcome in outcomes
                   if outcome == "ok"]
        blocks = re.findall(r"^(?:FAIL|ERROR): (\w+) [^\n]*\n-{70}\n(.*?)(?=^={70}|^-{70})", text,
                            re.MULTILINE | re.DOTALL)
        results += [Result(f"{label}.{name}", False, detail) for name, detail in blocks]
        if (status != 0 and not blocks) or not (results or outcomes):
            results.append(Result(label, False, text[-4000:]))
        return results

    return Job([label], run, cost=5)


def _console_jobs():
    for path in sorted((ROOT / "tests" / "console").glob("*.script")):
        script = console.Script(path)
        stress = tuple(console.STRESS) if "host" in script.platforms else ()
        for platform in script.platforms + stress:
            def run(names, script=script, platform=platform):
                wrong = script.run(platform)
                return [Result(names[0], not wrong, wrong)]
            yield Job([f"console/{path.stem}.{platform}"], run, cost=3)


def _format_job():
    def run(names):
        wrong = formatting.complaints()
        return [Result(names[0], not wrong, "\n".join(wrong))]
    return Job(["format/tree"], run)


def _find():
    for preset in ("host", "asan", "tsan"):
        for name, command, is_gtest in _ctest_entries(preset):
            if preset == "tsan" and name not in _THREADED:
                continue
            label = f"{preset}/{name}"
            yield _gtest_job(label, command) if is_gtest else _plain_job(label, command)
    for path in sorted(ROOT.glob("*/**/*_test.py")):
        if BUILD not in path.parents:
            yield _python_job(path)
    yield from _console_jobs()
    yield _format_job()


class Tally:
    """Counts and shows results as they come, from several threads."""

    def __init__(self, jobs):
        self._lock = threading.Lock()
        self._progress = Progress()
        self._jobs, self._ended = jobs, 0
        self.passed = self.failed = 0

    def add(self, results):
        with self._lock:
            self._ended += 1
            for result in results:
                if result.passed:
                    self.passed += 1
                else:
                    self.failed += 1
                    self._progress.clear()
                    print(f"FAILED {result.name}\n{_indent(result.detail)}", flush=True)
            self._progress.show(f"{self._ended}/{self._jobs} test programs, "
                                f"{self.passed} passed, {self.failed} failed")

    def clear(self):
        self._progress.clear()


def _indent(text):
    return "".join(f"    {line}\n" for line in text.splitlines())


def _run(job, names):
    try:
        return job.run(names)
    except Exception as error:  # one broken test must not hide the others' results
        return [Result(names[0], False, f"{type(error).__name__}: {error}")]


def call_test(options):
    # Tests send interrupts; a job that was started in the background would hand on that it ignores
    # them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.monotonic()
    for preset in ("x86_64", "host", "asan"):
        build(preset)
    build("tsan", *_THREADED)
    selection = Selection(options.only)
    chosen = [(job, names) for job in _find() if (names := selection.of(job.names))]
    if options.list:
        for _, names in chosen:
            print("\n".join(names))
        return 0
    chosen.sort(key=lambda pair: -pair[0].cost)  # long ones first: both cores end together
    tally = Tally(len(chosen))
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as workers:
        for ended in concurrent.futures.as_completed(
                [workers.submit(_run, job, names) for job, names in chosen]):
            tally.add(ended.result())
    tally.clear()
    say(f"tests took {time.monotonic() - started:.0f} s")
    if tally.passed + tally.failed == 0:
        say("no test was run")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 0 if tally.failed == 0 and tally.passed > 0 else 1
