#!/usr/bin/env python3
"""What `caravel prospect score` costs: how that grows, and against what the same engine does otherwise.

  build/peers/venv/bin/python bench/prospect.py [--only growth,estimate,rate,memory] [--data FILE] [--rounds 3]
      [--plot docs/prospect_growth.svg]

Sections:
  growth    a tiny model of the tests: 100 to 10,000 candidates, 10 to 1,000 tasks, one thread to all; draws the plot
            (needs numpy and matplotlib)
  estimate  what --estimate says of tokens, seconds and memory, and what the run then takes: within 20 %
  rate      tokens a second of the whole command beside those of `bench throughput` with prompts alone: at most its time
            over 0.85, without counting the LM head at the answers
  memory    the peak beside that of `caravel serve` with 32 requests at once: at most 1.2 times
All but growth are of SmolLM2 and the first rows of --data. Exits with 1 where a demand is not met.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import serving
from serving import CARAVEL, ROOT

PROCESSORS = len(os.sched_getaffinity(0))
failures = []


def demand(holds, what):
    if not holds:
        failures.append(what)
    print(f"  {'ok  ' if holds else 'FAIL'} {what}", flush=True)


def run(*arguments):
    """(stderr, seconds, peak memory in MiB) of a command that has to end well."""
    with tempfile.TemporaryFile("w+") as told:
        start = time.monotonic()
        process = subprocess.Popen([str(CARAVEL), *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=told)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        text = told.read()
    if process.returncode:
        sys.exit(f"caravel {' '.join(map(str, arguments))} ended with {process.returncode}:\n{text}")
    return text, seconds, used.ru_maxrss / 1024


def score(folder, data, tasks, *flags):
    """The same of a `prospect score` that begins from nothing, and the tokens that it computed."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        told, seconds, peak = run("prospect", "score", "--data", data, "--tasks", tasks, "--out", out, *flags)
    return seconds, peak, int(re.search(r"\((\d+) tokens in all\)", told)[1])


def write_rows(path, rows):
    path.write_text(json.dumps(rows))
    return path


def made_up(count, rng):
    """Short rows, no two alike."""
    words = ["".join(rng.choice("bcdfglmnprst") + rng.choice("aeiou") for _ in range(2)) for _ in range(200)]
    return [{"instruction": " ".join(rng.sample(words, 4)), "input": "", "output": " ".join(rng.sample(words, 3))}
            for _ in range(count)]


def growth(folder, options):
    template = folder / "short.yaml"
    template.write_text('primary_content: "{instruction}"\ncue: "="\n')
    model = ROOT / "tests/fixtures/models/llama3"
    rng = random.Random(1)
    candidates, tasks = made_up(10000, rng), made_up(1000, rng)

    def measure(n, m, *flags):
        data, of_tasks = (write_rows(folder / f"{name}.json", rows)
                          for name, rows in (("data", candidates[:n]), ("tasks", tasks[:m])))
        runs = [score(folder, data, of_tasks, "--model", model, "--template", template, *flags)
                for _ in range(options.rounds)]
        seconds, peak, tokens = (statistics.median(column) for column in zip(*runs))
        print(f"  {n:6} candidates, {m:5} tasks {' '.join(map(str, flags))}: {seconds:8.2f} s, {tokens:10,.0f} tokens, "
              f"{tokens / seconds:8,.0f} tokens/s, {peak:5.0f} MiB", flush=True)
        return seconds, peak, tokens

    by_candidates = [(n, *measure(n, 10)) for n in (100, 300, 1000, 3000, 10000)]
    by_tasks = [(m, *measure(100, m)) for m in (10, 30, 100, 300, 1000)]
    by_threads = [(threads, *measure(1000, 30, "--threads", threads))
                  for threads in sorted({1, 2, 4, 8, 16, PROCESSORS}) if threads <= PROCESSORS]
    for name, points in (("candidates", by_candidates), ("tasks", by_tasks)):
        (small, before, _, _), (large, after, _, _) = points[-3], points[-1]
        demand(after / before <= 1.2 * large / small, f"time is linear in the {name}: {large / small:.0f} times as many "
               f"take {after / before:.1f} times as long")

    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "caravel", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(9, 6.5), layout="constrained")
    panels = [("seconds, 10 tasks", "candidates", by_candidates, 1), ("seconds, 100 candidates", "tasks", by_tasks, 1),
              ("peak memory, MiB, 10 tasks", "candidates", by_candidates, 2)]
    for axis, (title, label, points, column) in zip(axes.flat, panels):
        xs, ys = [point[0] for point in points], [point[column] for point in points]
        axis.plot(xs, ys, marker="o")
        if column == 1:
            axis.plot(xs, [ys[-1] * x / xs[-1] for x in xs], linestyle=":", color="gray", label="in proportion")
            axis.set_yscale("log")
            axis.legend()
        else:
            axis.set_ylim(bottom=0)
        axis.set(title=title, xlabel=label, xscale="log")
    axis = axes[1][1]
    axis.plot([point[0] for point in by_threads], [point[3] / point[1] for point in by_threads], marker="o")
    axis.set(title="tokens/s, 1,000 candidates, 30 tasks", xlabel="threads", xticks=[point[0] for point in by_threads])
    axis.set_ylim(bottom=0)
    for axis in axes.flat:
        axis.grid(alpha=0.3)
    figure.savefig(options.plot, metadata={"Date": None})


