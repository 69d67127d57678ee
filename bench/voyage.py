#!/usr/bin/env python3
"""`caravel voyage` with the scripted model (tests/voyager/scripted_llm.py): what its parts are worth, and what it costs.

  bench/voyage.py RUNS [--seeds 10] [--jobs 1] [ablations] [goal] [cost]          (CARAVEL: the binary)

RUNS is a folder; a run that is there and has ended is not made again. Prints Markdown for docs/voyager.md:
  ablations  the whole agent, and without the skill library, the critic, the feedback, and with a random curriculum, to
             160 prompting iterations (rounds of code) each
  goal       a diamond pickaxe in new worlds, with the library that the whole agent learnt and without
  cost       the agent's own time for each model call; memory over 10,000 iterations of replay
Whatever the model is wrong about follows from tests/voyager/scripted_rates.py, which were set beforehand.
"""

import argparse
import concurrent.futures
import json
import math
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/voyager"))

from scripted_llm import Scripted  # noqa: E402

CARAVEL = os.environ.get("CARAVEL") or str(ROOT / "build/release/caravel")
ROUNDS = 160  # the paper's prompting iterations
VARIANTS = {
    "whole agent": [],
    "without skill library": ["--without", "skills"],
    "without critic": ["--without", "critic"],
    "without feedback": ["--without", "feedback"],
    "random curriculum": ["--curriculum", "random"],
}
TIERS = {tier: [f"{name}_{tool}" for tool in ("pickaxe", "axe", "sword", "shovel", "hoe")]
         for tier, name in [("wood", "wooden"), ("stone", "stone"), ("iron", "iron"), ("diamond", "diamond")]}
GOAL = "craft a diamond pickaxe"
GOAL_ROUNDS = 120
STUDENT = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}  # two-sided, 95 %
# Table 1 of arXiv 2305.16291: prompting iterations to each tier, and of how many trials; three trials, 160 at most.
PAPER = [("ReAct", ["0/3"] * 4), ("Reflexion", ["0/3"] * 4),
         ("AutoGPT", ["92 ± 72 (3/3)", "94 ± 72 (3/3)", "135 ± 103 (3/3)", "0/3"]),
         ("Voyager without skill library", ["7 ± 2 (3/3)", "9 ± 4 (3/3)", "29 ± 11 (3/3)", "0/3"]),
         ("Voyager", ["6 ± 2 (3/3)", "11 ± 2 (3/3)", "21 ± 7 (3/3)", "102 (1/3)"])]


def slug(name):
    return name.replace(" ", "_")


def has_ended(folder):
    return (folder / "bench.json").exists()


def processor_seconds():
    """Of all runs that have ended, with their sandboxes."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def voyage(folder, seed, flags, rounds=ROUNDS, **how):
    """Runs to its end, or until so many rounds were asked for; what the endpoint counted is kept beside the run. how: of
    the endpoint.
    """
    if has_ended(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    with Scripted(seed=seed, **how) as server:
        command = [CARAVEL, "voyage", "--llm", server.url, "--llm-model", "scripted", "--embedder", "endpoint", "--plain",
                   "--out", str(folder), "--seed", str(seed), *flags]
        start, before = time.monotonic(), processor_seconds()
        with open(f"{folder}.log", "wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            while process.poll() is None:
                if server.counts["role action"] > rounds:
                    process.send_signal(signal.SIGINT)
                    process.wait(120)
                time.sleep(0.05)
        wall = time.monotonic() - start
        spent = processor_seconds() - before  # where no other run ended meanwhile
        if process.returncode not in (0, 130) and not ("--goal" in flags and process.returncode == 1):  # given up
            sys.exit(f"{' '.join(command)} ended with {process.returncode}: see {folder}.log")
        (folder / "bench.json").write_text(json.dumps({"wall": wall, "busy": server.busy_seconds,
                                                       "processor": spent,
                                                       "counts": dict(server.counts)}))


class Run:
    """What a run's record holds, to its first `rounds` rounds."""

    def __init__(self, folder, rounds=ROUNDS):
        record = sqlite3.connect(f"file:{folder}/voyage.db?mode=ro", uri=True)
        steps = [json.loads(row) for (row,) in record.execute("SELECT row FROM step ORDER BY iteration, round")][:rounds]
        self.calls = record.execute("SELECT count(*) FROM call").fetchone()[0]
        self.iterations = [json.loads(row) for (row,) in record.execute("SELECT row FROM iteration ORDER BY number")]
        self.bench = json.loads((folder / "bench.json").read_text())
        self.verdicts = [(step["judged"], step["checked"]) for step in steps]
        self.used = sum(bool(step["skills_used"]) for step in steps)
        self.first = {}  # item: round
        for number, step in enumerate(steps, 1):
            for event in step["events"]:
                if event["kind"] == "item":
                    self.first.setdefault(event["text"], number)

    def tier(self, tier):
        """The round that reached it; nothing: none did."""
        return min((self.first[item] for item in TIERS[tier] if item in self.first), default=None)


