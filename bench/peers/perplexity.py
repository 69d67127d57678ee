#!/usr/bin/env python3
"""Perplexity of the same tokens, counted the same way, by Caravel and by llama.cpp's llama-perplexity: windows of 512
tokens, of each the predictions of the second half.

  build/peers/venv/bin/python bench/peers/perplexity.py [--text FILE] [--windows 80] [NAME ...]    (bench/peers/setup first)

NAME: a row of cpu.py's section formats; default: all with real weights.
"""

import argparse
import math
import re
import subprocess
import tempfile

import correctness
import peers

WINDOW = 512
NAMES = ["Q4_1", "Q4_0", "Q4_K_M", "Q8_0", "F16", "Gemma 3 270M Q4_K_M"]


def llama(model, text, windows):
    """llama-perplexity's figure and its error bound."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([str(peers.LLAMA_BIN / "llama-perplexity"), "-m", str(model), "-f", file.name, "-c",
                               str(WINDOW), "--chunks", str(windows), "-t", "2"],
                              capture_output=True, text=True, check=True)
    found = re.search(r"Final estimate: PPL = ([\d.]+) \+/- ([\d.]+)", done.stdout + done.stderr)
    return float(found[1]), float(found[2])


def ours(model, text, windows):
    with peers.llama_server(model, "-t", "2", "-np", "1", "-c", "512") as (port, _):
        asked = {"content": text, "add_special": True, "parse_special": False}
        ids = peers.post(port, "/tokenize", asked)["tokens"]
        bare = peers.post(port, "/tokenize", {**asked, "content": "a"})["tokens"]
        without = peers.post(port, "/tokenize", {**asked, "content": "a", "add_special": False})["tokens"]
    bos = bare[: len(bare) - len(without)]
    rows = []
    for i in range(min(windows, len(ids) // WINDOW)):
        chunk = ids[i * WINDOW: (i + 1) * WINDOW]
        chunk[: len(bos)] = bos  # as llama-perplexity does
        rows.append({"id": str(i), "prompt": chunk, "max_tokens": 0, "prompt_logprobs": 0})
    nll = count = 0
    for result in peers.caravel_generate(model, rows).values():
        second_half = result["prompt_logprobs"][WINDOW // 2:]  # the first entry is the second token's
        nll -= sum(one["logprob"] for one in second_half)
        count += len(second_half)
    return math.exp(nll / count), count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--text", help="default: GSM8K where it is, else the project's own docs")
    parser.add_argument("--windows", type=int, default=80)
    args = parser.parse_args()
    text = open(args.text).read() if args.text else correctness.default_text()
    print("| weights | tokens predicted | Caravel | llama.cpp | Caravel's against it |\n| --- | --- | --- | --- | --- |")
    for name in args.names:
        model = peers.model_file(name)
        mine, count = ours(model, text, args.windows)
        theirs, bound = llama(model, text, args.windows)
        print(f"| {name} | {count} | {mine:.4f} | {theirs:.4f} ± {bound:.4f} | {100 * (mine / theirs - 1):+.3f} % |",
              flush=True)


if __name__ == "__main__":
    main()
