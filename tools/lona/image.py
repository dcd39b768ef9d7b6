# SPDX-License-Identifier: BSD-2-Clause
"""The boot image: two files for a multiboot loader, or one ISO for BIOS and UEFI machines."""

import pathlib
import shutil
import subprocess
import tempfile

from .build import build
from .common import BUILD, KERNEL, ROOT, ROOT_TASK, Problem

FOLDER = BUILD / "image"
_GRUB = ROOT / "systems" / "grub.cfg"


def make_pair(folder=FOLDER):
    """Kernel and root task without their debug information."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for source in (KERNEL, ROOT_TASK):
        if not source.exists():
            raise Problem(f"{source} was not built")
        target = folder / source.name
        done = subprocess.run(["llvm-objcopy-19", "--strip-debug", source, target],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Problem(f"cannot strip {source}:\n{done.stderr}")
        made.append(target)
    return made


def make_iso(target):
    target = pathlib.Path(target)
    with tempfile.TemporaryDirectory(prefix="lona-iso-") as name:
        folder = pathlib.Path(name)
        make_pair(folder / "boot")
        (folder / "boot" / "grub").mkdir()
        shutil.copy(_GRUB, folder / "boot" / "grub" / "grub.cfg")
        done = subprocess.run(["grub-mkrescue", "-o", target, folder], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise Problem(f"grub-mkrescue failed:\n{done.stderr[-3000:]}")


def call_image(options):
    build("x86_64")
    made = [options.iso] if options.iso else make_pair()
    if options.iso:
        make_iso(options.iso)
    for path in made:
        print(f"{path.stat().st_size:>9}  {path}")
    return 0
