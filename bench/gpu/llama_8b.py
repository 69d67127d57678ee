#!/usr/bin/env python3
"""Llama-3.1-8B's shapes with random weights, on one GPU: time of a decode step, first token, start.

  llama_8b.py CARAVEL FOLDER [--dtype Q4_K]    makes FOLDER where it is not there, with config.json and a tokenizer
  llama_8b.py CARAVEL FOLDER --files           with weights too (BF16, 16 GB): reads them; needs PyTorch and safetensors
  llama_8b.py CARAVEL FOLDER --files --quantization fp8    and makes 8-bit floats of them, as of --dtype F8_E4M3

Prints a line of JSON for each figure. A decode step is (time of 256 output tokens - time of 128) / 128, of prompts 192
tokens shorter than the context that is told, which so is the mean one: all sequences are long past their prompts by
then, and leave as far apart as they came. A share is the bytes that a step must read over the read bandwidth that the
same run measured.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FFN, VOCAB = 32, 4096, 32, 8, 128, 14336, 128256
FIXTURE = pathlib.Path(__file__).parents[2] / "tests/fixtures/models/llama"
KV_BYTES = 2 * 2 * LAYERS * KV_HEADS * HEAD_DIM  # a token's keys and values, of 16 bits
WEIGHTS = LAYERS * (HIDDEN * HIDDEN * 2 + HIDDEN * KV_HEADS * HEAD_DIM * 2 + 3 * HIDDEN * FFN) + HIDDEN * VOCAB  # that a token reads
BYTES = {"F16": 2, "BF16": 2, "Q8_0": 34 / 32, "Q4_0": 18 / 32, "Q4_1": 20 / 32, "Q5_0": 22 / 32, "Q5_1": 24 / 32,
         "Q4_K": 144 / 256, "Q5_K": 176 / 256, "Q6_K": 210 / 256, "F8_E4M3": 1, "F8_E4M3_128": 132 / 128}


def make(folder, weights):
    folder.mkdir(parents=True)
    tokenizer = json.loads((FIXTURE / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    known = 1 + max([*vocabulary.values(), *(token["id"] for token in tokenizer["added_tokens"])])
    vocabulary.update({f"token{i}": i for i in range(known, VOCAB)})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    for name in ("tokenizer_config.json", "generation_config.json"):
        (folder / name).write_text((FIXTURE / name).read_text())
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
        "intermediate_size": FFN, "vocab_size": VOCAB, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
        "head_dim": HEAD_DIM, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "max_position_embeddings": 131072,
        "tie_word_embeddings": False, "hidden_act": "silu", "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 1,
    }
    if weights:
        make_weights(folder)
    (folder / "config.json").write_text(json.dumps(config))  # last: it says that all is there


def make_weights(folder):
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator(device="cuda").manual_seed(1)

    def random(*shape):
        return (torch.randn(*shape, device="cuda", generator=generator) * 0.02).to(torch.bfloat16).cpu()

    def ones():
        return torch.ones(HIDDEN, dtype=torch.bfloat16)

    parts = [{"model.embed_tokens.weight": random(VOCAB, HIDDEN), "lm_head.weight": random(VOCAB, HIDDEN),
              "model.norm.weight": ones()}]
    index = {}

    def save(part):
        name = f"model-{len(set(index.values())):05d}.safetensors"
        save_file(part, folder / name, metadata={"format": "pt"})
        index.update(dict.fromkeys(part, name))

    save(parts.pop())
    kv = KV_HEADS * HEAD_DIM
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        save({
            at + "input_layernorm.weight": ones(), at + "post_attention_layernorm.weight": ones(),
            at + "self_attn.q_proj.weight": random(HIDDEN, HIDDEN), at + "self_attn.k_proj.weight": random(kv, HIDDEN),
            at + "self_attn.v_proj.weight": random(kv, HIDDEN), at + "self_attn.o_proj.weight": random(HIDDEN, HIDDEN),
            at + "mlp.gate_proj.weight": random(FFN, HIDDEN), at + "mlp.up_proj.weight": random(FFN, HIDDEN),
            at + "mlp.down_proj.weight": random(HIDDEN, FFN),
        })
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


def run(caravel, *arguments):
    done = subprocess.run([caravel, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"llama_8b: {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def tell(**figure):
    print(json.dumps(figure), flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("caravel")
    parser.add_argument("folder", type=pathlib.Path)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dtype", choices=BYTES, default="BF16")
    kind.add_argument("--files", action="store_true")
    parser.add_argument("--quantization", choices=["none", "fp8"], default="none")
    options = parser.parse_args()
    if options.quantization == "fp8":
        options.dtype = "F8_E4M3"
    caravel, folder = options.caravel, options.folder
    if not (folder / "config.json").exists():
        make(folder, options.files)
    on_gpu = ["--device", "cuda", "--quantization", options.quantization]
    if not options.files:
        on_gpu += ["--load-format", "dummy", "--dummy-dtype", options.dtype]
    tell(model="Llama-3.1-8B's shapes", dtype=options.dtype, weights="of files" if options.files else "dummy")
    for _ in range(2):
        begun = time.monotonic()
        run(caravel, "generate", *on_gpu, "--prompt", "hello", "--max-tokens", 1, folder)
        seconds = time.monotonic() - begun
    tell(figure="start to first token", seconds=round(seconds, 2))
    for tokens in (2048, 8192):
        first = json.loads(run(caravel, "bench", "latency", *on_gpu, "--json", "--iterations", 5, "--input-len", tokens,
                               "--output-len", 2, "--max-num-batched-tokens", 2048, "--max-model-len", 9000, folder))
        tell(figure="first token", prompt=tokens, ms=round(tokens / first["prefill_tokens_per_second"] * 1000, 1))
    for batch, context in ((1, 2048), (8, 2048), (64, 1024), (256, 1024)):
        seconds = {}
        for output in (128, 256):
            result = json.loads(run(caravel, "bench", "throughput", *on_gpu, "--json", "--num-prompts", batch,
                                    "--max-num-seqs", batch, "--input-range", f"{context - 192},{context - 192}", "--output-len", output,
                                    "--max-num-batched-tokens", 2048, folder))
            seconds[output] = result["seconds"]
            read = result["ceilings"]["read_gb_per_second"]
        step = (seconds[256] - seconds[128]) / 128
        head = VOCAB * HIDDEN * (2 if options.dtype.startswith("F8") else BYTES[options.dtype])
        layers = (WEIGHTS - VOCAB * HIDDEN) * BYTES[options.dtype]
        floor = (layers + head + batch * context * KV_BYTES) / (read * 1e9)
        tell(figure="decode step", batch=batch, context=context, ms=round(step * 1000, 3), read_gb_per_s=round(read),
             share_of_read=round(floor / step, 3))
    mixed = json.loads(run(caravel, "bench", "throughput", *on_gpu, "--json", "--num-prompts", 256, "--max-num-seqs", 256,
                           "--input-range", "32,1024", "--output-range", "32,1024", "--max-num-batched-tokens", 2048, folder))
    tell(figure="mixed requests", requests=256, output_tokens=mixed["output_tokens"],
         output_tokens_per_s=round(mixed["output_tokens_per_second"]), preemptions=mixed["preemptions"],
         waiting_for_host=mixed["waiting_for_host_share"])


if __name__ == "__main__":
    main()
