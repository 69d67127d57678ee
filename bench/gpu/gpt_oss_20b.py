#!/usr/bin/env python3
"""gpt-oss-20b's shapes with random weights, experts of MXFP4 and all else of BF16 as it is published, on one GPU.

  gpt_oss_20b.py CARAVEL FOLDER [--dtype TYPE] [--batch N...] [--profile] [--prefill]    as qwen3_30b_a3b.py has them

Of 32 experts 4, 21 and 32 a layer are those of 1, 8 and 64 tokens. --dtype: all weights are of that type.
"""

import expert_shapes

LAYERS = 24
CONFIG = {
    "architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss", "hidden_size": 2880, "num_hidden_layers": LAYERS,
    "intermediate_size": 2880, "num_local_experts": 32, "num_experts_per_tok": 4, "vocab_size": 201088,
    "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "attention_bias": True,
    "sliding_window": 128, "layer_types": ["sliding_attention", "full_attention"] * (LAYERS // 2),
    "rms_norm_eps": 1e-5, "rope_theta": 150000.0, "max_position_embeddings": 131072,
    "rope_scaling": {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0,
                     "original_max_position_embeddings": 4096, "truncate": False},
    "swiglu_limit": 7.0, "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    "quantization_config": {"quant_method": "mxfp4"}, "bos_token_id": 0, "eos_token_id": 1,
}

if __name__ == "__main__":
    expert_shapes.main(__doc__, "gpt-oss-20b's shapes", CONFIG, expert_dtype="MXFP4")
