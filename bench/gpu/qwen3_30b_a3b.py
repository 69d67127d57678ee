#!/usr/bin/env python3
"""Qwen3-30B-A3B's shapes with random weights, on one GPU: time of a decode step, and where it goes.

  qwen3_30b_a3b.py CARAVEL FOLDER [--dtype F8_E4M3] [--batch N...] [--profile] [--prefill]
                                                                                  makes FOLDER where it is not there

Prints a line of JSON for each figure; what they are is in shapes.py, a step's bytes in expert_shapes.py: of 128 experts
8, 51.6 and 125.9 a layer for 1, 8 and 64 tokens. --profile: microseconds of a layer, region by region, which are longer
one by one than in a step; --prefill: the first token after 2,048, too.
"""

import expert_shapes

CONFIG = {
    "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": 2048,
    "num_hidden_layers": 48, "intermediate_size": 6144, "moe_intermediate_size": 768,
    "num_experts": 128, "num_experts_per_tok": 8, "norm_topk_prob": True, "decoder_sparse_step": 1,
    "mlp_only_layers": [], "vocab_size": 151936, "num_attention_heads": 32, "num_key_value_heads": 4,
    "head_dim": 128, "rms_norm_eps": 1e-6, "rope_theta": 1000000.0, "max_position_embeddings": 40960,
    "tie_word_embeddings": False, "hidden_act": "silu", "attention_bias": False, "torch_dtype": "bfloat16",
    "bos_token_id": 0, "eos_token_id": 1,
}

if __name__ == "__main__":
    expert_shapes.main(__doc__, "Qwen3-30B-A3B's shapes", CONFIG)
