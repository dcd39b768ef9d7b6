# SPDX-License-Identifier: BSD-2-Clause
"""The terminal the tool was called on: raw mode for the prompt, and its safe return."""

import contextlib
import os
import sys
import termios


def is_terminal(descriptor):
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def size():
    """Columns and rows; 80 and 24 where nobody knows."""
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            found = os.get_terminal_size(descriptor)
            if found.columns and found.lines:
                return found.columns, found.lines
    return 80, 24


def wants_color():
    return is_terminal(1) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def raw(active):
    """Every key goes to the guest, line editing is done there. Output keeps its newline
    translation, so that ordinary text looks ordinary."""
    if not active:
        yield
        return
    with kept():
        state = termios.tcgetattr(0)
        state[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP
                      | termios.IXON)
        state[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        state[6][termios.VMIN] = 1
        state[6][termios.VTIME] = 0
        termios.tcsetattr(0, termios.TCSADRAIN, state)
        yield


@contextlib.contextmanager
def kept():
    """Whatever happens inside, the terminal is afterwards as it was."""
    try:
        before = termios.tcgetattr(0)
    except termios.error:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, before)
        sys.stderr.flush()
