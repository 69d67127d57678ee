"""A GGUF file of a known model's shapes and types with random weights and a made-up vocabulary, for speed alone:
random_model.py NAME OUT, where NAME is one of SHAPES. Matrices are written as blocks of their types, not quantised, so
that the largest takes a minute."""

import dataclasses
import pathlib
import sys

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type


@dataclasses.dataclass
class Shapes:
    title: str
    architecture: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int  # of an expert, where there are some
    vocab: int
    context: int
    rope_base: float
    tied: bool = False  # the LM head is the embedding
    experts: int = 0
    per_token: int = 0
    row_norms: bool = False  # a norm over all heads of the queries, and one of the keys
    mxfp4: bool = False  # gpt-oss: experts of MXFP4 and all else of Q8_0, biases, sinks, a window, YaRN


SHAPES = {
    "llama-3.2-1b": Shapes("Llama 3.2 1B", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 131072, 5e5, tied=True),
    "olmoe-1b-7b": Shapes("OLMoE 1B 7B", "olmoe", 16, 2048, 16, 16, 128, 1024, 50304, 4096, 1e4, experts=64,
                          per_token=8, row_norms=True),
    "gpt-oss-20b": Shapes("gpt-oss 20B", "gpt-oss", 24, 2880, 64, 8, 64, 2880, 201088, 131072, 150000.0, experts=32,
                          per_token=4, mxfp4=True),
}


def byte_tokens():
    """GPT-2's printable stand-ins for the 256 bytes."""
    shown = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + i) for i in range(len(hidden))]


