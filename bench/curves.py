#!/usr/bin/env python3
"""How cost grows on this machine's processors: batch 1 to 128, context 128 to 8,192, prompts of 32 to 4,096 tokens, threads
1 to all. Draws docs/curves.svg and prints the points (build/peers/venv/bin/python bench/curves.py; needs matplotlib).

  bench/curves.py [--model smollm2] [--repeats 3] [--out docs/curves.svg]
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROCESSORS = len(os.sched_getaffinity(0))


def powers(low, high):
    """low, 2 low, 4 low ... high."""
    values = []
    while low <= high:
        values.append(low)
        low *= 2
    return values


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", default=str(ROOT / "docs/curves.svg"))
    args = parser.parse_args()

    def bench(*flags):
        """The medians of each figure over the repeats."""
        command = [str(ROOT / "build/release/caravel"), "bench", flags[0], args.model, *map(str, flags[1:]), "--json"]
        runs = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                for _ in range(args.repeats)]
        return {key: statistics.median(run[key] for run in runs) for key, value in runs[0].items()
                if isinstance(value, (int, float))}

    def latency(*flags):
        return bench("latency", "--iterations", 1, *flags)

    ceilings = bench("memory")
    panels = []  # title, x label, {line: [(x, y)]}

    points = [(n, bench("throughput", "--max-num-seqs", 128, "--input-lens", ",".join(["64"] * n), "--output-len", 64)
               ["output_tokens_per_second"]) for n in powers(1, 128)]
    panels.append(("requests at once (64 tokens in, 64 out)", "requests", {"output tokens/s": points}))

    points = [(depth, latency("--depth", depth, "--input-len", 16, "--output-len", 32)["decode_tokens_per_second"])
              for depth in powers(128, 4096)] + [
             (8192 - 64, latency("--depth", 8192 - 64, "--input-len", 16, "--output-len", 32)
              ["decode_tokens_per_second"])]
    panels.append(("decode, one request", "tokens in the cache", {"tokens/s": points}))

    points = [(length, latency("--input-len", length, "--output-len", 1)["prefill_tokens_per_second"])
              for length in powers(32, 4096)]
    panels.append(("prefill, one request", "tokens of the prompt", {"tokens/s": points}))

    by_threads = [(threads, latency("--threads", threads, "--input-len", 512, "--output-len", 64))
                  for threads in sorted({*powers(1, PROCESSORS), PROCESSORS})]
    panels.append(("threads", "threads", {
        "prefill of 512, tokens/s": [(n, one["prefill_tokens_per_second"]) for n, one in by_threads],
        "decode, tokens/s": [(n, one["decode_tokens_per_second"]) for n, one in by_threads]}))

    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "caravel", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    for axis, (title, label, lines) in zip(axes.flat, panels):
        print(title)
        for name, line in lines.items():
            print(f"  {name}: " + ", ".join(f"{x}: {y:.0f}" for x, y in line))
            axis.plot(*zip(*line), marker="o", label=name)
        axis.set_title(title)
        axis.set_xlabel(label)
        axis.set_xscale("log", base=2)
        ticks = [x for x, _ in line]
        axis.set_xticks(ticks, [f"{x:,}" for x in ticks], rotation=30 if max(ticks) > 999 else 0)
        axis.set_xticks([], minor=True)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(f"{args.model}, {PROCESSORS} threads; the machine reads {ceilings['read_gb_per_second']:.0f} GB/s and "
                    f"makes {ceilings['int8_gmac_per_second']:.0f} GMAC/s of int8")
    figure.savefig(args.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
