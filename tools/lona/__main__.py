# SPDX-License-Identifier: BSD-2-Clause
"""Entry of `./lona`: puts the folder above on the path and runs the command line."""

import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)

from lona.cli import main  # noqa: E402 (the path must be set first)

sys.exit(main(sys.argv[1:]))
