#!/usr/bin/env python3
"""Everything that a GPU can tell of a build, in about four minutes: what the device can do; the tests of all ops, with
fresh random values, poisoned outputs and odd sizes, of samplers, models and engines, by its own kernels and by older
GPUs'; a part of them under compute-sanitizer; then times of GEMMs, by graphs over weights far beyond the caches.

    cmake --build build/release --target gpu_check
    bench/gpu/gpu_check.py build/release/gpu_check [--json OUT.json] [--seed N] [--only PART,...]

The folder runs on another machine with a newer or equal system, beside a tree of the same sources. Says how far it is
on stderr, and there at the end what failed; exits with 1 where something did.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OLDER = {"CARAVEL_TEST_CAPABILITY": "80"}
STEPS = {"CARAVEL_TEST_STEPS": "2"}

# Name, program, what its environment has beside the device, and which tests.
TESTS = [
    ("device", "device_test", {}, "CudaDevice*"),
    ("kernels", "kernels_test", {}, "*"),
    ("early kernels", "kernels_cuda_test", {}, "*"),
    ("samplers", "sampler_test", {}, "*"),
    ("models", "model_test", {}, "*"),
    ("engines", "engine_test", {}, "*"),
    ("engines, two steps", "engine_test", STEPS, "*"),
    ("kernels, sm_80", "kernels_test", OLDER, "*Gemm*:*Attention*:*Norm*:*Cache*:OneArithmetic*:SharedPrefix*"),
    ("engines, sm_80", "engine_test", OLDER, "*Invariance*:*Request*"),
]
# Small shapes: under the sanitizer a kernel takes a hundred times as long.
SANITIZED = [
    ("memcheck", "*AwkwardShapes*:*PagedAttention.MatchesReference*:RmsNorm*"),
    # BF16 alone: where one lane arrives at an mbarrier for its warp, behind __syncwarp(), racecheck (CUDA 13.0) reports
    # what the others wrote as a race with who waits there. Weights of other types hand their sums over like that.
    ("racecheck", "*AwkwardShapes/*_BF16"),
]


def tell(text):
    print(text, file=sys.stderr, flush=True)


def environment(seed, more):
    return {**os.environ, "CARAVEL_SOURCE_DIR": os.environ.get("CARAVEL_SOURCE_DIR", str(ROOT)),
            "CARAVEL_TEST_DEVICE": "cuda", "CARAVEL_TEST_SEED": str(seed), **more}


def run_tests(command, env, limit):
    """What a program of tests says: {tests, failures: {name: text}, seconds}."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        begin = time.monotonic()
        try:
            done = subprocess.run([*command, f"--gtest_output=json:{report}"], env=env, timeout=limit, text=True,
                                  errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            code, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as late:
            code, output = None, (late.stdout or b"").decode(errors="replace")
        failures, count = {}, 0
        if report.exists():
            for suite in json.loads(report.read_text())["testsuites"]:
                for test in suite["testsuite"]:
                    count += test["result"] == "COMPLETED"
                    if "failures" in test:
                        failures[f"{suite['name']}.{test['name']}"] = test["failures"][0]["failure"][:2000]
        if code != 0 and not failures:
            failures["the program"] = (f"took longer than {limit} s" if code is None else f"ended with {code}") + \
                ": " + output[-2000:]
        return {"tests": count, "failures": failures, "seconds": round(time.monotonic() - begin, 1),
                "output": output}


def ceilings(args):
    done = subprocess.run([args.folder / "caravel", "bench", "memory", "--device", "cuda", "--json"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        return {"failures": {"bench memory": done.stdout}}
    return {**json.loads(done.stdout), "failures": {}}


def tests(args):
    def run(test):
        name, program, more, which = test
        result = run_tests([args.folder / "tests" / program, f"--gtest_filter={which}"], environment(args.seed, more),
                           300)
        del result["output"]
        tell(f"  {name:<20} {result['tests']:5} tests {result['seconds']:6.1f} s  "
             f"{len(result['failures']) or 'none'} failed")
        return name, result

    # At once: their time is the host's, and a GPU that others use too is what finds races.
    with concurrent.futures.ThreadPoolExecutor() as threads:
        results = dict(threads.map(run, TESTS))
    return {"runs": results,
            "failures": {f"{name}: {test}": text for name, result in results.items()
                         for test, text in result["failures"].items()}}


def sanitizer(args):
    tool = shutil.which("compute-sanitizer") or "/usr/local/cuda/bin/compute-sanitizer"
    if not os.access(tool, os.X_OK):
        tell("  skipped: there is no compute-sanitizer")
        return {"skipped": "there is no compute-sanitizer", "failures": {}}
    results, failures = {}, {}
    for check, which in SANITIZED:
        result = run_tests([tool, "--tool", check, "--error-exitcode", "9", args.folder / "tests" / "kernels_test",
                            f"--gtest_filter={which}"], environment(args.seed, {}), 120)
        summary = [line for line in result.pop("output").splitlines() if "SUMMARY" in line]
        results[check] = {**result, "summary": summary}
        failures |= {f"{check}: {test}": text for test, text in result["failures"].items()}
        tell(f"  {check:<20} {result['tests']:5} tests {result['seconds']:6.1f} s  {' '.join(summary)}")
    return {**results, "failures": failures}


def times(args):
    done = subprocess.run([args.folder / "bench/gpu/gpu_gemm_bench"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        if line.get("tokens") in (1, 64, 2048):
            tell(f"  {line['gemm']:<18} {line['dtype']:<6} {line['tokens']:5} tokens {line['us']:9.2f} us "
                 f"{100 * line['share_of_read']:6.1f} % of what plain loads read {line['tflop_per_s']:7.1f} TFLOP/s")
    return {"gemms": lines, "failures": {} if done.returncode == 0 else {"gpu_gemm_bench": done.stderr}}


PARTS = {"ceilings": ceilings, "tests": tests, "sanitizer": sanitizer, "times": times}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="what the target gpu_check left")
    parser.add_argument("--json", type=pathlib.Path, help="where all figures go")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="of the random values")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    args = parser.parse_args()
    wanted = args.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    tell(f"seed {args.seed}")
    results, failures = {"seed": args.seed}, {}
    for part in wanted:
        tell(f"==> {part}")
        results[part] = PARTS[part](args)
        failures |= {f"{part}: {name}": text for name, text in results[part]["failures"].items()}
    if args.json:
        args.json.write_text(json.dumps(results, indent=1))
    for name, text in failures.items():
        tell(f"FAILED {name}\n{text}")
    tell(f"{len(failures)} failed" if failures else "all is well")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
