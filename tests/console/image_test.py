# SPDX-License-Identifier: BSD-2-Clause
"""The core image: a library with a mistake has none, and is told where the mistake is; an image
from anybody is refused when it is not safe."""

import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

from support import ROOT

VM = ROOT / "build" / "host" / "vm" / "lona-vm"
IMAGE = range(0x2000_0000, 0x4000_0000)  # its addresses (abi/lona/address_map.hpp)
BOXED = 2  # the tag of a pointer (vm/term/term.hpp)


def write_image(mistake):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        shutil.copytree(ROOT / "lib", root / "lib")
        with open(root / "lib" / "lona" / "set.lona", "a", encoding="utf-8") as file:
            file.write(mistake)
        done = subprocess.run([VM, "--lib", root, "image", root], capture_output=True, text=True,
                              timeout=60, check=False)
        return done, (root / "core-constants.bin").exists()


class Image(unittest.TestCase):
    def test_a_library_with_a_mistake_has_no_image(self):
        for mistake, told in (("(defn f [x]", "lib/lona/set.lona"), ("(frist 1)", ":undef"),
                              ("(let [x])", ":syntax-error")):
            done, written = write_image(mistake)
            self.assertEqual(done.returncode, 1, mistake)
            self.assertIn(told, done.stderr)
            self.assertFalse(written)

    def test_the_library_as_it_is_has_one(self):
        done, written = write_image("")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertTrue(written)

    def test_a_hostile_image_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name in ("lona-vm", "core-constants.bin", "core-data.bin"):
                shutil.copy(VM.with_name(name), root)
            words = [root / "lona-vm", "--lib", ROOT, "--check-image", "eval", "(+ 40 2)"]
            good = subprocess.run(words, capture_output=True, text=True, check=False)
            self.assertEqual((good.stdout, good.stderr), ("42\n", ""))
            # A var's value, or another pointer: now it leads to the middle of something.
            data = bytearray((root / "core-data.bin").read_bytes())
            words_of_data = struct.unpack(f"<{len(data) // 8}Q", data)
            place = next(i for i, word in enumerate(words_of_data)
                         if word in IMAGE and word % 8 == BOXED)
            data[8 * place] ^= 8
            (root / "core-data.bin").write_bytes(data)
            bad = subprocess.run(words, capture_output=True, text=True, check=False)
            self.assertEqual(bad.returncode, 1)
            self.assertIn("the core image is not safe", bad.stderr)


if __name__ == "__main__":
    unittest.main()
