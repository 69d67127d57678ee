#!/usr/bin/env python3
"""Makes tests/fuzz/seeds of the readers of model files: small whole files, from which the fuzzers go on. Needs gguf."""

import json
import struct
from pathlib import Path

import gguf
import numpy as np

SEEDS = Path(__file__).parent / "seeds"
BYTE_LEVEL = ["<|endoftext|>", "<|im_end|>", "a", "b", "c", "Ġ", "ab", "Ġc"]
SENTENCEPIECE = ["<unk>", "<s>", "</s>", "<0x0A>", "▁", "a", "b", "ab", "▁a"]


def make_gguf(name, tokenizer, dtype):
    path = SEEDS / "gguf" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_key_value("general.sampling.temp", 0.5, gguf.GGUFValueType.FLOAT32)
    if tokenizer == "gpt2":
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("smollm")
        writer.add_token_list(BYTE_LEVEL)
        writer.add_token_types([3, 3] + [1] * 6)
        writer.add_token_merges(["a b", "Ġ c"])
        writer.add_eos_token_id(1)
        writer.add_chat_template("{{ messages }}")
    elif tokenizer == "llama":
        writer.add_tokenizer_model("llama")
        writer.add_token_list(SENTENCEPIECE)
        writer.add_token_scores([0.0] * 4 + [-float(i) for i in range(5)])
        writer.add_token_types([2, 3, 3, 6] + [1] * 5)
        writer.add_add_bos_token(True)
    shape = (2, 32)
    if dtype == gguf.GGMLQuantizationType.F32:
        writer.add_tensor("token_embd.weight", np.ones(shape, dtype=np.float32))
    else:
        quantized = gguf.quantize(np.ones(shape, dtype=np.float32), dtype)
        writer.add_tensor("token_embd.weight", quantized, raw_dtype=dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_seed(target, name, content):
    path = SEEDS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def tokenizer_json(kind):
    if kind == "byte_level":
        return {
            "added_tokens": [{"id": 0, "content": "<|endoftext|>", "special": True, "normalized": False}],
            "normalizer": {"type": "NFC"},
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": "\\p{N}{1,3}| ?\\p{L}+"}, "behavior": "Isolated", "invert": False},
                {"type": "Digits", "individual_digits": True},
                {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}]},
            "post_processor": {"type": "TemplateProcessing",
                               "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A"}}],
                               "special_tokens": {"<|endoftext|>": {"ids": [0]}}},
            "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "vocab": {text: i for i, text in enumerate(BYTE_LEVEL)},
                      "merges": [["a", "b"], ["Ġ", "c"]], "ignore_merges": True}}
    return {
        "added_tokens": [{"id": 1, "content": "<s>", "special": True, "lstrip": True}],
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
                                                           {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
        "decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "vocab": {text: i for i, text in enumerate(SENTENCEPIECE)}, "merges": ["a b", "▁ a"],
                  "byte_fallback": True, "unk_token": "<unk>", "fuse_unk": True}}


# By format, in the order of chat/tool_syntax.cc.
ANSWERS = [
    '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.add <|constrain|>json'
    '<|message|>{"a": 1}<|call|><|start|>assistant<|channel|>final<|message|>Done.<|return|>',
    'Hm.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{"a": 1}\n```<｜tool▁call▁end｜>'
    '<｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{"city": "Z"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    '<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n<arg_key>s</arg_key><arg_value>x\ty</arg_value>'
    '</tool_call><tool_call>{"name": "add", "arguments": {}}</tool_call>',
    '<minimax:tool_call>\n<invoke name="add">\n<parameter name="a">1</parameter>\n</invoke>\n<invoke name="get_weather">'
    '\n<parameter name="city">["Z"]</parameter>\n</invoke>\n</minimax:tool_call> Done.',
    '<tool_call>\n<function=add>\n<parameter=s>\n\nx\n</parameter>\n<parameter=o>\n{"k": null}\n</parameter>\n'
    '</function>\n</tool_call>',
    '<|tool_call|>[{"name": "add", "arguments": {"a": 1}}, {"name": "add", "arguments": {}}]',
    'functools[{"name": "add", "arguments": {"a": 1}}] <|tool_call|>[{"name": "add", "arguments": {}}]<|/tool_call|>',
    '<function_calls>\nadd(a=1, s="x", o={"k": None})\nget_weather(city=\'Z\')\n</function_calls>',
    '<tool_call>\n{"name": "add", "arguments": {"a": 1, "s": "\\u00e9"}}\n</tool_call>\n<tool_call>{"name": "add"',
    '[TOOL_CALLS][{"name": "add", "arguments": {"a": 1}}] [TOOL_CALLS]get_weather[ARGS]{"city": "Z"}',
    '{"name": "add", "parameters": {"a": 1}}; <|python_tag|>{"name": "get_weather", "parameters": {}}',
    '```tool_code\nadd(a=1)\n```\n```json\n{"name": "add", "parameters": {"a": True,}}\n```',
]


def main():
    make_gguf("gpt2.gguf", "gpt2", gguf.GGMLQuantizationType.Q8_0)
    make_gguf("llama.gguf", "llama", gguf.GGMLQuantizationType.F32)
    make_gguf("weights.gguf", None, gguf.GGMLQuantizationType.Q4_0)

    header = json.dumps({"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]},
                         "b": {"dtype": "BF16", "shape": [4], "data_offsets": [16, 24]}}).encode()
    header += b" " * (-len(header) % 8)
    write_seed("safetensors", "two_tensors", struct.pack("<Q", len(header)) + header + bytes(24))

    for kind in ("byte_level", "sentencepiece"):
        write_seed("tokenizer_json", kind, json.dumps(tokenizer_json(kind), ensure_ascii=False).encode())

    files = [{"eos_token_id": [1, 2], "bos_token_id": 0, "hidden_size": 32},
             {"bos_token": "<s>", "eos_token": {"content": "b"}, "add_bos_token": True,
              "chat_template": [{"name": "default", "template": "{{ x }}"}]},
             {"eos_token_id": 2, "do_sample": False, "temperature": 0.5, "top_k": 40, "top_p": 0.9, "min_p": 0.1},
             None, {"weight_map": {"w": "shard"}}, tokenizer_json("byte_level")]
    for i, content in enumerate(files):
        text = "{% for m in messages %}{{ m }}{% endfor %}" if content is None else json.dumps(content)
        write_seed("hf_folder", str(i), bytes([i]) + text.encode())
    scaled = {"w.weight": ("F8_E4M3", [4, 8], 32), "w.weight_scale": ("F32", [4, 1], 16),
              "e_blocks": ("U8", [2, 3, 1, 16], 96), "e_scales": ("U8", [2, 3, 1], 6)}
    header, end = {}, 0
    for name, (dtype, shape, size) in scaled.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    write_seed("hf_folder", "6", bytes([6]) + json.dumps(header).encode())

    for i, answer in enumerate(ANSWERS):
        write_seed("answer", str(i), bytes([i, i % 4]) + (f"<think>\nHm.\n</think>\n\n{answer}" if i % 4 else answer).encode())


if __name__ == "__main__":
    main()
