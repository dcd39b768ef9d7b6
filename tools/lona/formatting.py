# SPDX-License-Identifier: BSD-2-Clause
"""Do the sources look as agreed: clang-format, SPDX line, line length?"""

import subprocess

from . import packages
from .common import ROOT, Problem, say

_CPP = (".cpp", ".hpp", ".h")
_LICENSED = (*_CPP, ".S", ".py", ".sh", ".cmake", ".lona", ".erl", ".ld", ".def")
_COLUMNS = 100


def _tracked():
    """Files git knows or would add; what is ignored is not ours to judge."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def _licensed(path):
    if path.suffix not in _LICENSED and path.name != "CMakeLists.txt":
        return True
    with open(path, errors="replace") as file:
        head = [file.readline() for _ in range(2)]
    return any("SPDX-License-Identifier: BSD-2-Clause" in line for line in head)


def complaints():
    """One line for everything that is not as agreed. Used by the test of that name."""
    found = []
    files = _tracked()
    for path in files:
        name = path.relative_to(ROOT)
        if not _licensed(path):
            found.append(f"{name}:1: no SPDX line")
        if path.suffix in (*_CPP, ".py", ".lona"):
            for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
                if len(line) > _COLUMNS:
                    found.append(f"{name}:{number}: {len(line)} columns")
    return found + _clang_format(files, check=True)


def _clang_format(files, check):
    sources = [str(path.relative_to(ROOT)) for path in files if path.suffix in _CPP]
    if not sources:
        return []
    mode = ["--dry-run", "-Werror", "--ferror-limit=1"] if check else ["-i"]
    done = subprocess.run(["clang-format-19", *mode, *sources], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    wrong = {line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line}
    if done.returncode != 0 and not wrong:
        raise Problem(f"clang-format failed:\n{done.stderr}")
    return [f"{name}: not formatted; run ./lona fmt" for name in sorted(wrong)]


def call_fmt(options):
    packages.ensure()
    if not options.check:
        _clang_format(_tracked(), check=False)
    found = complaints()
    for line in found:
        print(line)
    if found:
        say(f"{len(found)} complaints")
    return 1 if found else 0
