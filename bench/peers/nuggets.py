#!/usr/bin/env python3
"""`caravel prospect score` against the published method of Nuggets done with transformers (nuggets_method.py), on the
same candidates and tasks, in turn.

  build/peers/venv/bin/python bench/peers/nuggets.py [--only truth,quantised,speed] [--template alpaca|chat]
      [--compat original] [--data FILE] [--tasks FILE] [--candidates 30] [--task-count 20] [--rounds 3] [--json OUT]
                                                                                          (bench/peers/setup first)

Sections:
  truth      the same F32 weights on both sides (the default model's, dequantised), the peer's softmax and mean in
             double: every win must be equal unless the gain is under 0.001 nats; how far the scores are apart
  quantised  Caravel from the Q4_1 file: rank correlation (Spearman's) of GS and of the mean gain with the peer's in F32
  speed      seconds for the same scores, Caravel from the Q4_1 file, with and without --decide, whole command; the peer
             without loading its model:
               published    batches of tasks, nothing shared, the logits of whole sequences
               answers      the same, with the LM head at the answers' tokens alone
               cache        that, helped by transformers' own prefix cache
               bf16         published, in BF16, where the processor multiplies that in hardware
             and the tokens that Caravel computed, against m Lt + N (Lz + m Lt)

Candidates are the first rows of --data, tasks the last rows of --tasks (the same file by default). Without --data both
come from the 1,100 rows beside the project where they are, else from its own examples. Speed takes --speed-candidates of
the candidates. Exits with 1 where a win differs. Prints Markdown.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

import nuggets_method as method
import peers

CLOSE = 0.001  # nats; a gain under it may fall on either side
GOALS = {("published", "score"): 10, ("published", "decide"): 20, ("cache", "score"): 4, ("bf16", "score"): 3}


def default_data():
    rows = peers.ROOT.parent / "shared/data/instruction_1100.json"
    return rows if rows.exists() else peers.ROOT / "examples/instructions.json"


class Sides:
    """What both sides are given, and the peer's models as they are asked for."""

    def __init__(self, options):
        self.options = options
        self.folder = peers.PEERS / f"models/{options.model}-f32"
        peers.write_dequantised(options.model, self.folder)
        self.scorers = {}
        self.candidate_rows = method.read_rows(options.data)[: options.candidates]
        self.task_rows = method.read_rows(options.tasks)[-options.task_count:]
        self.prompts = method.Prompts(self.scorer().tokenizer, options.template, options.compat == "original")
        self.candidates = [self.prompts.candidate(row) for row in self.candidate_rows]
        self.tasks = [self.prompts.task(row) for row in self.task_rows]
        if options.template == "chat":
            for z in self.candidate_rows:
                for task in self.task_rows:
                    self.prompts.template.check(z, task)

    def scorer(self, dtype=torch.float32):
        if dtype not in self.scorers:
            self.scorers[dtype] = method.Scorer(self.folder, dtype, self.options.batch)
        return self.scorers[dtype]


def run_peer(scorer, prompts, candidates, tasks, how=method.exact):
    """({(candidate, task): (one-shot, zero-shot)} by number, seconds)."""
    start = time.monotonic()
    zero = scorer.zero_shot(how, prompts, tasks)
    pairs = {}
    for number, candidate in enumerate(candidates):
        for task, one in scorer.one_shot(how, candidate, tasks).items():
            pairs[number, task] = one, zero[task]
    return pairs, time.monotonic() - start


def json_lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def run_caravel(model, candidate_rows, task_rows, template, *flags):
    """({"scores": by row, "details": [...], "tokens": that the engine computed}, seconds of the whole command)."""
    with tempfile.TemporaryDirectory(prefix="nuggets-") as folder:
        data, tasks, out = (pathlib.Path(folder, name) for name in ("data.json", "tasks.json", "run"))
        for path, rows in ((data, candidate_rows), (tasks, task_rows)):
            path.write_text(json.dumps([{"id": number, **vars(row)} for number, row in enumerate(rows)]))
        command = [str(peers.CARAVEL), "prospect", "score", "--data", data, "--tasks", tasks, "--model", model, "--out", out,
                   "--template", template, "--no-baselines", *peers.CARAVEL_FLAGS, *flags]
        start = time.monotonic()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        seconds = time.monotonic() - start
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
        details = json_lines(out / "details.jsonl") if (out / "details.jsonl").exists() else []
        computed = re.search(r"\((\d+) tokens in all\)", done.stderr)
        return {"scores": {int(row["id"]): row for row in json_lines(out / "scores.jsonl")}, "details": details,
                "tokens": int(computed[1])}, seconds