def mean_interval(values):
    """Mean and half of its 95 % interval, by Student's t."""
    if len(values) < 2:
        return f"{values[0]:.0f}" if values else ""
    half = STUDENT.get(len(values) - 1, 2.0) * statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.mean(values):.1f} ± {half:.1f}"


def share_interval(hits, of):
    """Wilson's 95 % interval, in percent."""
    z = 1.96
    share = hits / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return f"{100 * share:.1f} % ({100 * (middle - half):.1f} to {100 * (middle + half):.1f})"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| " + " | ".join(["---"] * len(head)) + " |")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def all_runs(jobs, tasks):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(voyage, *task) for task in tasks]):
            done.result()


def ablations(folder, seeds, jobs):
    all_runs(jobs, [(folder / f"{slug(name)}-{seed}", seed, ["--iterations", str(ROUNDS), *flags])
                    for seed in seeds for name, flags in VARIANTS.items()])
    runs = {name: [Run(folder / f"{slug(name)}-{seed}") for seed in seeds] for name in VARIANTS}
    print(f"Scripted: {len(seeds)} seeds, {ROUNDS} prompting iterations; mean with 95 % interval over the seeds, and how "
          "many of them reached it.\n")
    rows = []
    for name, of in runs.items():
        row = [name, mean_interval([len(run.first) for run in of])]
        for tier in TIERS:
            reached = [run.tier(tier) for run in of if run.tier(tier)]
            row.append(f"{mean_interval(reached)} ({len(reached)}/{len(of)})".strip())
        rows.append([*row, mean_interval([sum(i["success"] for i in run.iterations) for run in of])])
    table(["scripted model, mini world", "unique items", *(f"to {tier}" for tier in TIERS), "tasks done"], rows)
    print("The paper's own (Table 1 of arXiv 2305.16291: GPT-4, Minecraft, three trials):\n")
    table(["GPT-4, Minecraft", *(f"to {tier}" for tier in TIERS)], [[name, *cells] for name, cells in PAPER])

    print("The critic's word beside the world's own, over all rounds that both judged:\n")
    rows = []
    for name, of in runs.items():
        verdicts = [pair for run in of for pair in run.verdicts if None not in pair]
        if verdicts:
            done = [judged for judged, checked in verdicts if checked]
            undone = [judged for judged, checked in verdicts if not checked]
            rows.append([name, len(verdicts), share_interval(sum(a == b for a, b in verdicts), len(verdicts)),
                         f"{len(done) - sum(done)} of {len(done)}", f"{sum(undone)} of {len(undone)}"])
    table(["runs", "verdicts", "right", "done, said undone", "undone, said done"], rows)

    print("What the model and the endpoint did wrong, over all runs:\n")
    counts = {}
    for of in runs.values():
        for run in of:
            for what, many in run.bench["counts"].items():
                counts[what] = counts.get(what, 0) + many
    table(["what", "times"], [(what, counts[what]) for what in sorted(counts)])


