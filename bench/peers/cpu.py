#!/usr/bin/env python3
"""Caravel on this machine's processors against llama.cpp, vLLM and transformers, in turn, or an earlier build of it.

  bench/peers/cpu.py [--only SECTION,...] [--formats NAME,...] [--rounds 5] [--without-amx] [--json OUT]
                     [--before BINARY]                                        (bench/peers/setup first)
  bench/peers/cpu.py --only formats,batch --formats "OLMoE 1B-7B shapes Q4_K_M"   a model with experts

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

--before BINARY: an earlier build of caravel is one more side of formats, context, batch and start, run right after this
one, or right before it in every second round. For each figure a line says the median of the rounds' ratios and their
least and largest, above 1 where this build is better; how far the middle half of the earlier build's own rounds spreads
(their interquartile range over their median); and whether this build is worse by more than that. Peers and models that
are not there are left out, with a word: the default model is enough.
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
    "OLMoE 1B-7B shapes Q4_K_M": (3.0, 1.8), "gpt-oss 20B shapes MXFP4": (None, 1.5),
}
LARGE = {"gpt-oss 20B shapes MXFP4"}  # 12 GB of disk and of memory: where it is named alone
# name -> goals: output tokens/s, median first token and memory
BATCHES = {"Q4_1": (8.0, 0.17, 0.65), "Q4_0": (6.0, 0.17, 0.65), "OLMoE 1B-7B shapes Q4_K_M": (5.0, None, 1.0)}
BUILDS = {"caravel": peers.CARAVEL}  # by side; "before" where --before names one
FEWEST_ROUNDS = 5  # that show a build's spread


def builds_in_turn(number):
    """The sides of round `number`: who comes first changes, since it may matter."""
    return list(BUILDS)[::-1 if number % 2 else 1]


def caravel(*args, side="caravel"):
    command = [str(BUILDS[side]), "bench", *map(str, args), *peers.CARAVEL_FLAGS, "--threads", str(THREADS), "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def latency(model, depth=0, prefill=512, decode=128, side="caravel"):
    return caravel("latency", model, "--depth", depth, "--input-len", prefill, "--output-len", decode, "--iterations",
                   1, "--warmup", 1, side=side)


def left_out(what, why):
    print(f"{what}: {why}; left out", file=sys.stderr)


def llama_is_there(program):
    """Says so where it is not."""
    there = (peers.LLAMA_BIN / program).exists()
    if not there:
        left_out("llama.cpp", f"{peers.LLAMA_BIN / program} is not there (bench/peers/setup)")
    return there


def models(names):
    """Names with their files, but those that are not there."""
    files = {}
    for name in names:
        try:
            files[name] = peers.model_file(name)
        except peers.Absent as absent:
            left_out(name, absent)
    return files


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

    def note(self, name, side, value, share=None, goal=None, better="more"):
        row = self.rows.setdefault(name, {"goal": goal, "better": better, "sides": {}, "share": []})
        row["sides"].setdefault(side, []).append(value)
        if share is not None and side == "caravel":
            row["share"].append(share)

    def print(self):
        """The peers, and apart from them the build before."""
        print("| figure | Caravel | of the ceiling | peer | | ratio | goal |\n| --- | --- | --- | --- | --- | --- | --- |")
        for name, row in self.rows.items():
            ours = row["sides"]["caravel"]
            share = f"{100 * statistics.median(row['share']):.0f} %" if row["share"] else ""
            start = f"| {name} | {statistics.median(ours):.4g} | {share} |"
            others = {side: figures for side, figures in row["sides"].items() if side not in BUILDS}
            for side, theirs in others.items():
                ratio = statistics.median(a / b for a, b in zip(ours, theirs))
                goal = row["goal"].get(side) if isinstance(row["goal"], dict) else row["goal"]
                print(f"{start} {side} | {statistics.median(theirs):.4g} | {ratio:.2f} | {goal or ''} |")
            if not others:
                print(f"{start} | | | |")
        print()
        if "before" in BUILDS:
            self.print_before()
        sys.stdout.flush()

    def print_before(self):
        print("| figure | this build | before | ratio | least | most | before's spread | verdict |\n"
              "| --- | --- | --- | --- | --- | --- | --- | --- |")
        for name, row in self.rows.items():
            if "before" not in row["sides"]:
                continue
            ours, theirs = row["sides"]["caravel"], row["sides"]["before"]
            ratios = [a / b if row["better"] == "more" else b / a for a, b in zip(ours, theirs)]
            print(f"| {name} | {statistics.median(ours):.4g} | {statistics.median(theirs):.4g} | "
                  f"{statistics.median(ratios):.3f} | {min(ratios):.3f} | {max(ratios):.3f} | "
                  f"{100 * spread(theirs):.1f} % | {verdict(statistics.median(ratios), theirs)} |")
        print()


def spread(figures):
    """The interquartile range over the median."""
    if len(figures) < 2:
        return 0
    low, middle, high = statistics.quantiles(figures, n=4, method="inclusive")
    return (high - low) / middle


def verdict(ratio, theirs):
    if len(theirs) < FEWEST_ROUNDS:
        return f"too few rounds: {len(theirs)} of {FEWEST_ROUNDS}"
    if ratio < 1 - spread(theirs):
        return f"**worse by {100 * (1 - ratio):.1f} %**, more than the spread"
    return "better by more than the spread" if ratio > 1 + spread(theirs) else "not worse"


def formats(table, rounds, names):
    with_llama = llama_is_there("llama-bench")
    files = models(names)
    for number in range(rounds):
        for name, model in files.items():
            prefill_goal, decode_goal = FORMATS[name]
            for side in builds_in_turn(number):
                figures = latency(model, side=side)
                table.note(f"{name}: prefill 512, tokens/s", side, figures["prefill_tokens_per_second"],
                           figures["prefill_share_of_int8_peak"], prefill_goal)
                table.note(f"{name}: decode, tokens/s", side, figures["decode_tokens_per_second"],
                           figures["decode_share_of_read_bandwidth"], decode_goal)
            if with_llama:
                prefill, decode = llama_bench(model)
                table.note(f"{name}: prefill 512, tokens/s", "llama.cpp", prefill)
                table.note(f"{name}: decode, tokens/s", "llama.cpp", decode)


def openblas(table, rounds, _):
    model = peers.model_file("Q4_1")
    if not (peers.LLAMA_BLAS_BIN / "llama-bench").exists():
        left_out("llama.cpp with OpenBLAS", "it was not built (bench/peers/setup)")
        return
    for _ in range(rounds):
        ours = latency(model, decode=1)
        prefill, _ = llama_bench(model, decode=0, binaries=peers.LLAMA_BLAS_BIN)
        name = "Q4_1: prefill 512, tokens/s"
        table.note(name, "caravel", ours["prefill_tokens_per_second"], ours["prefill_share_of_int8_peak"], 4.0)
        table.note(name, "llama.cpp, OpenBLAS", prefill)


def context(table, rounds, _):
    model = peers.model_file("Q4_1")
    with_llama = llama_is_there("llama-bench")
    decode_name, prefill_name = "decode at 4,096 tokens, tokens/s", "prefill of 2,048 after 2,048, tokens/s"
    for number in range(rounds):
        for side in builds_in_turn(number):
            figures = latency(model, depth=4096, prefill=16, decode=64, side=side)
            table.note(decode_name, side, figures["decode_tokens_per_second"],
                       figures["decode_share_of_read_bandwidth"])
        for flash in (0, 1) if with_llama else ():
            table.note(decode_name, f"llama.cpp -fa {flash}", llama_bench(model, 0, 32, 4096, flash)[1])
        for side in builds_in_turn(number):
            figures = latency(model, depth=2048, prefill=2048, decode=1, side=side)
            table.note(prefill_name, side, figures["prefill_tokens_per_second"], goal=5.0)
        for flash in (0, 1) if with_llama else ():
            table.note(prefill_name, f"llama.cpp -fa {flash}", llama_bench(model, 2048, 0, 2048, flash)[0])


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


def batch(table, rounds, names):
    lengths = request_lengths()
    with_llama = llama_is_there("llama-server")
    files = models([name for name in names if name in BATCHES])
    for number in range(rounds):
        for name, model in files.items():
            title = f"{name}: 32 requests at once, "
            rate_goal, first_goal, memory_goal = BATCHES[name]

            def note(side, rate, share, first, resident):
                table.note(title + "output tokens/s", side, rate, share, rate_goal)
                table.note(title + "median first token, s", side, first, goal=first_goal, better="less")
                table.note(title + "peak resident memory, MiB", side, resident, goal=memory_goal, better="less")

            for side in builds_in_turn(number):
                figures = caravel("throughput", model, "--input-lens", ",".join(map(str, lengths)), "--output-len", 128,
                                  side=side)
                note(side, figures["output_tokens_per_second"], figures["share_of_int8_peak"],
                     figures["median_first_token_seconds"], figures["peak_resident_mib"])
            if with_llama:
                rate, first, resident = llama_batch(model, lengths, 128)
                note("llama.cpp", rate, None, first, resident)


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
    with_llama = llama_is_there("llama-completion")
    name = "command to first token, s"
    for number in range(rounds):
        for side in builds_in_turn(number):
            seconds = first_token([str(BUILDS[side]), "generate", str(model), *peers.CARAVEL_FLAGS, "--prompt", prompt])
            table.note(name, side, seconds, better="less")
        if with_llama:
            table.note(name, "llama.cpp", first_token(
                [str(peers.LLAMA_BIN / "llama-completion"), "-m", str(model), "-t", str(THREADS), "-p", prompt, "-n",
                 "32", "-no-cnv", "--no-display-prompt"]))


def others(table, rounds, _):
    """vLLM and transformers keep their model loaded, so each is one process that measures when it is told to."""
    model = peers.model_file("Q4_1")
    lengths = request_lengths()
    sides = {}
    for side, python in (("transformers F32", peers.PYTHON), ("vLLM BF16", peers.VLLM_PYTHON)):
        if python.exists():
            sides[side] = peers.Worker(python, side.split()[0].lower(), lengths)
        else:
            left_out(side, f"{python} is not there (bench/peers/setup)")
    for _ in range(rounds if sides else 0):
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
    parser.add_argument("--formats", default=",".join(name for name in FORMATS if name not in LARGE),
                        help="models of the sections formats and batch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-amx", action="store_true", help="neither Caravel nor llama.cpp uses AMX")
    parser.add_argument("--before", metavar="BINARY", help="an earlier build of caravel, run in turn with this one")
    parser.add_argument("--json", help="where to write every figure of every round")
    args = parser.parse_args()
    wanted = args.only.split(",")
    if unknown := set(wanted) - set(SECTIONS):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if unknown := set(args.formats.split(",")) - set(FORMATS):
        parser.error(f"no format {', '.join(sorted(unknown))}; there are {', '.join(FORMATS)}")
    if args.without_amx:
        peers.leave_amx_out()
    if args.before:
        BUILDS["before"] = args.before
    for side, binary in BUILDS.items():
        if not os.access(binary, os.X_OK):
            parser.error(f"{side}: no program at {binary}")
    ceilings = [caravel("memory")]
    tables = {}
    for section in wanted:
        print(f"==> {section}", file=sys.stderr)
        tables[section] = Table()
        try:
            globals()[section](tables[section], args.rounds, args.formats.split(","))
        except peers.Absent as absent:
            left_out(section, absent)
        ceilings.append(caravel("memory"))
        if tables[section].rows:
            print(f"### {section}\n")
            tables[section].print()
    middle = {key: statistics.median(one[key] for one in ceilings)
              for key in ("read_gb_per_second", "int8_gmac_per_second", "f32_gmac_per_second")}
    print(f"{THREADS} threads, medians of {args.rounds} rounds in turn. This machine: "
          f"{middle['read_gb_per_second']:.1f} GB/s read, {middle['int8_gmac_per_second']:.0f} GMAC/s int8, "
          f"{middle['f32_gmac_per_second']:.0f} GMAC/s f32 (medians of {len(ceilings)}).")
    if args.json:
        with open(args.json, "w") as out:
            json.dump({"ceilings": ceilings, "tables": {name: table.rows for name, table in tables.items()}}, out,
                      indent=1)


if __name__ == "__main__":
    main()
