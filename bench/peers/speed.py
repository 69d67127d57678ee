#!/usr/bin/env python3
"""Caravel against llama.cpp on this machine, in turn, medians: decode, prefill, 32 requests at once, first token.

  python3 bench/peers/speed.py [--model smollm2] [--rounds 5] [--json OUT]

The two sides alternate, since a shared machine's speed can halve for seconds. llama.cpp: llama-bench -p 512 -n 128 and
llama-server -np 32 -c 20480, all requests sent at once; Caravel: `caravel bench latency` and `bench throughput` with the
same sizes, and the ceilings that `caravel bench memory` measures in the same run.
"""

import argparse
import concurrent.futures
import json
import os
import random
import statistics
import subprocess
import time

import peers

THREADS = len(os.sched_getaffinity(0))


def caravel(*args):
    done = subprocess.run([str(peers.CARAVEL), "bench", *map(str, args), "--json"], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)


def llama_bench(model):
    done = subprocess.run([str(peers.LLAMA_BIN / "llama-bench"), "-m", str(model), "-t", str(THREADS), "-p", "512", "-n",
                           "128", "-r", "1", "-o", "json"], capture_output=True, text=True, check=True)
    rows = json.loads(done.stdout)
    return {"prefill": next(r["avg_ts"] for r in rows if r["n_prompt"]),
            "decode": next(r["avg_ts"] for r in rows if r["n_gen"])}


def llama_batch(model, lengths, vocab, output_len):
    rng = random.Random(0)
    prompts = [[rng.randrange(100, vocab) for _ in range(length)] for length in lengths]
    with peers.llama_server(model, "-t", str(THREADS), "-np", str(len(lengths)), "-c", "20480") as port:
        body = lambda ids: {"prompt": ids, "n_predict": output_len, "ignore_eos": True, "temperature": 0,
                            "cache_prompt": False}
        peers.post(port, "/completion", {**body(prompts[0][:8]), "n_predict": 1})
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(prompts)) as pool:
            answers = list(pool.map(lambda ids: peers.post(port, "/completion", body(ids)), prompts))
        seconds = time.monotonic() - start
    assert all(answer["tokens_predicted"] == output_len for answer in answers)
    return len(prompts) * output_len / seconds


def first_token(command):
    """Seconds from the command to the first byte of the answer, the file in the page cache."""
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        process.stdout.read(1)
        seconds = time.monotonic() - start
        process.kill()
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=peers.MODELS, default="smollm2")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="where to write every figure of every round")
    args = parser.parse_args()
    model = peers.MODELS[args.model]
    rng = random.Random(1)
    lengths = [rng.randint(32, 512) for _ in range(32)]
    vocab = 49152 if args.model == "smollm2" else 262144
    figures = {}

    def note(name, ours, theirs):
        figures.setdefault(name, {"caravel": [], "llama.cpp": []})
        figures[name]["caravel"].append(ours)
        figures[name]["llama.cpp"].append(theirs)

    ceilings = caravel("memory")
    for _ in range(args.rounds):
        ours = caravel("latency", model, "--input-len", 512, "--output-len", 128, "--iterations", 1, "--warmup", 0)
        theirs = llama_bench(model)
        note("decode, tokens/s", ours["decode_tokens_per_second"], theirs["decode"])
        note("prefill 512, tokens/s", ours["prefill_tokens_per_second"], theirs["prefill"])
        note("32 requests, output tokens/s",
             caravel("throughput", model, "--input-lens", ",".join(map(str, lengths)), "--output-len", 128)
             ["output_tokens_per_second"], llama_batch(model, lengths, vocab, 128))
        prompt = "The three primary colors are"
        note("command to first token, s",
             first_token([str(peers.CARAVEL), "generate", str(model), "--prompt", prompt]),
             first_token([str(peers.LLAMA_BIN / "llama-completion"), "-m", str(model), "-t", str(THREADS), "-p", prompt,
                          "-n", "32", "-no-cnv", "--no-display-prompt"]))
    print(f"{args.model}, {THREADS} threads, medians of {args.rounds} rounds in turn; this machine: "
          f"{ceilings['read_gb_per_second']:.1f} GB/s read, {ceilings['int8_gmac_per_second']:.0f} GMAC/s int8, "
          f"{ceilings['f32_gmac_per_second']:.0f} GMAC/s f32\n")
    print("| figure | Caravel | llama.cpp | ratio, pair by pair |\n| --- | --- | --- | --- |")
    for name, sides in figures.items():
        ratio = statistics.median(a / b for a, b in zip(sides["caravel"], sides["llama.cpp"]))
        print(f"| {name} | {statistics.median(sides['caravel']):.4g} | {statistics.median(sides['llama.cpp']):.4g} | "
              f"{ratio:.2f} |")
    if args.json:
        json.dump({"ceilings": ceilings, "figures": figures}, open(args.json, "w"), indent=1)


if __name__ == "__main__":
    main()
