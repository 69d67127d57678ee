#!/usr/bin/env python3
"""The study of docs/nuggets.md: golden scores of real instruction data, by several task sets and models, and what
deciding early spares and gets wrong (build/peers/venv/bin/python bench/prospect_study.py; needs numpy and matplotlib).

  bench/prospect_study.py RUNS [--data FILE] [--user-tasks FILE] [--plot docs/prospect_study.png]

RUNS is a folder; a run that is there is not made again, one that was stopped goes on. The runs:
  kmeans    all rows of --data with 100 tasks by k-means out of them, SmolLM2, by the chat's template
  random    250 of the rows with 100 tasks drawn at random
  user      250 with 100 tasks of --user-tasks
  gemma     250 with kmeans' tasks by Gemma 3 270M, which has no chat template, so by the paper's
and of kmeans' rows and tasks again --decide, --race and --halving, whose pairs are in the store by then: that says what
they would have spared. Prints Markdown. About an hour and a half on two quiet cores.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
CARAVEL = pathlib.Path(os.environ.get("CARAVEL") or ROOT / "build/release/caravel")
DATA = ROOT.parent / "shared/data"
SUBSET = 250
TASKS = 100
SEED = 1


def caravel(*arguments):
    command = [str(CARAVEL), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")


class Run:
    """A finished run as its folder has it."""

    def __init__(self, folder, name):
        self.name = name
        lines = [json.loads(line) for line in open(folder / name / "scores.jsonl", encoding="utf-8")]
        self.rows = {row_number(line): line for line in lines if "problem" not in line}
        self.gains = {row_number(line): gains for line, gains in zip(lines, np.load(folder / name / "gains.npy"))
                      if "problem" not in line}

    def column(self, key, rows=None):
        return np.array([self.rows[row][key] for row in rows or sorted(self.rows)], float)


def row_number(line):
    """Of the whole data file: rows of the subset carry it as their id."""
    return int(line["id"]) if line["id"].isdigit() else line["row"]


def choose_tasks(folder, name, *flags):
    tasks = folder / f"{name}_tasks.json"
    if not tasks.exists():
        caravel("prospect", "tasks", *flags, "--seed", SEED, "-o", tasks)
    return tasks


def make(folder, name, data, tasks, *flags):
    if not (folder / name / "run.json").exists():
        print(f"==> {name}", file=sys.stderr, flush=True)
        caravel("prospect", "score", "--data", data, "--tasks", tasks, "--out", folder / name, "--store",
                folder / "scores.db", "--seed", SEED, *flags)
    return Run(folder, name)


def ranks(values):
    """Equal values share the mean of their ranks."""
    values = np.asarray(values, float)
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[places]


def rank_correlation(ones, others):
    """Spearman's."""
    return float(np.corrcoef(ranks(ones), ranks(others))[0, 1])


def with_interval(ones, others, samples=1000):
    """Spearman's with its 95 % interval by the bootstrap over candidates."""
    ones, others = np.asarray(ones), np.asarray(others)
    rng = np.random.default_rng(SEED)
    picks = rng.integers(len(ones), size=(samples, len(ones)))
    low, high = np.quantile([rank_correlation(ones[pick], others[pick]) for pick in picks], [0.025, 0.975])
    return f"{rank_correlation(ones, others):.2f} ({low:.2f} to {high:.2f})"


def halves(run, splits=50):
    """How alike two halves of the tasks rank the candidates, and what that says of all tasks (Spearman and Brown)."""
    rng = np.random.default_rng(SEED)
    gains = np.array([run.gains[row] for row in sorted(run.gains)])
    found = []
    for _ in range(splits):
        order = rng.permutation(gains.shape[1])
        one, other = (np.nanmean(np.where(np.isnan(part), np.nan, part > 0), axis=1)
                      for part in np.array_split(gains[:, order], 2, axis=1))
        found.append(rank_correlation(one, other))
    half = float(np.mean(found))
    return half, 2 * half / (1 + half)


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


def describe_runs(runs):
    rows = []
    for run in runs:
        gs = run.column("gs")
        low, middle, high = np.quantile(gs, [0.1, 0.5, 0.9])
        half, whole = halves(run)
        pairs = sum(row["tasks"] for row in run.rows.values())
        rows.append([run.name, len(gs), f"{pairs:,}", f"{middle:.2f}",
                     f"{low:.2f} to {high:.2f}", f"{100 * np.mean(gs >= 0.5):.0f} %", f"{100 * np.mean(gs >= 0.8):.0f} %",
                     f"{np.mean([row['interval'][1] - row['interval'][0] for row in run.rows.values()]):.2f}",
                     f"{half:.2f}, {whole:.2f}"])
    print("### Runs\n")
    table(["run", "candidates", "pairs", "GS, median", "10 to 90 %", "at least 0.5", "at least 0.8",
           "interval's width", "halves, all tasks"], rows)


