# SPDX-License-Identifier: BSD-2-Clause
"""The host link: framed bytes between this tool and the VM in the booted system.

A frame is `type u8, length u16 (little endian), payload`; docs/host-link.md describes the types.
This module is pure: bytes in, frames out, and back.
"""

import struct

MAX_PAYLOAD = 4096
_HEAD = struct.Struct("<cH")

# Guest to host.
READY, OUT, ERR, CREDIT, ENDED = b"R", b"O", b"X", b"K", b"Q"
LOAD, MORE = b"L", b"M"
_FROM_GUEST = (READY, OUT, ERR, CREDIT, ENDED, LOAD, MORE)
# Host to guest.
START, FILE, INPUT, END, INTERRUPT, WINDOW = b"S", b"F", b"I", b"E", b"C", b"W"
HEAD, DATA, TAKEN = b"H", b"D", b"T"


class LinkError(Exception):
    """The other side does not keep to the protocol."""


def frame(kind, payload=b""):
    if len(payload) > MAX_PAYLOAD:
        raise ValueError("payload too long")
    return _HEAD.pack(kind, len(payload)) + payload


def frames(kind, data):
    """`data` as so many frames as it takes."""
    for at in range(0, len(data), MAX_PAYLOAD):
        yield frame(kind, data[at:at + MAX_PAYLOAD])


def start(mode, settings, arguments):
    words = [mode, *(f"{key}={value}" for key, value in settings.items()), "--", *arguments]
    return frame(START, b"\0".join(word.encode("utf-8", "surrogateescape") for word in words))


def source(data):
    """A program's text; the empty piece ends it."""
    yield from frames(FILE, data)
    yield frame(FILE)


# What a frame from the guest counts for besides its payload, and how much is told at a time.
_FRAME_COST = 2048
_TOLD_AT_A_TIME = 16384


class Taken:
    """Counts what was taken of the guest's frames, of which only so much may be on its way."""

    def __init__(self):
        self._cost = 0

    def count(self, payload):
        """The frame to send, when it is time."""
        self._cost += len(payload) + _FRAME_COST
        if self._cost < _TOLD_AT_A_TIME:
            return b""
        cost, self._cost = self._cost, 0
        return frame(TAKEN, struct.pack("<I", cost))


def window(columns, rows):
    return frame(WINDOW, struct.pack("<HH", columns & 0xFFFF, rows & 0xFFFF))


def file_head(number, answer, size):
    return frame(HEAD, struct.pack("<IBI", number, answer, size))


def file_data(number, data):
    step = MAX_PAYLOAD - 4
    for at in range(0, len(data), step):
        yield frame(DATA, struct.pack("<I", number) + data[at:at + step])


_GREETING = _HEAD.pack(READY, len("lona 2")) + b"lona "


class Decoder:
    """Takes bytes as they arrive and gives the frames that are complete. What comes before the
    first `R` is dropped: firmware may have used the same serial line as its console."""

    def __init__(self):
        self._held = bytearray()
        self._greeted = False

    def feed(self, data):
        self._held += data
        if not self._greeted:
            at = self._held.find(_GREETING)
            del self._held[:at if at >= 0 else -len(_GREETING)]
            if at < 0:
                return
            self._greeted = True
        at = 0
        while len(self._held) - at >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._held, at)
            if kind not in _FROM_GUEST or length > MAX_PAYLOAD:
                raise LinkError(f"unreadable frame: type {kind!r}, length {length}")
            if len(self._held) - at < _HEAD.size + length:
                break
            at += _HEAD.size
            yield kind, bytes(self._held[at:at + length])
            at += length
        del self._held[:at]


def credit(payload):
    if len(payload) != 4:
        raise LinkError("credit frame of wrong length")
    return struct.unpack("<I", payload)[0]


def status(payload):
    if len(payload) != 1:
        raise LinkError("end frame of wrong length")
    return payload[0]


def file_request(payload):
    """Number and path of a file that the guest wants to read."""
    if len(payload) < 4:
        raise LinkError("file request of wrong length")
    return struct.unpack_from("<I", payload)[0], payload[4:]


def file_credit(payload):
    if len(payload) != 8:
        raise LinkError("file credit of wrong length")
    return struct.unpack("<II", payload)
