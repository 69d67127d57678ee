#!/usr/bin/env python3
"""agent_model.py FOLDER: writes a tiny Llama that plays an agent, so that tests can follow whole conversations with
tools that nobody forces: asked with tools on offer it calls get_weather for Paris and for Rome, given the results (or asked
without tools) it says ANSWER. Every answer is the same, however it is drawn. Standard library alone.

One layer that adds nothing: the head maps each token's own direction to the token that follows. So each piece below
occurs once, and the prompt's last token decides where the model begins.
"""

import json
import pathlib
import struct
import sys

CALLS = [("get_weather", {"city": "Paris", "unit": "celsius"}), ("get_weather", {"city": "Rome", "unit": "celsius"})]
ANSWER = "Sunny in Paris, 20 °C; rain in Rome, 15 °C."

# What the model says, cut where a tokenizer might: within keys, values and marks.
CALLING = ["<tool_call>\n", '{"name": "get', '_weather", ', '"arguments": {"city"', ': "Par', 'is", "unit": "cel',
           'sius"}', "}\n",
           "</tool_call>", "\n<tool_call>", '\n{"name": "get_weather"', ', "arguments": {', '"city": "Ro', 'me", "unit":',
           ' "celsius"}}', "\n</tool_call>"]
ANSWERING = ["Sunny in", " Paris, ", "20 °", "C; rain", " in Rome", ", 15", " °C."]

# Strict where published templates are: contents are texts, arguments an object, and a result follows its call.
TEMPLATE = """\
{%- if tools %}
<|im_start|>system
{{ messages[0].content ~ '\\n\\n' if messages[0].role == 'system' else '' }}You may call functions: <tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>
{% for tool in tools %}
{{ tool | tojson }}
{% endfor %}
<|im_end|>
{% endif %}
{% set ns = namespace(calls=0) %}
{% for message in (messages[1:] if tools and messages[0].role == 'system' else messages) %}
<|im_start|>{{ message.role }}
    {% if message.content and message.content is not string %}
        {{ raise_exception('a content is no text') }}
    {% endif %}
    {% if message.role == 'tool' %}
        {% if not ns.calls %}{{ raise_exception('a result without a call') }}{% endif %}
        {% set ns.calls = ns.calls - 1 %}
    {% endif %}
{{ message.content or '' }}
    {%- for call in message.tool_calls or [] %}
        {% if call.function.arguments is not mapping %}{{ raise_exception('arguments are no object') }}{% endif %}
        {% set ns.calls = ns.calls + 1 %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
    {%- endfor %}
<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
{{ '<|calls|>' if tools and messages[-1].role != 'tool' else '<|answers|>' }}
{%- endif %}
"""

HIDDEN, HEADS, MLP = 512, 4, 64


def byte_letters():
    """The letter that byte-level vocabularies write for a byte: itself where it is printable, else one from 256 on."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    letters = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(0x100 + len(letters) - len(plain))
    return letters


def tokenizer(pieces):
    """tokenizer.json's object, and the ids of its special tokens. The prompt never has a piece: nothing is merged."""
    letters = byte_letters()
    vocabulary = {letters[byte]: byte for byte in range(256)}
    for piece in pieces:
        vocabulary["".join(letters[byte] for byte in piece.encode())] = len(vocabulary)
    assert len(vocabulary) == 256 + len(pieces), "a piece occurs twice"
    special = {mark: len(vocabulary) + index
               for index, mark in enumerate(("<|im_start|>", "<|im_end|>", "<|calls|>", "<|answers|>"))}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    added = [{"id": number, "content": mark, "special": True, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False} for mark, number in special.items()]
    return {"version": "1.0", "added_tokens": added, "normalizer": None, "pre_tokenizer": byte_level,
            "post_processor": byte_level, "decoder": byte_level,
            "model": {"type": "BPE", "vocab": vocabulary, "merges": []}}, special


def matrix(rows, columns, entries=()):
    data = bytearray(4 * rows * columns)
    for row, column, value in entries:
        struct.pack_into("<f", data, 4 * (row * columns + column), value)
    return (rows, columns), bytes(data)


def weights(size, follower, end):
    ones = (HIDDEN,), struct.pack("<f", 1) * HIDDEN
    named = {"model.embed_tokens.weight": matrix(size, HIDDEN, [(token, token, 1) for token in range(size)]),
             "lm_head.weight": matrix(size, HIDDEN, [(follower.get(token, end), token, 2) for token in range(size)]),
             "model.norm.weight": ones}
    for name, shape in {"self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (HIDDEN, HIDDEN),
                        "self_attn.v_proj": (HIDDEN, HIDDEN), "self_attn.o_proj": (HIDDEN, HIDDEN),
                        "mlp.gate_proj": (MLP, HIDDEN), "mlp.up_proj": (MLP, HIDDEN),
                        "mlp.down_proj": (HIDDEN, MLP)}.items():
        named[f"model.layers.0.{name}.weight"] = matrix(*shape)
    for name in ("input_layernorm", "post_attention_layernorm"):
        named[f"model.layers.0.{name}.weight"] = ones
    return named


def write_safetensors(path, named):
    header, at = {}, 0
    for name, (shape, data) in named.items():
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, data in named.values():
            file.write(data)


def write(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    parts, special = tokenizer(CALLING + ANSWERING)
    end = special["<|im_end|>"]
    ids = {piece: 256 + index for index, piece in enumerate(CALLING + ANSWERING)}
    follower = {}
    for mark, pieces in (("<|calls|>", CALLING), ("<|answers|>", ANSWERING)):
        said = [special[mark], *(ids[piece] for piece in pieces), end]
        follower.update(zip(said, said[1:]))
    size = 256 + len(ids) + len(special)
    assert size <= HIDDEN, "each token needs its own direction"
    files = {
        "tokenizer.json": parts,
        "tokenizer_config.json": {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>",
                                  "chat_template": TEMPLATE},
        "config.json": {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
                        "intermediate_size": MLP, "num_hidden_layers": 1, "num_attention_heads": HEADS,
                        "num_key_value_heads": HEADS, "vocab_size": size, "max_position_embeddings": 8192,
                        "rms_norm_eps": 1e-5, "tie_word_embeddings": False, "eos_token_id": end}}
    for name, value in files.items():
        (folder / name).write_text(json.dumps(value))
    write_safetensors(folder / "model.safetensors", weights(size, follower, end))


if __name__ == "__main__":
    write(sys.argv[1])
