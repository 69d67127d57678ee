#!/usr/bin/env python3
"""Caravel on this machine's processors against llama.cpp, vLLM and transformers, in turn.

  bench/peers/cpu.py [--only SECTION,...] [--formats NAME,...] [--rounds 5] [--without-amx] [--json OUT]
                                                                              (bench/peers/setup first)

Sections:
  formats   prefill of 512 tokens and decode, from an empty context, for each weight format and model: llama-bench
  openblas  prefill of 512 against llama.cpp built with OpenBLAS
  context   decode at 4,096 tokens of context, and 2,048 prompt tokens after 2,048
  batch     32 requests at once: output tokens/s, median time to first token, peak resident memory: llama-server
  start     command to first token, the file in the page cache: llama-completion
  others    prefill of 512, decode and 32 requests: vLLM and transformers

The sides alternate within a round, since a shared machine's speed can halve for seconds; a row shows the medians and the
median of the rounds' ratios. Caravel's shares are of the ceilings that `caravel bench` measures right after each run.
--without-amx: neither side uses AMX, as on machines that have none. Prints Markdown; --json keeps every figure of
every round.
"""

import argparse
import concurrent.futures
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
import urllib.request

import peers

THREADS = len(os.sched_getaffinity(0))
SECTIONS = ["formats", "openblas", "context", "batch", "start", "others"]
# name -> goals: prefill and decode, as multiples of the peer's
FORMATS = {
    "Q4_1": (9.0, 2.1), "Q4_0": (3.5, 1.8), "Q4_K_M": (4.5, 2.1), "Q8_0": (5.0, 1.6), "F16": (1.7, 1.15),
    "Gemma 3 270M Q4_K_M": (4.0, 1.6), "Llama 3.2 1B shapes Q4_K_M": (3.0, None),
}