def inputs(folder, options, candidates=60, tasks=20):
    rows = json.loads(options.data.read_text())
    return (write_rows(folder / "candidates.json", rows[:candidates]),
            write_rows(folder / "tasks.json", rows[-tasks:]))


def estimate(folder, options):
    data, tasks = inputs(folder, options)
    for round_number in range(options.rounds):
        told, took, _ = run("prospect", "score", "--data", data, "--tasks", tasks, "--out",
                            folder / f"estimate{round_number}", "--estimate")
        found = re.search(r"(\d+) tokens; ([\d.]+) s at [\d.]+ tokens a second; ([\d.]+) (MiB|GiB)", told)
        memory = float(found[3]) * (1024 if found[4] == "GiB" else 1)
        seconds, peak, tokens = score(folder, data, tasks)
        print(f"  told in {took:.1f} s: {int(found[1]):,} tokens, {found[2]} s, {memory:.0f} MiB; then {tokens:,} tokens, "
              f"{seconds:.1f} s, {peak:.0f} MiB")
        for name, said, is_so in (("tokens", int(found[1]), tokens), ("seconds", float(found[2]), seconds),
                                  ("memory", memory, peak)):
            demand(0.8 <= said / is_so <= 1.2, f"{name}: {said / is_so:.2f} of what it takes")


def rate(folder, options):
    data, tasks = inputs(folder, options)
    ratios = []
    for _ in range(options.rounds):
        seconds, _, tokens = score(folder, data, tasks)
        prefill = json.loads(subprocess.run(
            [str(CARAVEL), "bench", "throughput", "--json", "--input-lens", ",".join(["512"] * 32), "--output-len", "1"],
            capture_output=True, text=True, check=True).stdout)
        speed = prefill["total_tokens_per_second"]
        ratios.append(seconds / (tokens / speed))
        print(f"  {tokens:,} tokens in {seconds:.1f} s, {tokens / seconds:.0f} a second; bench throughput: {speed:.0f}")
    middle = statistics.median(ratios)
    demand(middle <= 1 / 0.85, f"{middle:.3f} times the time of so many tokens of prompts (at most {1 / 0.85:.3f})")


async def load(server, prompts):
    body = {"max_tokens": 64, "temperature": 0, "ignore_eos": True}
    answers = await asyncio.gather(*(serving.ask(server.port, "/v1/completions", {**body, "prompt": prompt})
                                     for prompt in prompts))
    return [status for status, _ in answers]


def memory(folder, options):
    data, tasks = inputs(folder, options)
    rows = json.loads(options.data.read_text())
    prompts = [" ".join(row["instruction"] + " " + row["output"] for row in rows[number::32])[:2000]
               for number in range(32)]
    _, ours, _ = score(folder, data, tasks)
    with serving.Server() as server:
        statuses = asyncio.run(load(server, prompts))
        theirs = server.memory_mib("VmHWM")
    demand(set(statuses) == {200}, f"32 requests at once are answered ({set(statuses)})")
    demand(ours <= 1.2 * theirs, f"peak memory {ours:.0f} MiB, {ours / theirs:.2f} times caravel serve's {theirs:.0f}")


SECTIONS = {"growth": growth, "estimate": estimate, "rate": rate, "memory": memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plot", type=pathlib.Path, default=ROOT / "docs/prospect_growth.svg")
    options = parser.parse_args()
    if options.data is None:
        rows = ROOT.parent / "shared/data/instruction_1100.json"
        options.data = rows if rows.exists() else ROOT / "examples/instructions.json"
    for name in options.only.split(","):
        print(f"==> {name}", flush=True)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="caravel-prospect-"))
        try:
            SECTIONS[name](folder, options)
        finally:
            shutil.rmtree(folder)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
