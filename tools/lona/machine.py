# SPDX-License-Identifier: BSD-2-Clause
"""The virtual machine: QEMU's command line, its start and its end."""

import contextlib
import ctypes
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile

from .common import BUILD, KERNEL, ROOT_TASK, Problem

QEMU = "qemu-system-x86_64"
_KVM_STAMP = BUILD / ".kvm"


# What carries the host link. A UART takes one byte for each system call, virtio thousands.
_LINK_DEVICES = {
    "virtio": ["-device", "virtio-serial-pci,disable-legacy=off,disable-modern=on",
               "-device", "virtconsole,chardev=link"],
    "uart": ["-serial", "chardev:link"],
}


@dataclasses.dataclass
class Settings:
    """What the caller can choose about the machine."""

    kernel: pathlib.Path = KERNEL
    root_task: pathlib.Path | None = ROOT_TASK
    iso: pathlib.Path | None = None
    firmware: pathlib.Path | None = None
    memory: int = 512
    cores: int = 1
    machine: str = "q35"
    cpu: str = "max"
    accelerator: str = "auto"
    link: str = "virtio"
    extra: list = dataclasses.field(default_factory=list)


def kvm_usable(settings):
    """Whether KVM really runs this machine: the processor has virtualisation of its own (without
    it KVM is an emulation slower than QEMU's), the device lets us, and QEMU gets as far as a
    stopped machine. The last is asked once per boot of the computer."""
    flags = set(re.findall(r"\b(?:vmx|svm)\b", pathlib.Path("/proc/cpuinfo").read_text()))
    if not flags or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    question = f"{boot} {settings.machine} {settings.cpu}"
    with contextlib.suppress(OSError, ValueError):
        known = dict(line.rsplit(" ", 1) for line in _KVM_STAMP.read_text().splitlines())
        if question in known:
            return known[question] == "yes"
    answer = "yes" if _starts_under_kvm(settings) else "no"
    with contextlib.suppress(OSError), open(_KVM_STAMP, "a") as stamp:
        stamp.write(f"{question} {answer}\n")
    return answer == "yes"


def _starts_under_kvm(settings):
    words = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-S", "-accel", "kvm",
             "-machine", settings.machine, "-cpu", settings.cpu, "-monitor", "stdio"]
    try:
        return subprocess.run(words, input=b"quit\n", capture_output=True, timeout=10,
                              check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _accelerator(settings):
    if "-icount" in settings.extra:
        return "tcg"
    chosen = settings.accelerator
    if chosen == "auto":
        chosen = "kvm" if kvm_usable(settings) else "tcg"
    if chosen == "tcg" and settings.cores > len(os.sched_getaffinity(0)):
        # One thread plays all cores in turn: one that spins for a lock then gives way to the
        # holder, which otherwise may wait for a processor of the host.
        return "tcg,thread=single"
    return chosen


def command(settings, log, link=None):
    """QEMU's words. `log` is the character device for COM1, `link` that for the host link."""
    words = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
             "-machine", settings.machine, "-cpu", settings.cpu, "-m", str(settings.memory),
             "-smp", str(settings.cores), "-accel", _accelerator(settings)]
    if settings.firmware:
        words += ["-bios", str(settings.firmware)]
    if settings.iso:
        words += ["-cdrom", str(settings.iso)]
    else:
        words += ["-kernel", str(settings.kernel)]
        if settings.root_task:
            words += ["-initrd", str(settings.root_task)]
    words += ["-chardev", f"{log},id=log", "-serial", "chardev:log"]
    if link:
        words += ["-chardev", f"{link},id=link"] + _LINK_DEVICES[settings.link]
    return words + settings.extra


def check(settings):
    if shutil.which(QEMU) is None:
        raise Problem(f"{QEMU} is missing; run ./lona setup")
    for path in (settings.iso,) if settings.iso else (settings.kernel, settings.root_task):
        if path and not path.is_file():
            raise Problem(f"{path} does not exist")


def _die_with_parent():
    """In the child: even a tool that is killed outright leaves no machine running behind it."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Machine:
    """A running QEMU with COM1 (`log`) and the host link (`link`) connected to sockets of ours."""

    def __init__(self, settings):
        check(settings)
        self._folder = tempfile.TemporaryDirectory(prefix="lona-")
        self._errors = open(os.path.join(self._folder.name, "errors"), "w+b")
        self._process = None
        self.log = self.link = None
        try:
            self._start(settings)
        except BaseException:
            self.close()
            raise

    def _start(self, settings):
        listeners, devices = [], []
        for name in ("log", "link"):
            path = os.path.join(self._folder.name, name)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            listener.bind(path)
            listener.listen(1)
            listeners.append(listener)
            devices.append(f"socket,path={path}")
        # A session of its own: Ctrl-C on the terminal is for the guest, not for QEMU.
        self._process = subprocess.Popen(
            command(settings, *devices), stdin=subprocess.DEVNULL, stdout=self._errors,
            stderr=self._errors, start_new_session=True, preexec_fn=_die_with_parent)
        self.log, self.link = (self._accept(listener) for listener in listeners)

    def _accept(self, listener):
        with listener:
            listener.settimeout(0.1)
            while True:
                try:
                    connection = listener.accept()[0]
                    connection.setblocking(False)
                    return connection
                except TimeoutError:
                    if self._process.poll() is not None:
                        raise Problem(f"QEMU did not start: {self.complaints()}") from None

    def complaints(self):
        """What QEMU itself had to say, and how it ended."""
        try:
            status = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            status = None
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        if said:
            return said
        if status is None:
            return "no reason given"
        if status < 0:
            return f"killed by {signal.Signals(-status).name}"
        return "the machine reset or switched itself off" if status == 0 else f"status {status}"

    def close(self):
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for connection in (self.log, self.link):
            if connection:
                connection.close()
        self._errors.close()
        self._folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