def caravel(*args):
    command = [str(peers.CARAVEL), "bench", *map(str, args), *peers.CARAVEL_FLAGS, "--threads", str(THREADS), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def latency(model, depth=0, prefill=512, decode=128):
    return caravel("latency", model, "--depth", depth, "--input-len", prefill, "--output-len", decode, "--iterations",
                   1, "--warmup", 1)


def llama_bench(model, prefill=512, decode=128, depth=0, flash=None, binaries=None):
    """Tokens/s of (prefill, decode); 0 tokens of one leave it out."""
    command = [str((binaries or peers.LLAMA_BIN) / "llama-bench"), "-m", str(model), "-t", str(THREADS), "-p",
               str(prefill), "-n", str(decode), "-d", str(depth), "-r", "1", "-o", "json"]
    if flash is not None:
        command += ["-fa", str(flash)]
    rows = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    rate = lambda key: next((row["avg_ts"] for row in rows if row[key]), None)
    return rate("n_prompt"), rate("n_gen")


class Table:
    """Rows of rounds: one figure of several sides. `better` is "more" or "less"."""

    def __init__(self):
        self.rows = {}

    def note(self, name, side, value, share=None, goal=None, better="more", peer=True):
        row = self.rows.setdefault(name, {"goal": goal, "better": better, "sides": {}, "share": []})
        row["sides"].setdefault(side, []).append(value)
        if share is not None:
            row["share"].append(share)

    def print(self):
        print("| figure | Caravel | of the ceiling | peer | | ratio | goal |\n| --- | --- | --- | --- | --- | --- | --- |")
        for name, row in self.rows.items():
            ours = row["sides"]["caravel"]
            share = f"{100 * statistics.median(row['share']):.0f} %" if row["share"] else ""
            for side, theirs in row["sides"].items():
                if side == "caravel":
                    continue
                ratio = statistics.median(a / b for a, b in zip(ours, theirs))
                goal = row["goal"].get(side) if isinstance(row["goal"], dict) else row["goal"]
                print(f"| {name} | {statistics.median(ours):.4g} | {share} | {side} | "
                      f"{statistics.median(theirs):.4g} | {ratio:.2f} | {goal or ''} |")
        print(flush=True)


def formats(table, rounds, names):
    for _ in range(rounds):
        for name in names:
            prefill_goal, decode_goal = FORMATS[name]
            model = peers.model_file(name)
            ours = latency(model)
            prefill, decode = llama_bench(model)
            table.note(f"{name}: prefill 512, tokens/s", "caravel", ours["prefill_tokens_per_second"],
                       ours["prefill_share_of_int8_peak"], prefill_goal)
            table.note(f"{name}: prefill 512, tokens/s", "llama.cpp", prefill)
            table.note(f"{name}: decode, tokens/s", "caravel", ours["decode_tokens_per_second"],
                       ours["decode_share_of_read_bandwidth"], decode_goal)
            table.note(f"{name}: decode, tokens/s", "llama.cpp", decode)


def openblas(table, rounds, _):
    model = peers.model_file("Q4_1")
    if not (peers.LLAMA_BLAS_BIN / "llama-bench").exists():
        print("llama.cpp with OpenBLAS was not built (bench/peers/setup); left out", file=sys.stderr)
        return
    for _ in range(rounds):
        ours = latency(model, decode=1)
        prefill, _ = llama_bench(model, decode=0, binaries=peers.LLAMA_BLAS_BIN)
        name = "Q4_1: prefill 512, tokens/s"
        table.note(name, "caravel", ours["prefill_tokens_per_second"], ours["prefill_share_of_int8_peak"], 4.0)
        table.note(name, "llama.cpp, OpenBLAS", prefill)


def context(table, rounds, _):
    model = peers.model_file("Q4_1")
    for _ in range(rounds):
        ours = latency(model, depth=4096, prefill=16, decode=64)
        name = "decode at 4,096 tokens, tokens/s"
        table.note(name, "caravel", ours["decode_tokens_per_second"], ours["decode_share_of_read_bandwidth"])
        for flash in (0, 1):
            table.note(name, f"llama.cpp -fa {flash}", llama_bench(model, 0, 32, 4096, flash)[1])
        name = "prefill of 2,048 after 2,048, tokens/s"
        table.note(name, "caravel", latency(model, depth=2048, prefill=2048, decode=1)["prefill_tokens_per_second"],
                   goal=5.0)
        for flash in (0, 1):
            table.note(name, f"llama.cpp -fa {flash}", llama_bench(model, 2048, 0, 2048, flash)[0])


def request_lengths():
    rng = random.Random(1)
    return [rng.randint(32, 512) for _ in range(32)]


def peak_resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def llama_batch(model, lengths, output_len):
    """The same requests to llama-server, all at once."""
    rng = random.Random(0)
    prompts = [[rng.randrange(100, 49152) for _ in range(length)] for length in lengths]
    with peers.llama_server(model, "-t", str(THREADS), "-np", str(len(lengths)), "-c", "20480") as (port, pid):
        body = {"ignore_eos": True, "temperature": 0, "cache_prompt": False, "stream": True}
        gate = threading.Barrier(len(prompts) + 1)

        def ask(prompt):
            data = json.dumps({**body, "prompt": prompt, "n_predict": output_len}).encode()
            request = urllib.request.Request(f"http://127.0.0.1:{port}/completion", data,
                                             {"Content-Type": "application/json"})
            gate.wait()
            start, first, last = time.monotonic(), None, None
            with urllib.request.urlopen(request, timeout=1800) as answer:
                for line in answer:
                    if line.startswith(b"data: "):
                        first = first or time.monotonic() - start
                        last = json.loads(line[6:])
            assert last["tokens_predicted"] == output_len
            return first

        peers.post(port, "/completion", {"prompt": prompts[0][:8], "n_predict": 1})
        with concurrent.futures.ThreadPoolExecutor(len(prompts)) as pool:
            asked = [pool.submit(ask, prompt) for prompt in prompts]
            gate.wait()
            start = time.monotonic()
            firsts = [one.result() for one in asked]
            seconds = time.monotonic() - start
        return len(prompts) * output_len / seconds, statistics.median(firsts), peak_resident_mib(pid)


def batch(table, rounds, _):
    lengths = request_lengths()
    for _ in range(rounds):
        for name, goal in (("Q4_1", 8.0), ("Q4_0", 6.0)):
            model = peers.model_file(name)
            ours = caravel("throughput", model, "--input-lens", ",".join(map(str, lengths)), "--output-len", 128)
            rate, first, resident = llama_batch(model, lengths, 128)
            title = f"{name}: 32 requests at once, "
            table.note(title + "output tokens/s", "caravel", ours["output_tokens_per_second"],
                       ours["share_of_int8_peak"], goal)
            table.note(title + "output tokens/s", "llama.cpp", rate)
            table.note(title + "median first token, s", "caravel", ours["median_first_token_seconds"], goal=0.17)
            table.note(title + "median first token, s", "llama.cpp", first)
            table.note(title + "peak resident memory, MiB", "caravel", ours["peak_resident_mib"], goal=0.65)
            table.note(title + "peak resident memory, MiB", "llama.cpp", resident)


def first_token(command):
    """Seconds from the command to the first byte of the answer."""
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL) as process:
        process.stdout.read(1)
        seconds = time.monotonic() - start
        process.kill()
    return seconds