def golden_scores(pairs, candidates):
    """GS and mean gain of each candidate."""
    gains = [[one - zero for (z, _), (one, zero) in pairs.items() if z == number] for number in range(candidates)]
    return [np.mean([gain > 0 for gain in row]) for row in gains], [np.mean(row) for row in gains]


def rank_correlation(ones, others):
    """Spearman's; equal values share the mean of their ranks."""

    def ranks(values):
        values = np.asarray(values, float)
        return np.array([(values < value).sum() + ((values == value).sum() - 1) / 2 for value in values])

    return float(np.corrcoef(ranks(ones), ranks(others))[0, 1])


def compare(pairs, details):
    """The peer's scores of pairs against Caravel's."""
    ours = {(int(row["id"]), int(row["task"])): (row["one_shot"], row["zero_shot"]) for row in details}
    result = {"pairs": len(pairs), "missing": sorted(set(pairs) - set(ours)), "unexpected": sorted(set(ours) - set(pairs)),
              "close": 0, "wins_differ": [], "one_shot_apart": 0.0, "zero_shot_apart": 0.0}
    for pair in sorted(set(pairs) & set(ours)):
        (one, zero), (our_one, our_zero) = pairs[pair], ours[pair]
        result["one_shot_apart"] = max(result["one_shot_apart"], abs(one - our_one))
        result["zero_shot_apart"] = max(result["zero_shot_apart"], abs(zero - our_zero))
        if abs(one - zero) < CLOSE:
            result["close"] += 1
        elif (one > zero) != (our_one > our_zero):
            result["wins_differ"].append({"pair": pair, "peer": [one, zero], "caravel": [our_one, our_zero]})
    return result


def compat(options):
    return ["--compat", options.compat] if options.compat else []


def truth(sides, report):
    pairs = report["pairs"]
    ours, _ = run_caravel(sides.folder, sides.candidate_rows, sides.task_rows, sides.options.template, "--details",
                          "--kv-cache-dtype", "f32", *compat(sides.options))
    result = compare(pairs, ours["details"])
    print("| pairs | wins that differ | gains under 0.001 nats | one-shot apart, at most | zero-shot apart, at most |\n"
          "| --- | --- | --- | --- | --- |\n"
          f"| {result['pairs']} | {len(result['wins_differ'])} | {result['close']} | {result['one_shot_apart']:.6f} | "
          f"{result['zero_shot_apart']:.6f} |\n", flush=True)
    for name in ("missing", "unexpected", "wins_differ"):
        if result[name]:
            print(f"{name}: {result[name][:10]}\n")
    return result


def quantised(sides, report):
    ours, _ = run_caravel(peers.MODELS[sides.options.model], sides.candidate_rows, sides.task_rows,
                          sides.options.template, *compat(sides.options))
    golden, gains = golden_scores(report["pairs"], len(sides.candidates))
    scores = [ours["scores"][number] for number in range(len(sides.candidates))]
    result = {"golden_score": rank_correlation(golden, [row["gs"] for row in scores]),
              "gain": rank_correlation(gains, [row["gain"] for row in scores]),
              "golden_score_apart": float(np.mean([abs(row["gs"] - one) for row, one in zip(scores, golden)]))}
    print(f"{peers.MODELS[sides.options.model].name} against F32, {len(scores)} candidates: rank correlation of GS "
          f"{result['golden_score']:.4f}, of the mean gain {result['gain']:.4f}; GS {result['golden_score_apart']:.4f} "
          "apart in the mean\n", flush=True)
    return result


def least_tokens(prompts, candidates, tasks):
    """m Lt + N (Lz + m Lt): each z once and each task once behind it, and once alone."""
    lengths = [len(task.prompt) + len(task.answer) for task in tasks]
    behind = sum(lengths[number] for z in candidates for number in method.comparable(z, tasks))
    return sum(lengths) + len(prompts.zero_front) + sum(len(z.prefix) for z in candidates) + behind


