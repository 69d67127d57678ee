#!/usr/bin/env python3
"""Llama-3.1-8B's shapes with random weights, on one GPU: time of a decode step, first token, start.

  llama_8b.py CARAVEL FOLDER [--dtype Q4_K]    makes FOLDER where it is not there, with config.json and a tokenizer
  llama_8b.py CARAVEL FOLDER --files           with weights too (BF16, 16 GB): reads them; needs PyTorch and safetensors
  llama_8b.py CARAVEL FOLDER --files --quantization fp8    and makes 8-bit floats of them, as of --dtype F8_E4M3

Prints a line of JSON for each figure; what they are is in shapes.py.
"""

import argparse
import json
import pathlib

import shapes
from shapes import tell

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FFN, VOCAB = 32, 4096, 32, 8, 128, 14336, 128256
KV_BYTES = 2 * 2 * LAYERS * KV_HEADS * HEAD_DIM  # a token's keys and values, of 16 bits
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
    "intermediate_size": FFN, "vocab_size": VOCAB, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS,
    "head_dim": HEAD_DIM, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "max_position_embeddings": 131072,
    "tie_word_embeddings": False, "hidden_act": "silu", "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 1,
}


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


def step_bytes(dtype, batch, tokens):
    layers = LAYERS * (HIDDEN * HIDDEN * 2 + HIDDEN * KV_HEADS * HEAD_DIM * 2 + 3 * HIDDEN * FFN)
    return layers * shapes.BYTES[dtype] + VOCAB * HIDDEN * shapes.head_bytes(dtype) + batch * tokens * KV_BYTES


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("caravel")
    parser.add_argument("folder", type=pathlib.Path)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dtype", choices=shapes.BYTES, default="BF16")
    kind.add_argument("--files", action="store_true")
    parser.add_argument("--quantization", choices=["none", "fp8"], default="none")
    options = parser.parse_args()
    if options.quantization == "fp8":
        options.dtype = "F8_E4M3"
    if not (options.folder / "config.json").exists():
        shapes.make_folder(options.folder, CONFIG, make_weights if options.files else None)
    flags = ["--quantization", options.quantization]
    if not options.files:
        flags += ["--load-format", "dummy", "--dummy-dtype", options.dtype]
    model = shapes.Model(options.caravel, options.folder, flags)
    tell(model="Llama-3.1-8B's shapes", dtype=options.dtype, weights="of files" if options.files else "dummy")
    model.tell_start()
    for tokens in (2048, 8192):
        model.tell_first_token(tokens)
    for batch, context in ((1, 2048), (8, 2048), (64, 1024), (256, 1024)):
        model.tell_decode_step(batch, context, lambda *of: step_bytes(options.dtype, *of))
    mixed = model.figures("throughput", "--num-prompts", 256, "--max-num-seqs", 256, "--input-range", "32,1024",
                          "--output-range", "32,1024")
    tell(figure="mixed requests", requests=256, output_tokens=mixed["output_tokens"],
         output_tokens_per_s=round(mixed["output_tokens_per_second"]), preemptions=mixed["preemptions"],
         waiting_for_host=mixed["waiting_for_host_share"])


if __name__ == "__main__":
    main()
