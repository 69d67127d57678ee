"""A GGUF file of Llama 3.2 1B's shapes with random F16 weights and a made-up vocabulary, for speed alone:
random_model.py OUT (2.5 GB)."""

import pathlib
import sys

import gguf
import numpy as np

LAYERS, HIDDEN, HEADS, KV_HEADS, HEAD_DIM, FFN, VOCAB = 16, 2048, 32, 8, 64, 8192, 128256


def byte_tokens():
    """GPT-2's printable stand-ins for the 256 bytes."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + i) for i in range(len(hidden))]


def main():
    out = pathlib.Path(sys.argv[1])
    out.parent.mkdir(parents=True, exist_ok=True)
    half = out.with_suffix(".part")
    writer = gguf.GGUFWriter(half, "llama")
    writer.add_name("Llama 3.2 1B shapes, random")
    writer.add_context_length(131072)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(HEAD_DIM)
    writer.add_rope_freq_base(500000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCAB)
    tokens = byte_tokens()
    tokens.append("to")  # what the one merge makes
    tokens += [f"token{i}" for i in range(VOCAB - len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * VOCAB)
    writer.add_token_merges(["t o"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)

    random = np.random.default_rng(0)

    def add(name, *shape):
        weights = random.standard_normal(shape, np.float32)
        writer.add_tensor(name, (weights * (0.5 / shape[-1] ** 0.5)).astype(np.float16))

    add("token_embd.weight", VOCAB, HIDDEN)
    writer.add_tensor("output_norm.weight", np.ones(HIDDEN, np.float32))
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"{block}{norm}.weight", np.ones(HIDDEN, np.float32))
        add(block + "attn_q.weight", HEADS * HEAD_DIM, HIDDEN)
        add(block + "attn_k.weight", KV_HEADS * HEAD_DIM, HIDDEN)
        add(block + "attn_v.weight", KV_HEADS * HEAD_DIM, HIDDEN)
        add(block + "attn_output.weight", HIDDEN, HEADS * HEAD_DIM)
        add(block + "ffn_gate.weight", FFN, HIDDEN)
        add(block + "ffn_up.weight", FFN, HIDDEN)
        add(block + "ffn_down.weight", HIDDEN, FFN)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    half.rename(out)


if __name__ == "__main__":
    main()
