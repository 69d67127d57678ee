#!/usr/bin/env python3
"""What ptxas said of each CUDA kernel: fails on spills, which cost memory traffic where registers were meant.

    cuda_code_test.py BUILD     reads BUILD/**/*.cu.o.ptxas

A kernel that may spill is listed here, with the bytes that a thread may store.
"""

import pathlib
import re
import sys
import unittest

MAY_SPILL = {"AttentionMmaTile": 64}  # part of the mangled name: bytes

FUNCTION = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
SPILLS = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")


def kernels(build):
    """(file, name, architecture, bytes of spill stores) of each."""
    for path in sorted(build.rglob("*.cu.o.ptxas")):
        name = None
        for line in path.read_text().splitlines():
            if match := FUNCTION.search(line):
                name, architecture = match.groups()
            elif (match := SPILLS.search(line)) and name:
                yield path.name, name, architecture, int(match.group(2))
                name = None


class CudaCode(unittest.TestCase):
    build = pathlib.Path()

    def test_no_kernel_spills(self):
        found = list(kernels(self.build))
        if not found:
            self.skipTest("there are no CUDA kernels in this build")
        wrong = [f"{file}: {name} ({architecture}) spills {stored} bytes"
                 for file, name, architecture, stored in found
                 if stored > max((most for part, most in MAY_SPILL.items() if part in name), default=0)]
        self.assertEqual([], wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    CudaCode.build = pathlib.Path(sys.argv.pop(1))
    unittest.main(verbosity=2)
