#!/usr/bin/env python3
"""`caravel voyage` with the scripted model (tests/voyager/scripted_llm.py): what its parts are worth, and what it costs.

  bench/voyage.py RUNS [--seeds 10] [--jobs 1] [ablations] [goal] [cost]          (CARAVEL: the binary)
  bench/voyage.py RUNS --world minecraft [--seeds 5] [--jobs 1] [ablations] [diamond]

RUNS is a folder; a run that is there and has ended is not made again. Prints Markdown for docs/voyager.md:
  ablations  the whole agent, and without the skill library, the critic, the feedback, and with a random curriculum, to
             160 prompting iterations (rounds of code) each; in minecraft, whose time is a clock's, the first three of
             them, to the iron pickaxe or 160
  diamond    of minecraft: the whole agent's runs gone on with, by a raised --budget, to the diamond pickaxe
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
MINECRAFT = ["whole agent", "without skill library", "without critic"]
CALLS, RAISED_CALLS = 800, 4000  # --budget in minecraft, and what it is raised to
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


def has_said(log, text):
    return text.encode() in pathlib.Path(log).read_bytes()


def voyage(folder, seed, flags, rounds=ROUNDS, until=None, **how):
    """Runs to its end, or until so many rounds were asked for, or it is told that it has the item `until`; what the
    endpoint counted is kept beside the run. how: of the endpoint.
    """
    if has_ended(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    pathlib.Path(f"{folder}.log").unlink(missing_ok=True)
    go(folder, seed, ["--embedder", "endpoint", "--seed", str(seed), *flags], rounds, until, **how)


def go_on(first, folder, seed, flags, rounds, until):
    """A copy of the run `first`, with further flags."""
    if has_ended(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(first, folder, ignore=shutil.ignore_patterns("bench.json"))
    pathlib.Path(f"{folder}.log").unlink(missing_ok=True)
    go(folder, seed, ["--resume", *flags], rounds, until)


def go(folder, seed, flags, rounds, until, **how):
    """One process of a run."""
    with Scripted(seed=seed, **how) as server:
        command = [CARAVEL, "voyage", "--llm", server.url, "--llm-model", "scripted", "--plain", "--out", str(folder), *flags]
        start, before = time.monotonic(), processor_seconds()
        with open(f"{folder}.log", "ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            while process.poll() is None:
                if server.counts["role action"] > rounds or until and has_said(log.name, f"has {until} for the first"):
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


def reached_of(reached, of):
    """Prompting iterations of those that reached it, and how many of all did."""
    return f"{mean_interval(reached)} ({len(reached)}/{len(of)})".strip()


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("| " + " | ".join(["---"] * len(head)) + " |")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def all_runs(jobs, tasks, make=voyage):
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(make, *task) for task in tasks]):
            done.result()


def ablations(folder, seeds, jobs, world):
    own = world == "mini"
    variants = {name: flags for name, flags in VARIANTS.items() if own or name in MINECRAFT}
    bounds = [] if own else ["--world", world, "--budget", f"calls={CALLS}"]
    until = None if own else "iron_pickaxe"
    all_runs(jobs, [(folder / f"{slug(name)}-{seed}", seed, ["--iterations", str(ROUNDS), *bounds, *flags], ROUNDS, until)
                    for name, flags in variants.items() for seed in seeds])
    runs = {name: [Run(folder / f"{slug(name)}-{seed}") for seed in seeds] for name in variants}
    print(f"Scripted: {len(seeds)} seeds, {ROUNDS} prompting iterations{f' or to the {until}' if until else ''}; mean with "
          "95 % interval over the seeds, and how many of them reached it.\n")
    tiers = [tier for tier in TIERS if own or tier != "diamond"]
    rows = []
    for name, of in runs.items():
        row = [name, mean_interval([len(run.first) for run in of])]
        for tier in tiers:
            reached = [run.tier(tier) for run in of if run.tier(tier)]
            row.append(reached_of(reached, of))
        rows.append([*row, mean_interval([sum(i["success"] for i in run.iterations) for run in of])])
        if not own:
            reached = [run.first[until] for run in of if until in run.first]
            rows[-1] += [reached_of(reached, of), f"{statistics.median(run.bench['wall'] for run in of):.0f} s"]
    table([f"scripted model, {world} world", "unique items", *(f"to {tier}" for tier in tiers), "tasks done",
           *([] if own else [f"to the {until}", "median time of a run"])], rows)
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


def diamond(folder, seeds, jobs, world):
    """From where the whole agent's runs ended. Rounds are counted from the beginning."""
    until = "diamond_pickaxe"
    names = [f"whole_agent-{seed}" for seed in seeds]
    all_runs(jobs, [(folder / name, folder / f"diamond-{seed}", seed, ["--budget", f"calls={RAISED_CALLS}"], ROUNDS, until)
                    for seed, name in zip(seeds, names)], go_on)
    of = [Run(folder / f"diamond-{seed}", 10**9) for seed in seeds]
    reached = [run.first[until] for run in of if until in run.first]
    print(f"With `--budget` raised from {CALLS} to {RAISED_CALLS} calls, {ROUNDS} more prompting iterations at most: "
          f"{until} in {reached_of(reached, of)}; {world} world.\n")


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
    parser.add_argument("parts", nargs="*", help="all of the world's, if left out")
    parser.add_argument("--world", choices=["mini", "minecraft"], default="mini")
    parser.add_argument("--seeds", type=int, help="how many, from 1 on (default: 10, 5 of minecraft)")
    parser.add_argument("--jobs", type=int, default=1)
    flags = parser.parse_intermixed_args()
    flags.runs.mkdir(parents=True, exist_ok=True)
    own = flags.world == "mini"
    seeds = range(1, (flags.seeds or (10 if own else 5)) + 1)
    known = ["ablations", "goal", "cost"] if own else ["ablations", "diamond"]
    parts = flags.parts or known
    if set(parts) - set(known):
        parser.error(f"parts of {flags.world}: {', '.join(known)}")
    if "ablations" in parts:
        ablations(flags.runs, seeds, flags.jobs, flags.world)
    if "diamond" in parts:
        diamond(flags.runs, seeds, flags.jobs, flags.world)
    if "goal" in parts:
        goal(flags.runs, seeds, flags.jobs)
    if "cost" in parts:
        cost(flags.runs)


if __name__ == "__main__":
    main()
