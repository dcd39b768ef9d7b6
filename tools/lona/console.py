# SPDX-License-Identifier: BSD-2-Clause
"""Console scripts: what a person types to the system, and what must come back.

A script is a text file; the first letter of a line says what the line is:

    # comment                      the first one is the promise the script checks
    @ boot | host                  run only on the booted system, or only on the host build
    $ run FILE ARG < INPUT         a call of ./lona (words as in the shell; `< FILE` feeds a file)
    > (+ 1 2)                      a line of standard input
    | 3                            a line of standard output
    ~ regex                        a line of standard output that matches as a whole
    ! text                         text that a line of standard error contains
    ? 1                            the exit status, when it is not 0

Without `!` lines standard error must be empty. Every other script runs booted and with --host, and
must give the same. It must do so in the stress modes of the VM, too, which run on the host.
"""

import dataclasses
import os
import re
import shlex
import subprocess

from .common import HOST_VM, ROOT

_TIMEOUT = 600

STRESS = {
    "collect": ["--collect-always"],
    "tight": ["--tight-heaps"],
    "seed": ["--seed", "1"],
}


@dataclasses.dataclass
class Call:
    words: list
    line: int
    feed: str = ""
    input: list = dataclasses.field(default_factory=list)
    output: list = dataclasses.field(default_factory=list)
    errors: list = dataclasses.field(default_factory=list)
    status: int = 0


class Script:
    def __init__(self, path):
        self.path = path
        self.platforms = ("host", "boot")
        self.calls = []
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if line and not line.startswith("#"):
                self._take(line[0], line[2:], number)
        if not any(call.output or call.errors or call.status for call in self.calls):
            raise ValueError(f"{path}: expects nothing, so it cannot fail")

    def _take(self, mark, text, number):
        if mark == "@":
            self.platforms = tuple(text.split())
        elif mark == "$":
            words = shlex.split(text)
            feed = words[words.index("<") + 1] if "<" in words else ""
            self.calls.append(Call(words[:words.index("<")] if feed else words, number, feed))
        elif mark in ">|~!?":
            call = self.calls[-1]
            if mark == ">":
                call.input.append(text)
            elif mark == "|":
                call.output.append(re.escape(text))
            elif mark == "~":
                call.output.append(text)
            elif mark == "!":
                call.errors.append(text)
            else:
                call.status = int(text)
        else:
            raise ValueError(f"{self.path}:{number}: unknown mark {mark!r}")

    def run(self, platform):
        """What is not as promised, as text; empty when all is."""
        return "\n".join(filter(None, (self._run(call, platform) for call in self.calls)))

    def _run(self, call, platform):
        if platform in STRESS:
            mode = call.words if call.words != ["run"] else ["prompt"]
            words = [HOST_VM, "--lib", ROOT, *STRESS[platform], *mode]
        else:
            words = [ROOT / "lona", call.words[0], *(["--host"] if platform == "host" else []),
                     *call.words[1:]]
        given = (ROOT / call.feed).read_bytes() if call.feed \
            else "".join(line + "\n" for line in call.input).encode()
        try:
            done = subprocess.run(words, input=given, capture_output=True, timeout=_TIMEOUT,
                                  cwd=ROOT, env=dict(os.environ, TERM="dumb"), check=False)
        except subprocess.TimeoutExpired as late:
            return self._wrong(call, f"still running after {_TIMEOUT} s",
                               late.stdout or b"", late.stderr or b"")
        wrong = _differences(call, done)
        return self._wrong(call, wrong, done.stdout, done.stderr) if wrong else ""

    def _wrong(self, call, what, out, err):
        return (f"{self.path.relative_to(ROOT)}:{call.line}: {what}\n"
                f"--- standard output\n{_shown(out)}--- standard error\n{_shown(err)}")


def _shown(data):
    text = data.decode(errors="backslashreplace")[-4000:]
    return text if not text or text.endswith("\n") else text + "\n"


def _differences(call, done):
    if done.returncode != call.status:
        return f"exit status {done.returncode}, expected {call.status}"
    lines = done.stdout.decode(errors="backslashreplace").splitlines()
    for number, (wanted, got) in enumerate(zip(call.output, lines), 1):
        if not re.fullmatch(wanted, got):
            return f"line {number} of standard output is {got!r}, expected {wanted!r}"
    if len(lines) != len(call.output):
        return f"{len(lines)} lines of standard output, expected {len(call.output)}"
    said = done.stderr.decode(errors="backslashreplace").splitlines()
    for wanted in call.errors:
        if not any(wanted in line for line in said):
            return f"no line of standard error contains {wanted!r}"
    if said and not call.errors:
        return "standard error is not empty"
    return ""
