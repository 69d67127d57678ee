#!/usr/bin/env python3
"""Greedy answers of one model on a GPU beside the CPU's: where they part, how near to a tie the CPU was.

  greedy.py CARAVEL MODEL [TOKENS]

Prints a line for each answer that parts, then a line of JSON, and ends with 1 where one parts although the CPU's two
likeliest tokens were further apart than NEAR_TIE: products of bf16 on one side and of 8 bits on the other leave logits
that much apart.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

PROMPTS = pathlib.Path(__file__).parents[1] / "peers/prompts.txt"
NEAR_TIE = 0.25  # nats


def answers(caravel, model, device, rows, folder):
    source, results = folder / "rows.jsonl", folder / f"{device}.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = subprocess.run([caravel, "generate", "--device", device, "--input", source, "--output", results, model],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"greedy: on {device}: {done.stderr.strip()}")
    return {answer["id"]: answer["logprobs"] for answer in map(json.loads, results.read_text().splitlines())}


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.strip())
    caravel, model = sys.argv[1:3]
    tokens = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    prompts = [line for line in PROMPTS.read_text().splitlines() if line.strip()]
    rows = [{"id": i, "prompt": prompt, "max_tokens": tokens, "temperature": 0, "logprobs": 2}
            for i, prompt in enumerate(prompts)]
    with tempfile.TemporaryDirectory() as folder:
        by_device = [answers(caravel, model, device, rows, pathlib.Path(folder)) for device in ("cpu", "cuda")]
    gaps, furthest = [], 0.0
    for row in rows:
        cpu, gpu = (answer[row["id"]] for answer in by_device)
        for place, (one, other) in enumerate(zip(cpu, gpu)):
            if one["token_id"] == other["token_id"]:
                furthest = max(furthest, abs(one["logprob"] - other["logprob"]))
                continue
            first, second = (top["logprob"] for top in one["top_logprobs"][:2])
            gaps.append(first - second)
            print(f"{row['id']}: parts at token {place}, {one['token']!r} and {other['token']!r}, "
                  f"the CPU's likeliest {first - second:.4f} nats apart")
            break
    print(json.dumps({"model": pathlib.Path(model).name, "answers": len(rows), "tokens": tokens,
                      "equal": len(rows) - len(gaps), "widest_gap_where_they_part": round(max(gaps, default=0), 4),
                      "furthest_logprob_of_the_same_token": round(furthest, 4)}))
    return max(gaps, default=0) > NEAR_TIE


if __name__ == "__main__":
    sys.exit(main())
