#!/usr/bin/env bash
# transformers' apply_chat_template (5.24.0, tokenizers 0.23.3), seen 2026-11-29.
#
# It drops a message's keys whose value is None before it renders. The official templates of DeepSeek's R1 distilled models
# and of V3 tell an assistant's turn that calls by `message['content'] is none`, which a missing key is not (an undefined
# value is no None): such a turn, in the very form in which OpenAI's API answers, is taken for one that says something,
# and joining the missing content to a text fails. With an empty text for the content it renders, without the call.
# So nothing that can be given to apply_chat_template shows the call. The function below it, render_jinja_template,
# keeps the None and renders the call.
#
# Prints what the lines of that template give in each case. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet transformers==5.24.0 tokenizers==0.23.3 jinja2==3.1.6
venv/bin/python - <<'PYTHON'
import sys

import tokenizers
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

TEMPLATE = (
    "{%- for message in messages -%}"
    "{%- if message['role'] == 'assistant' and message['content'] is none -%}"
    "{%- for call in message['tool_calls'] -%}{{ '<call>' + call['function']['name'] }}{%- endfor -%}{%- endif -%}"
    "{%- if message['role'] == 'assistant' and message['content'] is not none -%}"
    "{{ '<answer>' + message['content'] }}{%- endif -%}"
    "{%- endfor -%}"
)
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizers.Tokenizer(tokenizers.models.BPE()))


def turn(content):
    call = {"type": "function", "function": {"name": "clock", "arguments": "{}"}}
    return [{"role": "assistant", "content": content, "tool_calls": [call]}]


def shown(render):
    try:
        return render()
    except Exception as error:
        return type(error).__name__


apply = lambda content: tokenizer.apply_chat_template(turn(content), chat_template=TEMPLATE, tokenize=False)
came = {
    "apply_chat_template, content None": shown(lambda: apply(None)),
    "apply_chat_template, content ''": shown(lambda: apply("")),
    "render_jinja_template, content None": shown(lambda: render_jinja_template([turn(None)], chat_template=TEMPLATE)[0][0]),
}
for what, text in came.items():
    print(f"{what}: {text}")
sys.exit(list(came.values()) != ["UndefinedError", "<answer>", "<call>clock"])
PYTHON