def compare_runs(runs, subset):
    """Each pair of runs over the rows that both have."""
    print("### How far runs agree\n")
    rows = []
    for number, one in enumerate(runs):
        for other in runs[number + 1:]:
            both = [row for row in subset if row in one.rows and row in other.rows]
            best = [set(sorted(both, key=lambda row: (-run.rows[row]["gs"], -run.rows[row]["gain"]))[: len(both) // 5])
                    for run in (one, other)]
            rows.append([f"{one.name}, {other.name}", len(both),
                         *(with_interval(one.column(key, both), other.column(key, both)) for key in ("gs", "gain")),
                         f"{100 * len(best[0] & best[1]) / len(best[0]):.0f} %"])
    table(["runs", "candidates", "GS, rank correlation", "gain", "best fifth in common"], rows)


def compare_baselines(runs):
    print("### What GS follows (rank correlation)\n")
    rows = []
    for run in runs:
        gs = run.column("gs")
        rows.append([run.name, *(with_interval(gs, run.column(key)) for key in ("answer_tokens", "perplexity", "ifd")),
                     with_interval(gs, run.column("gain"))])
    table(["run", "answer's tokens", "answer's perplexity", "IFD", "mean gain"], rows)


def compare_early(folder, data, tasks, whole):
    """What deciding early takes and gets wrong, against the whole run."""
    print("### Deciding early\n")
    pairs = sum(row["tasks"] for row in whole.rows.values())
    rows = []
    for threshold in (0.5, 0.7):
        truth = {row for row, line in whole.rows.items() if line["gs"] >= threshold - 1e-9}
        for flag in ("decide", "race"):
            run = make(folder, f"{flag}{threshold}", data, tasks, f"--{flag}", threshold)
            chosen = {row for row, line in run.rows.items() if line["gs"] >= threshold - 1e-9}
            taken = sum(row["tasks"] for row in run.rows.values())
            rows.append([f"`--{flag} {threshold}`", f"{100 * taken / pairs:.0f} %", len(truth), len(truth - chosen),
                         len(chosen - truth)])
    for count in (55, 220):
        run = make(folder, f"halving{count}", data, tasks, "--halving", count)
        best = [set(sorted(one.rows, key=lambda row: (-one.rows[row]["gs"], -one.rows[row]["gain"], row))[:count])
                for one in (whole, halved(run))]
        taken = sum(row["tasks"] for row in run.rows.values())
        rows.append([f"`--halving {count}`", f"{100 * taken / pairs:.0f} %", count, len(best[0] - best[1]),
                     len(best[1] - best[0])])
    table(["", "pairs that it takes", "should be chosen", "missed", "chosen wrongly"], rows)


def halved(run):
    """Of a run by halving, the candidates that came to its last round: those that saw all tasks."""
    most = max(row["tasks"] for row in run.rows.values())
    run.rows = {number: row for number, row in run.rows.items() if row["tasks"] >= most - 1}  # one may be its own
    return run


def show_examples(run, data, count=3):
    print("### The best and the worst of kmeans\n")
    order = sorted(run.rows, key=lambda row: (-run.rows[row]["gs"], -run.rows[row]["gain"]))
    rows = []
    for row in order[:count] + order[-count:]:
        said = data[row - 1]
        cells = [" ".join(said[key].split()) for key in ("instruction", "input", "output")]
        rows.append([f"{run.rows[row]['gs']:.2f}", f"{run.rows[row]['gain']:+.3f}",
                     *(cell if len(cell) < 90 else cell[:88] + "..." for cell in cells)])
    table(["GS", "gain", "instruction", "input", "output"], rows)


def draw(runs, subset, out):
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams.update({"font.size": 9})
    from matplotlib import pyplot

    by_name = {run.name: run for run in runs}
    whole = by_name["kmeans"]
    figure, axes = pyplot.subplots(2, 2, figsize=(9, 7), layout="constrained")
    axis = axes[0][0]
    for run in runs:
        counts, edges = np.histogram(run.column("gs"), bins=np.linspace(0, 1, 26))
        axis.stairs(100 * counts / counts.sum(), edges, label=run.name)
    axis.set(title="golden scores", xlabel="GS", ylabel="% of the candidates")
    axis.legend()
    for axis, name in ((axes[0][1], "random"), (axes[1][0], "gemma")):
        both = [row for row in subset if row in whole.rows and row in by_name[name].rows]
        axis.scatter(whole.column("gs", both), by_name[name].column("gs", both), s=8, alpha=0.5)
        axis.set(title=f"the same {len(both)} candidates, kmeans and {name}", xlabel="GS, kmeans", ylabel=f"GS, {name}",
                 xlim=(0, 1), ylim=(0, 1))
    axis = axes[1][1]
    axis.scatter(whole.column("answer_tokens"), whole.column("gs"), s=6, alpha=0.4)
    axis.set(title="GS and the answer's length, kmeans", xlabel="tokens of the answer", ylabel="GS", xscale="log")
    for axis in axes.flat:
        axis.grid(alpha=0.3)
    figure.savefig(out, dpi=110, metadata={"Software": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, default=DATA / "instruction_1100.json")
    parser.add_argument("--user-tasks", type=pathlib.Path, default=DATA / "user_oriented_instructions.jsonl")
    parser.add_argument("--plot", type=pathlib.Path, default=ROOT / "docs/prospect_study.png")
    options = parser.parse_args()
    folder = options.runs
    folder.mkdir(parents=True, exist_ok=True)

    data = json.loads(options.data.read_text())
    subset = sorted(random.Random(SEED).sample(range(1, len(data) + 1), SUBSET))
    some = folder / "some.json"
    some.write_text(json.dumps([{"id": str(row), **data[row - 1]} for row in subset]))
    kmeans = choose_tasks(folder, "kmeans", "--data", options.data, "--kmeans", TASKS)
    drawn = choose_tasks(folder, "random", "--data", options.data, "--random", TASKS)
    user = choose_tasks(folder, "user", "--data", options.user_tasks, "--random", TASKS)
    runs = [make(folder, "kmeans", options.data, kmeans),
            make(folder, "random", some, drawn),
            make(folder, "user", some, user),
            make(folder, "gemma", some, kmeans, "--template", "alpaca", "--model", "gemma3-270m")]
    describe_runs(runs)
    compare_runs(runs, subset)
    compare_baselines(runs)
    compare_early(folder, options.data, kmeans, runs[0])
    show_examples(runs[0], data)
    draw(runs, subset, options.plot)


if __name__ == "__main__":
    main()
