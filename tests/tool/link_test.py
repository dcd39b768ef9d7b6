#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The frames of the host link, taken apart and put together."""

import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lona import link  # noqa: E402


class Frames(unittest.TestCase):
    def test_layout_is_type_then_length_little_endian_then_payload(self):
        self.assertEqual(link.frame(link.INPUT, b"x" * 300), b"I\x2c\x01" + b"x" * 300)

    def test_long_data_is_cut_into_frames_of_at_most_4096(self):
        self.assertEqual([len(piece) - 3 for piece in link.frames(link.INPUT, b"x" * 10000)],
                         [4096, 4096, 1808])

    def test_too_long_a_payload_is_refused(self):
        with self.assertRaises(ValueError):
            link.frame(link.INPUT, b"x" * 4097)

    def test_start_names_mode_settings_and_arguments(self):
        self.assertEqual(link.start("run", {"columns": 80}, ["a.lona", "x y"])[3:],
                         b"run\0columns=80\0--\0a.lona\0x y")

    def test_a_program_ends_with_an_empty_piece(self):
        self.assertEqual(list(link.source(b"(+ 1 2)")), [b"F\x07\x00(+ 1 2)", b"F\x00\x00"])
        self.assertEqual(list(link.source(b"")), [b"F\x00\x00"])

    def test_arguments_that_are_not_utf8_survive(self):
        name = b"caf\xe9.lona".decode("utf-8", "surrogateescape")
        self.assertTrue(link.start("run", {}, [name]).endswith(b"caf\xe9.lona"))


HELLO = link.frame(link.READY, b"lona 2")


def greeted():
    decoder = link.Decoder()
    list(decoder.feed(HELLO))
    return decoder


class Decoding(unittest.TestCase):
    def test_noise_of_the_firmware_before_the_greeting_is_dropped(self):
        noise = b"\x1b[2J\x1b[01;01HR\x06\x00BIOS"
        for cut in range(len(noise + HELLO)):
            decoder, stream = link.Decoder(), noise + HELLO + link.frame(link.OUT, b"x")
            got = [*decoder.feed(stream[:cut]), *decoder.feed(stream[cut:])]
            self.assertEqual(got, [(link.READY, b"lona 2"), (link.OUT, b"x")])

    def test_frames_survive_any_cut_of_the_stream(self):
        source = random.Random(7)
        sent = [(source.choice([link.OUT, link.ERR]), source.randbytes(source.randrange(4097)))
                for _ in range(50)]
        stream = b"".join(link.frame(kind, payload) for kind, payload in sent)
        decoder, got, at = greeted(), [], 0
        while at < len(stream):
            step = source.randrange(1, 3000)
            got += decoder.feed(stream[at:at + step])
            at += step
        self.assertEqual(got, sent)

    def test_an_unknown_type_is_refused(self):
        with self.assertRaises(link.LinkError):
            list(greeted().feed(b"z\x00\x00"))

    def test_a_length_beyond_the_limit_is_refused_before_the_payload_arrives(self):
        with self.assertRaises(link.LinkError):
            list(greeted().feed(b"O\x01\x10"))

    def test_random_bytes_never_raise_anything_else(self):
        source = random.Random(11)
        for _ in range(2000):
            try:
                list(greeted().feed(source.randbytes(source.randrange(64))))
            except link.LinkError:
                pass

    def test_wrong_lengths_of_fixed_payloads_are_refused(self):
        for parse in (link.credit, link.status):
            with self.assertRaises(link.LinkError):
                parse(b"xyz")


if __name__ == "__main__":
    unittest.main()
