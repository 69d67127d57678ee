#!/usr/bin/env python3
"""Perplexity of the same text, by `caravel perplexity` and by llama.cpp's llama-perplexity: windows of 512 tokens, of each
the predictions of the second half, or with --stride as its --ppl-stride has it.

  build/peers/venv/bin/python bench/peers/perplexity.py [--text FILE] [--windows 80] [--stride N] [NAME ...]
                                                                                          (bench/peers/setup first)

NAME: a row of cpu.py's section formats; default: all with real weights.
"""

import argparse
import json
import re
import subprocess
import tempfile

import correctness
import peers

WINDOW = 512
NAMES = ["Q4_1", "Q4_0", "Q4_K_M", "Q8_0", "F16", "Gemma 3 270M Q4_K_M"]


def llama(model, text, windows, stride):
    flags = ["-m", str(model), "-f", text, "-c", str(WINDOW), "--chunks", str(windows), "-t", "2"]
    if stride:
        flags += ["--ppl-stride", str(stride), "-b", str(WINDOW)]  # a larger batch's context is cut in several
    done = subprocess.run([str(peers.LLAMA_BIN / "llama-perplexity"), *flags], capture_output=True, text=True, check=True)
    # With a stride there is no last line, but the estimate after each window.
    return float(re.findall(r"\[\d+\]([\d.]+),", done.stdout + done.stderr)[-1])


def ours(model, text, windows, stride):
    flags = ["--file", text, "--ctx-size", str(WINDOW), "--chunks", str(windows), "--json", *peers.CARAVEL_FLAGS]
    if stride:
        flags += ["--stride", str(stride)]
    done = subprocess.run([str(peers.CARAVEL), "perplexity", str(model), *flags], capture_output=True, check=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--text", help="default: GSM8K where it is, else the project's own docs")
    parser.add_argument("--windows", type=int, default=80)
    parser.add_argument("--stride", type=int, default=0)
    args = parser.parse_args()
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(open(args.text).read() if args.text else correctness.default_text())
        file.flush()
        print("| weights | tokens predicted | Caravel | llama.cpp | Caravel's against it |\n| --- | --- | --- | --- | --- |")
        for name in args.names:
            model = peers.model_file(name)
            mine = ours(model, file.name, args.windows, args.stride)
            theirs = llama(model, file.name, args.windows, args.stride)
            print(f"| {name} | {mine['tokens_predicted']} | {mine['perplexity']:.4f} ± {mine['standard_error']:.4f} | "
                  f"{theirs:.4f} | {100 * (mine['perplexity'] / theirs - 1):+.3f} % |", flush=True)


if __name__ == "__main__":
    main()