def start(table, rounds, _):
    model, prompt = peers.model_file("Q4_1"), "The three primary colors are"
    for _ in range(rounds):
        name = "command to first token, s"
        table.note(name, "caravel", first_token(
            [str(peers.CARAVEL), "generate", str(model), *peers.CARAVEL_FLAGS, "--prompt", prompt]))
        table.note(name, "llama.cpp", first_token(
            [str(peers.LLAMA_BIN / "llama-completion"), "-m", str(model), "-t", str(THREADS), "-p", prompt, "-n", "32",
             "-no-cnv", "--no-display-prompt"]))


def others(table, rounds, _):
    """vLLM and transformers keep their model loaded, so each is one process that measures when it is told to."""
    model = peers.model_file("Q4_1")
    lengths = request_lengths()
    sides = {}
    for side, python in (("transformers F32", peers.PYTHON), ("vLLM BF16", peers.VLLM_PYTHON)):
        if python.exists():
            sides[side] = peers.Worker(python, side.split()[0].lower(), lengths)
        else:
            print(f"{side}: {python} is not there; left out", file=sys.stderr)
    for _ in range(rounds):
        ours = latency(model)
        ours["output_tokens_per_second"] = caravel("throughput", model, "--input-lens", ",".join(map(str, lengths)),
                                                   "--output-len", 128)["output_tokens_per_second"]
        measured = {"caravel": ours, **{side: worker.measure() for side, worker in sides.items()}}
        for name, key in (("prefill 512, tokens/s", "prefill_tokens_per_second"),
                          ("decode, tokens/s", "decode_tokens_per_second"),
                          ("32 requests at once, output tokens/s", "output_tokens_per_second")):
            for side, figures in measured.items():
                if key in figures:
                    table.note(name, side, figures[key])
    for side, worker in sides.items():
        print(f"{side}: {worker.ready_seconds:.1f} s until it was ready\n")
        worker.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, separated by commas")
    parser.add_argument("--formats", default=",".join(FORMATS), help="rows of the section formats")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-amx", action="store_true", help="neither Caravel nor llama.cpp uses AMX")
    parser.add_argument("--json", help="where to write every figure of every round")
    args = parser.parse_args()
    wanted = args.only.split(",")
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if unknown := set(args.formats.split(",")) - set(FORMATS):
        parser.error(f"no format {', '.join(sorted(unknown))}; there are {', '.join(FORMATS)}")
    if args.without_amx:
        peers.leave_amx_out()
    ceilings = [caravel("memory")]
    tables = {}
    for section in wanted:
        print(f"==> {section}", file=sys.stderr)
        tables[section] = Table()
        globals()[section](tables[section], args.rounds, args.formats.split(","))
        ceilings.append(caravel("memory"))
        print(f"### {section}\n")
        tables[section].print()
    middle = {key: statistics.median(one[key] for one in ceilings) for key in ceilings[0]}
    print(f"{THREADS} threads, medians of {args.rounds} rounds in turn. This machine: "
          f"{middle['read_gb_per_second']:.1f} GB/s read, {middle['int8_gmac_per_second']:.0f} GMAC/s int8, "
          f"{middle['f32_gmac_per_second']:.0f} GMAC/s f32 (medians of {len(ceilings)}).")
    if args.json:
        with open(args.json, "w") as out:
            json.dump({"ceilings": ceilings, "tables": {name: table.rows for name, table in tables.items()}}, out,
                      indent=1)


if __name__ == "__main__":
    main()
