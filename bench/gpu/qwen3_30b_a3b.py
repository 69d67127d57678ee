#!/usr/bin/env python3
"""Qwen3-30B-A3B's shapes with random weights, on one GPU: time of a decode step, and where it goes.

  qwen3_30b_a3b.py CARAVEL FOLDER [--dtype F8_E4M3] [--batch N...] [--profile]    makes FOLDER where it is not there

Prints a line of JSON for each figure; what they are is in shapes.py. A step's bytes are the dense weights, the keys and
values, and the experts that so many tokens choose of all with equal chances: of 128 experts 8, 51.6 and 125.9 a layer
for 1, 8 and 64 tokens. --profile: microseconds of a layer, region by region, which are longer one by one than in a step.
"""

import argparse
import pathlib

import shapes
from shapes import tell

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD_DIM, VOCAB = 48, 2048, 32, 4, 128, 151936
EXPERTS, PER_TOKEN, EXPERT_FFN = 128, 8, 768
KV_BYTES = 2 * 2 * LAYERS * KV_HEADS * HEAD_DIM  # a token's keys and values, of 16 bits
CONTEXT = 1024
CONFIG = {
    "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS, "intermediate_size": 6144, "moe_intermediate_size": EXPERT_FFN,
    "num_experts": EXPERTS, "num_experts_per_tok": PER_TOKEN, "norm_topk_prob": True, "decoder_sparse_step": 1,
    "mlp_only_layers": [], "vocab_size": VOCAB, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
    "head_dim": HEAD_DIM, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "max_position_embeddings": 40960,
    "tie_word_embeddings": False, "hidden_act": "silu", "attention_bias": False, "torch_dtype": "bfloat16",
    "bos_token_id": 0, "eos_token_id": 1,
}


def experts_touched(batch):
    return EXPERTS * (1 - (1 - PER_TOKEN / EXPERTS) ** batch)


def step_bytes(dtype, batch, tokens):
    attention = HIDDEN * HEAD_DIM * (2 * HEADS + 2 * KV_HEADS)
    experts = experts_touched(batch) * 3 * HIDDEN * EXPERT_FFN
    router = 4 * EXPERTS * HIDDEN  # f32
    return (LAYERS * ((attention + experts) * shapes.BYTES[dtype] + router) +
            VOCAB * HIDDEN * shapes.head_bytes(dtype) + batch * tokens * KV_BYTES)


def tell_profile(model, batch):
    short, long = ({region["region"]: region["seconds"] for region in figures["profile"]}
                   for figures in model.decode(batch, CONTEXT, "--profile"))
    us = {name: round((long[name] - short.get(name, 0)) / 128 / LAYERS * 1e6, 1) for name in long}
    tell(figure="profile", batch=batch, us_per_layer={name: us[name] for name in sorted(us, key=us.get, reverse=True)})


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("caravel")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dtype", choices=shapes.BYTES, default="BF16")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if not (options.folder / "config.json").exists():
        shapes.make_folder(options.folder, CONFIG)
    model = shapes.Model(options.caravel, options.folder, ["--load-format", "dummy", "--dummy-dtype", options.dtype])
    tell(model="Qwen3-30B-A3B's shapes", dtype=options.dtype, weights="dummy")
    for batch in options.batch:
        if options.profile:
            tell_profile(model, batch)
        else:
            model.tell_decode_step(batch, CONTEXT, lambda *of: step_bytes(options.dtype, *of))


if __name__ == "__main__":
    main()
