#!/usr/bin/env python3
"""`caravel embed` beside sentence-transformers: the same texts of mixed lengths, cosines and sentences per second.

    bench/peers/encoder.py [MODEL] [--texts FILE] [--count N] [--threads 2] [--rounds 3] [--python PYTHON]

MODEL: a folder that sentence-transformers reads; default: all-MiniLM-L6-v2 of scripts/fetch_model minilm. FILE: a text a
line; default: made here, most of one to forty words, some of hundreds, in several scripts. PYTHON has torch and
sentence-transformers (default: this one). The two run in turn, one at a time, each in a process of its own; a rate is
that of the texts alone: Caravel's start, measured with one text, is taken off. Ratios are of the median round.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("CARAVEL_CACHE") or pathlib.Path.home() / ".cache/caravel")
QUANTIZATIONS = {"F32": "none", "Q8_0": "q8_0"}
WORDS = ("the of and to a in is that for on with as model water people time language music river seven garden "
         "understanding photosynthesis international however, because; (perhaps) isn't 3.14 2024 CPU naïve Zürich "
         "don't e.g. https://example.org/a?b=1 мир слово вода 世界 你好 日本語 κόσμος שלום مرحبا 😀 SELECT x=1; :-)").split()

# A line of its standard input is a round: the file of texts, and where its vectors go. It answers with the seconds.
WORKER = """
import sys, time, numpy, torch
torch.set_num_threads(int(sys.argv[2]))
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
model.encode(["a first text"])
print("ready", flush=True)
for line in sys.stdin:
    texts, out = line.rstrip("\\n").split("\\t")
    lines = open(texts, encoding="utf-8").read().split("\\n")[:-1]
    start = time.perf_counter()
    vectors = model.encode(lines, batch_size=32, convert_to_numpy=True)
    seconds = time.perf_counter() - start
    numpy.save(out, vectors)
    print(seconds, flush=True)
"""


def make_texts(count):
    generator = random.Random(5)
    lengths = [generator.choice([1, 2, 4, 8, 12, 16, 20, 30, 40, 40, 80, 150]) for _ in range(count)]
    return [" ".join(generator.choices(WORDS, k=length)) for length in lengths]


class SentenceTransformers:
    def __init__(self, python, model, threads):
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true")
        self.process = subprocess.Popen([python, "-c", WORKER, str(model), str(threads)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env=environment)
        while self.process.stdout.readline().strip() != "ready":
            if self.process.poll() is not None:
                sys.exit("sentence-transformers did not start")

    def run(self, texts, out):
        self.process.stdin.write(f"{texts}\t{out}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def caravel(model, threads, quantization, texts, out):
    command = [str(ROOT / "build/release/caravel"), "embed", str(model), "-t", str(threads), "--quantization",
               quantization, "--input", str(texts), "--output", str(out), "--truncate-prompt-tokens", "-1"]
    start = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def cosines(a, b):
    return (a * b).sum(1) / numpy.linalg.norm(a, axis=1) / numpy.linalg.norm(b, axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=pathlib.Path, default=CACHE / "all-MiniLM-L6-v2")
    parser.add_argument("--texts", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable)
    options = parser.parse_args()
    lines = options.texts.read_text().splitlines() if options.texts else make_texts(options.count)
    lines = [line for line in lines if line]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        texts, one = folder / "texts.txt", folder / "one.txt"
        texts.write_text("".join(f"{line}\n" for line in lines))
        one.write_text("a\n")
        peer = SentenceTransformers(options.python, options.model, options.threads)
        rates = {name: [] for name in ("sentence-transformers", *QUANTIZATIONS)}
        for _ in range(options.rounds):
            rates["sentence-transformers"].append(len(lines) / peer.run(texts, folder / "peer.npy"))
            for name, flag in QUANTIZATIONS.items():
                start = caravel(options.model, options.threads, flag, one, folder / "one.npy")
                seconds = caravel(options.model, options.threads, flag, texts, folder / f"{name}.npy") - start
                rates[name].append(len(lines) / seconds)
        expected = numpy.load(folder / "peer.npy").astype(numpy.float64)
        base = statistics.median(rates["sentence-transformers"])
        print(f"{len(lines)} texts, {options.threads} threads; sentence-transformers: {base:.0f} texts/s")
        for name in QUANTIZATIONS:
            found = numpy.load(folder / f"{name}.npy").astype(numpy.float64)
            cosine = cosines(found, expected)
            worst = int(cosine.argmin())
            ratio = statistics.median(a / b for a, b in zip(rates[name], rates["sentence-transformers"]))
            print(f"{name:5} cosine at least {cosine.min():.7f}, median {numpy.median(cosine):.7f}; "
                  f"{statistics.median(rates[name]):.0f} texts/s, {ratio:.2f}x; worst: {json.dumps(lines[worst][:60])}")


if __name__ == "__main__":
    main()
