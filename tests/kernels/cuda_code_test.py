#!/usr/bin/env python3
"""What became of each CUDA kernel, without a GPU: fails on spills, which cost memory traffic where registers were
meant, and on kernels whose machine code lacks the instructions that they are written for.

    cuda_code_test.py BUILD     reads BUILD/**/*.cu.o.ptxas, and BUILD/**/*.cu.o by the cuobjdump that the environment's
                                CUOBJDUMP names, with nvdisasm beside it or on PATH; without one that part is skipped
"""

import os
import pathlib
import re
import subprocess
import sys
import unittest

# A kernel that may spill: part of the mangled name, and the bytes that a thread may store.
MAY_SPILL = {"AttentionMmaTile": 64, "fill_step": 4, "fragment_gemm_kernel": 12}

# What a kernel must hold on an architecture: a pattern of its mangled name, and instructions. HGMMA and HMMA: matrix
# multiply of a warpgroup and of a warp. UTMALDG: the copy engine, by boxes. LDGSTS: copies into
# shared memory past the registers. LDSM: fragments of it.
OLDER = [
    (r"warp_gemm_kernel", {"HMMA", "LDGSTS"}),
    (r"multiply_bf16", {"HMMA"}),
    (r"AttentionMmaTile", {"HMMA", "LDSM", "LDGSTS"}),
]
MUST_HOLD = {
    "sm_90a": [
        (r"tile_gemm_kernel", {"HGMMA", "UTMALDG"}),
        (r"fragment_gemm_kernelILi(8|16)ELi\d+E", {"HMMA", "LDSM", "UTMALDG"}),
        (r"fragment_gemm_kernelILi(32|64|128)ELi\d+E", {"HGMMA", "UTMALDG"}),
        (r"multiply_bf16", {"HGMMA"}),
        (r"AttentionMmaTile", {"HMMA", "LDSM", "LDGSTS"}),
        (r"attend_wide_tiles", {"HGMMA"}),
        (r"attend_wide_tiles\w*16Elements", {"LDGSTS", "UTMALDG"}),
        (r"attend_latents", {"HGMMA"}),
        (r"attend_latents\w*16Elements", {"LDGSTS", "UTMALDG"}),
    ],
    "sm_80": OLDER, "sm_89": OLDER, "sm_100": OLDER,
}

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


def instructions(build, cuobjdump):
    """(architecture, name): the names of all instructions, without their modifiers, of each kernel."""
    environment = {**os.environ, "PATH": f"{pathlib.Path(cuobjdump).parent}:{os.environ['PATH']}"}
    found = {}
    for path in sorted(build.rglob("*.cu.o")):
        code = subprocess.run([cuobjdump, "-sass", path], env=environment, text=True, check=True, stdout=subprocess.PIPE)
        architecture = kernel = None
        for line in code.stdout.splitlines():
            if match := re.match(r"\s*code for (\w+)", line):
                architecture = match.group(1)
            elif match := re.match(r"\s*Function : (\w+)", line):
                kernel = found.setdefault((architecture, match.group(1)), set())
            elif match := re.match(r"\s*/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\w+\s+)?([A-Z][A-Z0-9]*)", line):
                kernel.add(match.group(1))
    return found


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

    def test_kernels_hold_the_instructions_that_they_are_written_for(self):
        if not any(self.build.rglob("*.cu.o")):
            self.skipTest("there are no CUDA kernels in this build")
        cuobjdump = os.environ.get("CUOBJDUMP")
        if not cuobjdump or not os.access(cuobjdump, os.X_OK):
            self.skipTest("there is no cuobjdump (scripts/install_cuda brings one)")
        found = instructions(self.build, cuobjdump)
        for built in sorted({architecture for architecture, _ in found}):
            for pattern, wanted in MUST_HOLD.get(built, []):
                kernels = {name: held for (architecture, name), held in found.items()
                           if architecture == built and re.search(pattern, name)}
                self.assertTrue(kernels, f"no kernel of {built} is called {pattern}")
                for name, held in kernels.items():
                    self.assertLessEqual(wanted, held, f"{name} ({built}) has no {', '.join(sorted(wanted - held))}")


if __name__ == "__main__":
    CudaCode.build = pathlib.Path(sys.argv.pop(1))
    unittest.main(verbosity=2)