def goal(folder, seeds, jobs):
    """New worlds: of other seeds than those in which the libraries were learnt."""
    all_runs(jobs, [(folder / f"whole_agent-{seed}", seed, ["--iterations", str(ROUNDS)]) for seed in seeds])
    variants = {"with the library": lambda seed: ["--skills", str(folder / f"whole_agent-{seed}" / "skills")],
                "without": lambda seed: []}
    all_runs(jobs, [(folder / f"goal-{slug(name)}-{seed}", seed + 1000, ["--goal", GOAL, *flags(seed)], GOAL_ROUNDS)
                    for seed in seeds for name, flags in variants.items()])
    rows = []
    for name in variants:
        of = [Run(folder / f"goal-{slug(name)}-{seed}", GOAL_ROUNDS) for seed in seeds]
        reached = [run.first["diamond_pickaxe"] for run in of if "diamond_pickaxe" in run.first]
        rows.append([name, f"{len(reached)}/{len(of)}", mean_interval(reached),
                     mean_interval([run.used for run in of])])
    print(f'`--goal "{GOAL}"` in a new world, {len(seeds)} seeds, {GOAL_ROUNDS} prompting iterations at most:\n')
    table(["scripted", "reached", "prompting iterations", "rounds that called a skill"], rows)


def trivial(role, seen):
    """Answers that ask nothing of the world."""
    return {"propose": '{"reasoning": "none", "task": "Explore the world"}',
            "action": "```lua\nfunction look(bot)\n  bot:chat('looked')\nend\n```",
            "critic": '{"reasoning": "none", "success": false, "critique": "look again"}',
            "describe": "Looks around."}.get(role)


def memory_of(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024  # MiB


def cost(folder):
    many = 10_000
    run = folder / "idle"
    voyage(run, 1, ["--iterations", str(many), "--rounds", "1"], 10**9, script=trivial, faults={})
    record = Run(run, 10**9)
    calls = record.calls
    own = (record.bench["wall"] - record.bench["busy"]) / record.calls
    print(f"Own time, with the world's steps, the sandbox's processes and the record: {1000 * own:.1f} ms for each of "
          f"{record.calls} model calls (a run of {many} iterations in {record.bench['wall']:.0f} s, less the endpoint's "
          f"{record.bench['busy']:.0f} s), of which {1000 * record.bench['processor'] / record.calls:.1f} ms are the "
          "processor's.\n")
    again = folder / "idle-replayed"
    shutil.rmtree(again, ignore_errors=True)
    process = subprocess.Popen([CARAVEL, "voyage", "--replay", str(run), "--out", str(again), "--plain"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    start, errors = time.monotonic(), []
    threading.Thread(target=lambda: errors.append(process.stderr.read()), daemon=True).start()
    seen = {}
    while process.poll() is None:
        try:
            record = sqlite3.connect(f"file:{again}/voyage.db?mode=ro", uri=True)
            number = record.execute("SELECT max(number) FROM iteration").fetchone()[0] or 0
            seen.setdefault(number // 1000, memory_of(process))
        except (sqlite3.Error, OSError, StopIteration):
            pass
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"the replay ended with {process.returncode}: {errors}")
    wall = time.monotonic() - start
    print(f"The replay: {wall:.0f} s, {1000 * wall / calls:.1f} ms for each call, with the page and all files.\n")
    print("Memory of the replay (resident, MiB) by iterations: "
          + ", ".join(f"{1000 * thousand}: {size:.0f}" for thousand, size in sorted(seen.items())) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("parts", nargs="*", default=["ablations", "goal", "cost"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1)
    flags = parser.parse_intermixed_args()
    flags.runs.mkdir(parents=True, exist_ok=True)
    seeds = range(1, flags.seeds + 1)
    if "ablations" in flags.parts:
        ablations(flags.runs, seeds, flags.jobs)
    if "goal" in flags.parts:
        goal(flags.runs, seeds, flags.jobs)
    if "cost" in flags.parts:
        cost(flags.runs)


if __name__ == "__main__":
    main()
