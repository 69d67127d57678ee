#!/usr/bin/env python3
"""DeepSeek-V2-Lite's shapes (latent attention) with random weights, on one GPU: time of a decode step, and where it goes.

  deepseek_v2_lite.py CARAVEL FOLDER [--dtype F8_E4M3] [--batch N...] [--profile] [--prefill]    as qwen3_30b_a3b.py's

Of 64 experts 6, 35 and 63.9 a layer are those of 1, 8 and 64 tokens, beside two that all have.
"""

import expert_shapes

CONFIG = {
    "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "hidden_size": 2048,
    "num_hidden_layers": 27, "intermediate_size": 10944, "moe_intermediate_size": 1408, "n_routed_experts": 64,
    "num_experts_per_tok": 6, "n_shared_experts": 2, "norm_topk_prob": False, "first_k_dense_replace": 1,
    "routed_scaling_factor": 1.0, "topk_method": "greedy", "n_group": 1, "topk_group": 1, "vocab_size": 102400,
    "num_attention_heads": 16, "num_key_value_heads": 16, "kv_lora_rank": 512, "q_lora_rank": None,
    "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "rms_norm_eps": 1e-6, "rope_theta": 10000.0,
    "rope_scaling": {"rope_type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "beta_fast": 32,
                     "beta_slow": 1, "mscale": 0.707, "mscale_all_dim": 0.707},
    "max_position_embeddings": 163840, "tie_word_embeddings": False, "hidden_act": "silu", "attention_bias": False,
    "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 1,
}

if __name__ == "__main__":
    expert_shapes.main(__doc__, "DeepSeek-V2-Lite's shapes", CONFIG)
