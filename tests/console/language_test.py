#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The examples of docs/language.md: a form begins at the margin, `; => value` is what it gives."""

import unittest

import support

FENCE = "```lonala"


def _forms(fences):
    """(text, expected or None) of each form, the parts on one line."""
    forms, inside = [], False
    for line in (support.ROOT / "docs" / "language.md").read_text().splitlines():
        if line.startswith("```"):
            inside = line in fences
        elif inside and line.strip():
            text, _, expected = line.partition("; => ")
            text = text.partition(" ; ")[0].strip()
            if line.startswith(" "):
                forms[-1] = (forms[-1][0] + " " + text, expected.strip() or forms[-1][1])
            else:
                forms.append((text, expected.strip() or None))
    return forms


class OnHost(support.Both):
    fences = (FENCE,)

    def test_every_example_gives_what_is_written(self):
        forms = _forms(self.fences)
        self.assertGreater(len(forms), 60)
        typed = "".join(text + "\n" for text, _ in forms)
        done = self.lona("batch", stdin=typed.encode())
        answers = done.stdout.decode().splitlines()
        self.assertEqual(len(answers), len(forms), done)
        for (text, expected), answer in zip(forms, answers):
            with self.subTest(form=text):
                if expected is None:
                    self.assertFalse(answer.startswith("ERROR"), "\n".join(answers[-20:]))
                elif expected.startswith("ERROR"):
                    self.assertEqual(answer.split()[:2], expected.split())
                else:
                    self.assertEqual(answer, expected)


class Booted(OnHost):
    platform = []
    fences = (FENCE, FENCE + " booted")


if __name__ == "__main__":
    unittest.main()