def add_settings(writer, shapes):
    writer.add_name(f"{shapes.title} shapes, random")
    writer.add_context_length(shapes.context)
    writer.add_embedding_length(shapes.hidden)
    writer.add_block_count(shapes.layers)
    writer.add_feed_forward_length(shapes.ffn)
    writer.add_head_count(shapes.heads)
    writer.add_head_count_kv(shapes.kv_heads)
    writer.add_rope_dimension_count(shapes.head_dim)
    writer.add_rope_freq_base(shapes.rope_base)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shapes.vocab)
    if shapes.experts:
        writer.add_expert_count(shapes.experts)
        writer.add_expert_used_count(shapes.per_token)
    if shapes.mxfp4:
        writer.add_key_length(shapes.head_dim)
        writer.add_value_length(shapes.head_dim)
        writer.add_expert_feed_forward_length(shapes.ffn)
        writer.add_sliding_window(128)
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(32.0)
        writer.add_rope_scaling_orig_ctx_len(4096)
    tokens = byte_tokens()
    tokens.append("to")  # what the one merge makes
    tokens += [f"token{i}" for i in range(shapes.vocab - len(tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * shapes.vocab)
    writer.add_token_merges(["t o"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)


def mxfp4_tensors(shapes):
    """As llama.cpp's MXFP4_MOE has it: what is no expert's is Q8_0."""
    hidden, rows, kv_rows = shapes.hidden, shapes.heads * shapes.head_dim, shapes.kv_heads * shapes.head_dim
    yield "token_embd.weight", (shapes.vocab, hidden), Type.Q8_0
    yield "output.weight", (shapes.vocab, hidden), Type.Q8_0
    yield "output_norm.weight", (hidden,), Type.F32
    for layer in range(shapes.layers):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (hidden,), Type.F32
        yield block + "post_attention_norm.weight", (hidden,), Type.F32
        for name, out, width in (("q", rows, hidden), ("k", kv_rows, hidden), ("v", kv_rows, hidden),
                                 ("output", hidden, rows)):
            yield f"{block}attn_{name}.weight", (out, width), Type.Q8_0
            yield f"{block}attn_{name}.bias", (out,), Type.F32
        yield block + "attn_sinks.weight", (shapes.heads,), Type.F32
        yield block + "ffn_gate_inp.weight", (shapes.experts, hidden), Type.F32
        yield block + "ffn_gate_inp.bias", (shapes.experts,), Type.F32
        for name, out, width in (("gate", shapes.ffn, hidden), ("up", shapes.ffn, hidden), ("down", hidden, shapes.ffn)):
            yield f"{block}ffn_{name}_exps.weight", (shapes.experts, out, width), Type.MXFP4
            yield f"{block}ffn_{name}_exps.bias", (shapes.experts, out), Type.F32


def tensors(shapes):
    """(name, shape, type) of each; as llama.cpp's Q4_K_M has it: of values and of down every matrix of the first and
    last eighth of the layers and every third between is Q6_K, and so is the LM head."""
    if shapes.mxfp4:
        yield from mxfp4_tensors(shapes)
        return
    hidden, rows = shapes.hidden, shapes.heads * shapes.head_dim
    kv_rows = shapes.kv_heads * shapes.head_dim
    yield "token_embd.weight", (shapes.vocab, hidden), Type.Q6_K if shapes.tied else Type.Q4_K
    if not shapes.tied:
        yield "output.weight", (shapes.vocab, hidden), Type.Q6_K
    yield "output_norm.weight", (hidden,), Type.F32
    each = (shapes.experts,) if shapes.experts else ()
    of_each = "_exps" if shapes.experts else ""
    for layer in range(shapes.layers):
        block, eighth = f"blk.{layer}.", shapes.layers // 8
        more = layer < eighth or layer >= 7 * shapes.layers // 8 or (layer - eighth) % 3 == 2
        of_more = Type.Q6_K if more else Type.Q4_K
        yield block + "attn_norm.weight", (hidden,), Type.F32
        yield block + "ffn_norm.weight", (hidden,), Type.F32
        if shapes.row_norms:
            yield block + "attn_q_norm.weight", (rows,), Type.F32
            yield block + "attn_k_norm.weight", (kv_rows,), Type.F32
        yield block + "attn_q.weight", (rows, hidden), Type.Q4_K
        yield block + "attn_k.weight", (kv_rows, hidden), Type.Q4_K
        yield block + "attn_v.weight", (kv_rows, hidden), of_more
        yield block + "attn_output.weight", (hidden, rows), Type.Q4_K
        if shapes.experts:
            yield block + "ffn_gate_inp.weight", (shapes.experts, hidden), Type.F32
        yield f"{block}ffn_gate{of_each}.weight", (*each, shapes.ffn, hidden), Type.Q4_K
        yield f"{block}ffn_up{of_each}.weight", (*each, shapes.ffn, hidden), Type.Q4_K
        yield f"{block}ffn_down{of_each}.weight", (*each, hidden, shapes.ffn), of_more


def byte_shape(shape, kind):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    return (*shape[:-1], shape[-1] // block * size)


def values(random, shape, kind):
    """Matrices' values have mean 0 and, about, deviation 0.5 / sqrt(inputs)."""
    deviation = 0.5 / shape[-1] ** 0.5
    if len(shape) == 1:
        return np.ones(shape, np.float32)
    if kind == Type.F32:
        return random.standard_normal(shape, np.float32) * np.float32(deviation)
    data = random.integers(0, 256, byte_shape(shape, kind), np.uint8)
    blocks = data.reshape(-1, gguf.GGML_QUANT_SIZES[kind][1])
    if kind == Type.Q4_K:  # d * scale * level - m * minimum, 6 bits, 4 and 6
        d = np.float16(deviation / 230)
        blocks[:, :4] = np.array([d, np.float16(7.5 * d)]).view(np.uint8)
    elif kind == Type.MXFP4:  # 2^(d - 127) * value, of deviation 2.9
        blocks[:, :1] = 127 + round(np.log2(deviation / 2.9))
    elif kind == Type.Q8_0:
        blocks[:, :2] = np.array([np.float16(deviation / 74)]).view(np.uint8)
    else:
        assert kind == Type.Q6_K  # d * scale * level, 8 bits and 6
        blocks[:, 208:] = np.array([np.float16(deviation / 1370)]).view(np.uint8)
    return data


def main():
    shapes, out = SHAPES[sys.argv[1]], pathlib.Path(sys.argv[2])
    out.parent.mkdir(parents=True, exist_ok=True)
    half = out.with_suffix(".part")
    writer = gguf.GGUFWriter(half, shapes.architecture)
    add_settings(writer, shapes)
    for name, shape, kind in tensors(shapes):
        plain = kind == Type.F32
        bytes_shape = shape if plain else byte_shape(shape, kind)
        dtype = np.dtype(np.float32 if plain else np.uint8)
        writer.add_tensor_info(name, bytes_shape, dtype, int(np.prod(bytes_shape)) * dtype.itemsize,
                               None if plain else kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(0)
    for _, shape, kind in tensors(shapes):
        writer.write_tensor_data(values(random, shape, kind))
    writer.close()
    half.rename(out)


if __name__ == "__main__":
    main()
