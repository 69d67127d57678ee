"""lm-eval's `local-completions` against `caravel serve`, and its `hf` backend with the same weights. Run from the tree's
root; nothing is downloaded.

transformers dequantises the default model's Q4_1 file and writes it as F32. Served from there, the engine does the sums
that the `hf` backend does, in another order, so each choice's log-likelihood must be the same but for float32's rounding:
whatever else moves it (where the choice begins, a beginning of sequence, an offset by one) is a mistake of ours.

Served from the Q4_1 file, products take activations of 8 bits, which is noise: a token's log-probability is off by what
that does to its logit. `measure_noise` finds its standard deviation per token on other texts, between the two servers, and
a choice of n tokens may be off by NOISES of it times sqrt(n). The answers chosen must agree, but where the two best
choices lie closer than that noise."""

import json
import math
import os
import pathlib
import statistics
import sys
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
THERE = ROOT / "build/clients"
os.environ.update(HF_HOME=str(THERE / "hf"), HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false",
                  OMP_NUM_THREADS="1")  # a second thread waits by spinning, which a busy machine makes very long
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "bench/peers")]

import lm_eval  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402
from transformers import AutoTokenizer  # noqa: E402

import peers  # noqa: E402
from serving import Server  # noqa: E402

ROUNDING = 1e-3  # nats; log-likelihoods are sums of some tokens' of up to 20 nats, of float32 with 24 bits
NOISES = 5  # standard deviations: of a hundred choices, none beyond by chance
SPREAD = 1.5 / NOISES  # all choices together: 1 / NOISES is the noise alone, and half as much more is not


def post(server, path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def evaluate(backend, arguments):
    """For each question the log-likelihood of each choice."""
    done = lm_eval.simple_evaluate(model=backend, model_args=arguments, tasks=["common_facts"], batch_size=1,
                                   task_manager=TaskManager(include_path=str(ROOT / "tests/clients/tasks"),
                                                            include_defaults=False),
                                   log_samples=True, bootstrap_iters=0, random_seed=0)
    samples = sorted(done["samples"]["common_facts"], key=lambda sample: sample["doc_id"])
    return [[reply[0] for reply in sample["filtered_resps"]] for sample in samples]


def evaluate_served(server, tokenizer):
    return evaluate("local-completions", {
        "model": "served", "base_url": f"http://127.0.0.1:{server.port}/v1/completions", "tokenizer": str(tokenizer),
        "tokenizer_backend": "huggingface", "num_concurrent": 1, "max_retries": 1})


def measure_noise(quantised, exact, tokenizer):
    """Standard deviation, in nats, of the difference between the two servers' log-probabilities of a token. Like the
    choices of a question, most of which are wrong, the tokens are unlikely ones as a rule: at each place of this
    repository's documents those that the exact server finds 2nd to 128th."""
    text = "\n".join((ROOT / name).read_text() for name in ("README.md", "docs/serving.md"))
    ids = tokenizer.encode(text)
    differences = []
    for begin in range(0, 1024, 64):
        body = {"prompt": ids[begin:begin + 64], "max_tokens": 0, "echo": True, "logprobs": 0, "prompt_logprobs": 128}
        here, there = (post(server, "/v1/completions", body)["choices"][0]["prompt_logprobs"][1:]
                       for server in (quantised, exact))
        for one, other in zip(here, there, strict=True):
            differences += [one[token]["logprob"] - entry["logprob"] for token, entry in other.items()
                            if token in one and 2 <= entry["rank"] <= 128]
    return statistics.pstdev(differences)


def compare(name, ours, theirs, limit):
    """limit: of each choice. Prints what is beyond it, and returns how many failures there are."""
    gaps, shares, failures = [], [], 0
    for number, (here, there, limits) in enumerate(zip(ours, theirs, limit, strict=True)):
        for choice, (one, other, most) in enumerate(zip(here, there, limits, strict=True)):
            gaps.append(abs(one - other))
            shares.append(gaps[-1] / most)
            if gaps[-1] > most:
                failures += 1
                print(f"{name}, question {number}, choice {choice}: {one:.5f} here, {other:.5f} in transformers, "
                      f"{most:.5f} allowed")
        best, right = (max(range(len(values)), key=values.__getitem__) for values in (here, there))
        if there[right] - there[best] > math.hypot(limits[right], limits[best]):
            failures += 1
            print(f"{name}, question {number}: choice {best} here, {right} in transformers: {here} and {there}")
    spread = math.sqrt(statistics.mean(share * share for share in shares))
    print(f"{name}: log-likelihoods of {len(gaps)} choices {statistics.mean(gaps):.6f} apart in the mean, "
          f"{max(gaps):.6f} at most; {spread:.3f} of what is allowed, root mean square")
    return failures + (spread > SPREAD)


def main():
    os.chdir(ROOT)
    folder = THERE / "smollm2-f32"
    peers.write_dequantised("smollm2", folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    questions = [json.loads(line) for line in open(ROOT / "tests/clients/tasks/common_facts.jsonl")]
    counts = [[len(tokenizer.encode(" " + choice)) for choice in question["choices"]] for question in questions]
    theirs = evaluate("hf", {"pretrained": str(folder), "dtype": "float32", "device": "cpu"})
    memory = ("--kv-cache-memory", "64MiB", "--served-model-name", "served")
    with (Server(*memory, "--kv-cache-dtype", "f32", model=folder) as exact,
          Server(*memory, model=peers.MODELS["smollm2"]) as quantised):
        failures = compare("F32", evaluate_served(exact, folder), theirs,
                           [[ROUNDING for _ in row] for row in counts])
        noise = measure_noise(quantised, exact, tokenizer)
        print(f"Q4_1: a token's log-probability has a standard deviation of {noise:.4f}")
        failures += compare("Q4_1", evaluate_served(quantised, folder), theirs,
                            [[NOISES * noise * math.sqrt(count) for count in row] for row in counts])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
