"""lm-eval's `local-completions` against a server (CARAVEL_URL) and its `hf` backend on the same weights, dequantised by
transformers: every choice's log-likelihood must agree within what the quantised arithmetic moves. Run from the tree's root;
nothing is downloaded."""

import json
import os
import pathlib
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
THERE = ROOT / "build/clients"
os.environ.update(HF_HOME=str(THERE / "hf"), HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false",
                  OMP_NUM_THREADS="1")  # a second thread waits by spinning, which a busy machine makes very long
sys.path.insert(0, str(ROOT / "bench/peers"))

import lm_eval  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

import peers  # noqa: E402

# The engine multiplies in 8-bit activations: bench/peers/correctness.py finds a mean divergence of 0.0025 nats a token
# from the same weights in float32. Choices are a few tokens, most of them unlikely ones, which move most.
EACH = 0.30  # nats, and SHARE of the log-likelihood
SHARE = 0.02
MEAN = 0.20
TIE = 0.25  # choices closer than this may change places


def answers(backend, arguments):
    """For each question the log-likelihood of each choice, whether it is greedy, and the accuracy."""
    done = lm_eval.simple_evaluate(model=backend, model_args=arguments, tasks=["common_facts"], batch_size=1,
                                   task_manager=TaskManager(include_path=str(ROOT / "tests/clients/tasks"),
                                                            include_defaults=False),
                                   log_samples=True, bootstrap_iters=0, random_seed=0)
    samples = sorted(done["samples"]["common_facts"], key=lambda sample: sample["doc_id"])
    return ([[tuple(reply) for reply in sample["filtered_resps"]] for sample in samples],
            done["results"]["common_facts"]["acc,none"])


def main():
    os.chdir(ROOT)
    path = peers.MODELS["smollm2"]
    tokenizer = THERE / "tokenizer"
    AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(tokenizer)
    with urllib.request.urlopen(os.environ["CARAVEL_URL"] + "/v1/models") as answer:
        model = json.load(answer)["data"][0]["id"]
    ours, accuracy = answers("local-completions", {
        "model": model, "base_url": os.environ["CARAVEL_URL"] + "/v1/completions", "tokenizer": str(tokenizer),
        "tokenizer_backend": "huggingface", "num_concurrent": 1, "max_retries": 1})
    theirs, reference = answers("hf", {"pretrained": str(path.parent), "gguf_file": path.name, "dtype": "float32",
                                       "device": "cpu"})
    gaps, failures = [], 0
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        for choice, ((a, _), (b, _)) in enumerate(zip(one, other, strict=True)):
            gaps.append(abs(a - b))
            if gaps[-1] > EACH + SHARE * abs(b):
                failures += 1
                print(f"question {number}, choice {choice}: {a:.4f} here, {b:.4f} in transformers")
        best = max(range(len(one)), key=lambda choice: one[choice][0])
        if max(b for b, _ in other) - other[best][0] > TIE:
            failures += 1
            print(f"question {number}: choice {best} is the best here alone: {one} and {other}")
    mean = sum(gaps) / len(gaps)
    print(f"{len(gaps)} choices: log-likelihoods {mean:.4f} apart in the mean, {max(gaps):.4f} at most; accuracy "
          f"{accuracy:.2f}, in transformers {reference:.2f}")
    return 1 if failures or mean > MEAN else 0


if __name__ == "__main__":
    sys.exit(main())
