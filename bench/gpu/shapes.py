"""What the benches of one model's shapes on one GPU share (llama_8b.py, expert_shapes.py).

A model is a folder with config.json and a tokenizer of as many tokens as it says; its weights are dummies unless it has
files. A decode step is (time of 256 output tokens - time of 128) / 128, of prompts 192 tokens shorter than the context
that is told, which so is the mean one: all sequences are long past their prompts by then, and leave as far apart as they
came. A share is the bytes that a step must read over the read bandwidth that the same run measured.
"""

import json
import pathlib
import subprocess
import sys
import time

FIXTURE = pathlib.Path(__file__).parents[2] / "tests/fixtures/models/llama"
BYTES = {"F16": 2, "BF16": 2, "Q8_0": 34 / 32, "Q4_0": 18 / 32, "Q4_1": 20 / 32, "Q5_0": 22 / 32, "Q5_1": 24 / 32,
         "Q4_K": 144 / 256, "Q5_K": 176 / 256, "Q6_K": 210 / 256, "MXFP4": 17 / 32, "F8_E4M3": 1,
         "F8_E4M3_128": 132 / 128}  # an element


def head_bytes(dtype):
    """Of an element of the LM head, which is no 8-bit float in any model."""
    return 2 if dtype.startswith("F8") else BYTES[dtype]


def make_folder(folder, config, make_weights=None):
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = json.loads((FIXTURE / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    known = 1 + max([*vocabulary.values(), *(token["id"] for token in tokenizer["added_tokens"])])
    vocabulary.update({f"token{i}": i for i in range(known, config["vocab_size"])})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    for name in ("tokenizer_config.json", "generation_config.json"):
        (folder / name).write_text((FIXTURE / name).read_text())
    if make_weights:
        make_weights(folder)
    (folder / "config.json").write_text(json.dumps(config))  # last: it says that all is there


def tell(**figure):
    print(json.dumps(figure), flush=True)


class Model:
    """A folder, and the flags that it is run with."""

    def __init__(self, caravel, folder, flags):
        self.caravel, self.folder, self.flags = caravel, folder, ["--device", "cuda", *flags]

    def run(self, *arguments):
        command = [self.caravel, *map(str, arguments), *self.flags, str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def figures(self, *arguments):
        return json.loads(self.run("bench", *arguments, "--json", "--max-num-batched-tokens", 2048))

    def tell_start(self):
        for _ in range(2):
            begun = time.monotonic()
            self.run("generate", "--prompt", "hello", "--max-tokens", 1)
            seconds = time.monotonic() - begun
        tell(figure="start to first token", seconds=round(seconds, 2))

    def tell_first_token(self, tokens):
        first = self.figures("latency", "--iterations", 5, "--input-len", tokens, "--output-len", 2,
                             "--max-model-len", 9000)
        tell(figure="first token", prompt=tokens, ms=round(tokens / first["prefill_tokens_per_second"] * 1000, 1))

    def decode(self, batch, context, *arguments):
        """Figures of 128 output tokens, and of 256."""
        prompt = context - 192
        return [self.figures("throughput", "--num-prompts", batch, "--max-num-seqs", batch,
                             "--input-range", f"{prompt},{prompt}", "--output-len", output, *arguments)
                for output in (128, 256)]

    def tell_decode_step(self, batch, context, step_bytes):
        """step_bytes: of a step of `batch` sequences of so many tokens."""
        short, long = self.decode(batch, context)
        step = (long["seconds"] - short["seconds"]) / 128
        read = long["ceilings"]["read_gb_per_second"]
        floor = step_bytes(batch, context) / (read * 1e9)
        tell(figure="decode step", batch=batch, context=context, ms=round(step * 1000, 3), read_gb_per_s=round(read),
             share_of_read=round(floor / step, 3))
