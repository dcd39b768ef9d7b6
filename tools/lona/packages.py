# SPDX-License-Identifier: BSD-2-Clause
"""Which Debian packages are missing, and how they get installed?"""

import hashlib
import os
import shutil
import subprocess

from .common import BUILD, EXIT_WRONG_USE, ROOT, Problem, say

LIST = ROOT / "tools" / "packages.txt"
STAMP = BUILD / ".packages"


def wanted():
    """Names and reasons, in the order of the list."""
    for line in LIST.read_text().splitlines():
        if line and not line.startswith("#"):
            name, reason = line.split(None, 1)
            yield name, reason


def _missing():
    names = [name for name, _ in wanted()]
    if shutil.which("dpkg-query") is None:
        raise Problem("this is not a Debian system (no dpkg-query). Install what "
                      f"{LIST.relative_to(ROOT)} lists by other means, then create the file "
                      f"{STAMP.relative_to(ROOT)} with the text\n  {_fingerprint()}",
                      EXIT_WRONG_USE)
    answer = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names],
                            capture_output=True, text=True, check=False).stdout
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def _fingerprint():
    return hashlib.sha256(LIST.read_bytes()).hexdigest()


def _privilege():
    """The words to put before apt-get, or None when we may not install."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True,
                                               check=False).returncode == 0:
        return ["sudo", "-n"]
    return None


def ensure(force=False):
    """Installs what is missing. Costs one file read when the list is as it was."""
    if not force and STAMP.exists() and STAMP.read_text().strip() == _fingerprint():
        return
    missing = _missing()
    if missing:
        _install(missing)
    BUILD.mkdir(exist_ok=True)
    STAMP.write_text(_fingerprint() + "\n")


def _install(missing):
    words = " ".join(missing)
    privilege = _privilege()
    if privilege is None:
        raise Problem("these packages are missing; install them as root with\n"
                      f"  apt-get install --no-install-recommends {words}", EXIT_WRONG_USE)
    say(f"installing {words}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    apt = [*privilege, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    install = [*apt, "install", "--no-install-recommends", *missing]
    for command in ([*apt, "update"], install):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0 and command is install:
            raise Problem("apt-get failed:\n" + done.stdout.decode(errors="replace")[-3000:])
    left = _missing()
    if left:
        raise Problem(f"still missing after the installation: {' '.join(left)}")
