# SPDX-License-Identifier: BSD-2-Clause
"""Texts to count words in, and what the usual pipeline of Unix tools finds in them."""

import os
import random
import subprocess

_PIPELINE = ("tr 'A-Z' 'a-z' | tr -cs 'a-z' '\\n' | grep . | sort | uniq -c "
             "| sort -k1,1nr -k2,2 | head -n 10 | awk '{print $1, $2}'")


def sample(size, seed=1):
    """A text of `size` bytes: words of falling frequency between blanks, digits, line ends and
    bytes of every value, most of which are no UTF-8. The same for the same arguments."""
    source = random.Random(seed)
    letters = "etaoinshrdlucmfwypvbgkjqxzETAOINSHRDLU"
    words = ["".join(source.choices(letters, k=source.randint(1, 11))).encode()
             for _ in range(3000)]
    weights = [1 / (rank + 2) for rank in range(len(words))]
    text = bytearray()
    while len(text) < size:
        for word in source.choices(words, weights, k=1000):
            text += word
            choice = source.random()
            if choice < 0.80:
                text += b" "
            elif choice < 0.90:
                text += b"\n"
            elif choice < 0.95:
                text += source.choice((b", ", b"'", b"-", b"7", b"\r\n", b"\t\0"))
            else:
                text += source.randbytes(source.randint(1, 4))
    return bytes(text[:size])


def counted_by_pipeline(text):
    return subprocess.run(["sh", "-c", _PIPELINE], input=text, capture_output=True, check=True,
                          env=dict(os.environ, LC_ALL="C")).stdout
