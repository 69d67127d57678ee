#!/usr/bin/env python3
"""What zero-, one-, few-shot and chain-of-thought prompts change on GSM8K: the answer's log-probability and exact match
(docs/prompting.md). Standard library alone.

  bench/gsm8k.py [--data FILE] [--questions 100] [--shots 4] [--models smollm2,gemma3-270m]

Prompts are the plain texts that docs/prompting.md describes: an instruction, examples as "Input:" and "Output:", and the
question. Every way ends with "The answer is"; what follows gives both figures: the log-probability of the true answer
there (all its tokens, in nats), and whether the number that the model says there, greedily, is that answer. For a chain
of thought the model writes its reasoning first, greedily, 200 tokens at most (two steps, as Kojima et al., "Large
Language Models are Zero-Shot Reasoners", NeurIPS 2022). "the data's reasoning" has that of the data in its place: what
could be gained. Examples are the data's last rows, questions its first. Prints Markdown, with standard errors.
"""

import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
CARAVEL = pathlib.Path(os.environ.get("CARAVEL") or ROOT / "build/release/caravel")
INSTRUCTION = "Answer each question with a number."
CUE = "The answer is"
STEPS = "Let's think step by step."


class Question:
    def __init__(self, row):
        self.text = row["question"].strip()
        reasoning, _, answer = row["answer"].partition("####")
        self.answer = answer.strip().replace(",", "")
        self.reasoning = re.sub(r"<<.*?>>", "", reasoning).strip()  # the calculator's notes


def prompt(examples, question, reasons):
    """Up to where the model goes on: "Output:"."""
    parts = [INSTRUCTION]
    for example in examples:
        reasoning = f"{example.reasoning}\n" if reasons else ""
        parts.append(f"Input: {example.text}\nOutput: {reasoning}{CUE} {example.answer}.")
    parts.append(f"Input: {question.text}\nOutput:")
    return "\n\n".join(parts)


def run_rows(command, model, rows):
    """{id: result} of `caravel score` or `generate`."""
    with tempfile.TemporaryDirectory(prefix="gsm8k-") as folder:
        given, found = pathlib.Path(folder, "rows.jsonl"), pathlib.Path(folder, "results.jsonl")
        given.write_text("".join(json.dumps(row) + "\n" for row in rows))
        done = subprocess.run([str(CARAVEL), command, model, "--input", str(given), "--output", str(found)],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"caravel {command} ended with {done.returncode}:\n{done.stderr}")
        return {line["id"]: line for line in map(json.loads, open(found, encoding="utf-8"))}


def generate(model, prompts, max_tokens, stop):
    rows = [{"id": number, "prompt": text, "max_tokens": max_tokens, "temperature": 0, "stop": stop}
            for number, text in enumerate(prompts)]
    results = run_rows("generate", model, rows)
    return [results[number]["text"] for number in range(len(prompts))]


def log_probabilities(model, prompts, questions):
    rows = [{"id": number, "prefix": text, "continuations": [f" {question.answer}"]}
            for number, (text, question) in enumerate(zip(prompts, questions))]
    results = run_rows("score", model, rows)
    return [results[number]["scores"][0]["logprob"] for number in range(len(prompts))]


def first_number(text):
    found = re.search(r"-?\d[\d,]*(\.\d+)?", text)
    return float(found[0].replace(",", "")) if found else math.nan


def with_error(values, scale=1, digits=2):
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{scale * statistics.fmean(values):.{digits}f} ± {scale * error:.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared/data/gsm8k_test.jsonl")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--shots", type=int, default=4)
    parser.add_argument("--models", default="smollm2,gemma3-270m")
    options = parser.parse_args()
    rows = [Question(json.loads(line)) for line in options.data.read_text().splitlines()]
    questions, examples = rows[: options.questions], rows[-options.shots:]
    ways = [("zero-shot", 0, None), ("one-shot", 1, None), (f"{options.shots}-shot", options.shots, None),
            ("zero-shot, chain of thought", 0, "own"), ("one-shot, chain of thought", 1, "own"),
            (f"{options.shots}-shot, chain of thought", options.shots, "own"),
            (f"{options.shots}-shot, the data's reasoning", options.shots, "given")]
    print("| model | prompt | log-probability of the answer | exact match, % |\n| --- | --- | --- | --- |", flush=True)
    for model in options.models.split(","):
        for name, shots, reasoning in ways:
            prompts = [prompt(examples[:shots], question, bool(reasoning)) for question in questions]
            if reasoning == "given":
                prompts = [f"{text} {question.reasoning}\n" for text, question in zip(prompts, questions)]
            elif reasoning:
                begun = [text if shots else f"{text} {STEPS}" for text in prompts]
                written = generate(model, begun, 200, ["\n\nInput:", CUE])
                prompts = [f"{text}{thought.rstrip()}\n" for text, thought in zip(begun, written)]
            else:
                prompts = [f"{text} " for text in prompts]
            prompts = [text + CUE for text in prompts]
            scores = log_probabilities(model, prompts, questions)
            said = generate(model, prompts, 8, ["\n"])
            right = [float(first_number(text) == float(question.answer)) for text, question in zip(said, questions)]
            print(f"| {model} | {name} | {with_error(scores)} | {with_error(right, 100, 1)} |", flush=True)


if __name__ == "__main__":
    main()