def speed(sides, _):
    options = sides.options
    candidates, rows = sides.candidates[: options.speed_candidates], sides.candidate_rows[: options.speed_candidates]
    kinds = {"published": (method.whole_sequences, torch.float32), "answers": (method.answers_alone, torch.float32),
             "cache": (method.shared_prefix, torch.float32)}
    if method.multiplies_bf16():
        kinds["bf16"] = (method.whole_sequences, torch.bfloat16)
    ways = {"score": [], "decide": ["--decide", "0.8"]}
    seconds = {name: [] for name in [*ways, *kinds]}
    computed = None
    for number in range(options.rounds):
        for way, flags in ways.items():
            ours, took = run_caravel(peers.MODELS[options.model], rows, sides.task_rows, options.template,
                                     *compat(options), *flags)
            seconds[way].append(took)
            if way == "score":
                computed = ours["tokens"]
        for kind, (how, dtype) in kinds.items():
            _, took = run_peer(sides.scorer(dtype), sides.prompts, candidates, sides.tasks, how)
            seconds[kind].append(took)
        print(f"round {number}: " + ", ".join(f"{name} {values[-1]:.2f} s" for name, values in seconds.items()),
              file=sys.stderr, flush=True)
    result = {"seconds": seconds, "ratios": {}, "tokens_computed": computed,
              "tokens_least": least_tokens(sides.prompts, candidates, sides.tasks)}
    print(f"{len(candidates)} candidates x {len(sides.tasks)} tasks, {torch.get_num_threads()} threads, batches of "
          f"{options.batch}, medians of {options.rounds} rounds in turn\n")
    print("| transformers | seconds | `prospect score`, s | ratio | goal | `--decide 0.8`, s | ratio | goal |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in kinds:
        cells = [f"{kind} | {statistics.median(seconds[kind]):.2f}"]
        for way in ways:
            ratio = statistics.median(theirs / ours for theirs, ours in zip(seconds[kind], seconds[way]))
            result["ratios"][f"{kind}/{way}"] = ratio
            cells.append(f"{statistics.median(seconds[way]):.2f} | {ratio:.2f} | {GOALS.get((kind, way), '')}")
        print(f"| {' | '.join(cells)} |")
    share = f"{computed / result['tokens_least']:.4f} of" if computed else "not said by run.json, of"
    print(f"\nTokens computed: {computed or ''} ({share} {result['tokens_least']})\n", flush=True)
    return result


def main():
    sections = {"truth": truth, "quantised": quantised, "speed": speed}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(sections), help="sections, separated by commas")
    parser.add_argument("--model", choices=peers.MODELS, default="smollm2")
    parser.add_argument("--template", choices=["alpaca", "chat"], default="alpaca")
    parser.add_argument("--compat", choices=["original"])
    parser.add_argument("--data", type=pathlib.Path, default=default_data())
    parser.add_argument("--tasks", type=pathlib.Path)
    parser.add_argument("--candidates", type=int, default=30)
    parser.add_argument("--task-count", type=int, default=20)
    parser.add_argument("--speed-candidates", type=int, default=10)
    parser.add_argument("--batch", type=int, default=16, help="tasks in a batch of transformers'")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, help="of transformers'; default: one for each processor")
    parser.add_argument("--json", help="where to write every figure")
    options = parser.parse_args()
    options.tasks = options.tasks or options.data
    wanted = options.only.split(",")
    if unknown := set(wanted) - set(sections):
        parser.error(f"no section {', '.join(sorted(unknown))}; there are {', '.join(sections)}")
    method.use_threads(options.threads)
    sides, report = Sides(options), {}
    if {"truth", "quantised"} & set(wanted):
        print("==> the published method in F32", file=sys.stderr)
        report["pairs"], _ = run_peer(sides.scorer(), sides.prompts, sides.candidates, sides.tasks)
    for section in wanted:
        print(f"==> {section}", file=sys.stderr)
        print(f"### {section}\n")
        report[section] = sections[section](sides, report)
    if options.json:
        report["pairs"] = [[*pair, *scores] for pair, scores in report.get("pairs", {}).items()]
        with open(options.json, "w") as out:
            json.dump(report, out, indent=1)
    failed = report.get("truth", {})
    sys.exit(1 if any(failed.get(name) for name in ("missing", "unexpected", "wins_differ")) else 0)


if __name__ == "__main__":
    main()
