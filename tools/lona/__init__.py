# SPDX-License-Identifier: BSD-2-Clause
"""The command `lona`: builds the system, boots it, and connects it with the terminal.

Only Python's standard library is used. `cli` reads the command line; each other module answers
one question, which its first line says.
"""
