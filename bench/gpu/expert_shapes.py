"""What the benches of models with experts on one GPU share (qwen3_30b_a3b.py, gpt_oss_20b.py,
deepseek_v2_lite.py): a command line, and the bytes of a decode step, which are the dense weights, the keys and values
that each layer sees, and the experts that so many tokens choose of all with equal chances.
"""

import argparse
import pathlib

import shapes
from shapes import tell

CONTEXT = 1024
PROMPT = 2048


def experts_of(config):
    return config.get("num_experts") or config.get("num_local_experts") or config["n_routed_experts"]


def experts_touched(config, batch):
    experts = experts_of(config)
    return experts * (1 - (1 - config["num_experts_per_tok"] / experts) ** batch)


def seen_tokens(config, tokens):
    """Of a sequence, summed over layers."""
    kinds = config.get("layer_types", ["full_attention"] * config["num_hidden_layers"])
    return sum(min(tokens, config["sliding_window"]) if kind == "sliding_attention" else tokens for kind in kinds)


def attention_elements(config):
    """Of a layer's weights, and of what it caches of a token."""
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    if "kv_lora_rank" in config:
        latent, rotary = config["kv_lora_rank"], config["qk_rope_head_dim"]
        nope, value = config["qk_nope_head_dim"], config["v_head_dim"]
        down = hidden * (heads * (nope + rotary) + latent + rotary)
        return down + heads * latent * (nope + value) + heads * value * hidden, latent + rotary
    head_dim, kv_heads = config["head_dim"], config["num_key_value_heads"]
    return hidden * head_dim * 2 * (heads + kv_heads), 2 * kv_heads * head_dim


def step_bytes(config, dtypes, batch, tokens):
    """dtypes: of dense weights, and of experts."""
    dense, of_experts = dtypes
    layers, hidden = config["num_hidden_layers"], config["hidden_size"]
    without_experts = config.get("first_k_dense_replace", 0)
    ffn = config.get("moe_intermediate_size") or config["intermediate_size"]
    attention, cached = attention_elements(config)
    experts = experts_touched(config, batch) + config.get("n_shared_experts", 0)
    router = 4 * experts_of(config) * hidden  # f32
    kv = batch * seen_tokens(config, tokens) * 2 * cached  # of 16 bits
    return ((layers * attention + without_experts * 3 * hidden * config["intermediate_size"]) * shapes.BYTES[dense] +
            (layers - without_experts) * (experts * 3 * hidden * ffn * shapes.BYTES[of_experts] + router) +
            config["vocab_size"] * hidden * shapes.head_bytes(dense) + kv)


def tell_profile(model, layers, batch):
    short, long = ({region["region"]: region["seconds"] for region in figures["profile"]}
                   for figures in model.decode(batch, CONTEXT, "--profile"))
    us = {name: round((long[name] - short.get(name, 0)) / 128 / layers * 1e6, 1) for name in long}
    tell(figure="profile", batch=batch, us_per_layer={name: us[name] for name in sorted(us, key=us.get, reverse=True)})


def main(usage, name, config, expert_dtype=None):
    """expert_dtype: of experts, where no --dtype says what all weights are; the others are then BF16."""
    parser = argparse.ArgumentParser(usage=usage)
    parser.add_argument("caravel")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--dtype", choices=shapes.BYTES)
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--prefill", action="store_true")
    options = parser.parse_args()
    if not (options.folder / "config.json").exists():
        shapes.make_folder(options.folder, config)
    flags = ["--dummy-dtype", options.dtype] if options.dtype else []
    model = shapes.Model(options.caravel, options.folder, ["--load-format", "dummy", *flags])
    dense = options.dtype or "BF16"
    dtypes = dense, options.dtype or expert_dtype or dense
    tell(model=name, dtype=dtypes[0], experts=dtypes[1], weights="dummy")
    for batch in options.batch:
        if options.profile:
            tell_profile(model, config["num_hidden_layers"], batch)
        else:
            model.tell_decode_step(batch, CONTEXT, lambda *of: step_bytes(config, dtypes, *of))
    if options.prefill:
        model.tell_first_token(PROMPT)
