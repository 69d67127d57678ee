#!/usr/bin/env python3
"""Compares Caravel's chat templates with transformers', byte for byte.

    templates.py CHECK TEMPLATES... [--show N] [--save FILE] [--traits]

CHECK is the program tests/peers/template_check. TEMPLATES are .jinja files, folders of them, .gguf files (their
tokenizer.chat_template) and tokenizer_config.json files. Every template is rendered over a matrix of conversations. A
pair matches where both render the same text, or where transformers raises and Caravel refuses (where the template raised
the error itself, with the same message). transformers is asked by apply_chat_template, which drops a message's keys whose
value is null; the interpreter is given what is left, too, since what Caravel makes of null is decided before (the tests
of src/chat hold that). With --traits CHECK prints what it decides of each template. Exits with 1 where a pair differs. --save keeps what transformers gave as JSON
lines, for goldens. Needs transformers and jinja2; gguf for .gguf files.
"""

import argparse
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

import jinja2
import tokenizers
import transformers
from transformers.utils import chat_template_utils

NOW = 1753444800  # 2025-07-25 12:00 UTC
BOS, EOS = "<bos>", "<eos>"


class FrozenTime(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)


chat_template_utils.datetime = FrozenTime

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather for a place, in \u00b0C.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name of the city, e.g. \u6771\u4eac"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": ["integer", "null"], "description": "How many"},
            },
            "required": ["city"],
        },
        "return": {"type": "object", "description": "The weather"},
    },
}
SEARCH = {
    "type": "function",
    "function": {
        "name": "search",
        "description": 'Searches <docs> & "notes"\'s pages.',
        "parameters": {
            "type": "object",
            "properties": {
                "queries": {"type": "array", "items": {"type": "string"}},
                "options": {
                    "type": "object",
                    "properties": {"limit": {"type": "number"}, "exact": {"type": "boolean"}},
                    "required": ["limit"],
                },
            },
            "required": ["queries", "options"],
        },
    },
}
NO_PARAMETERS = {"type": "function", "function": {"name": "now", "description": "The time", "parameters": {}}}
TOOLS = [WEATHER, SEARCH]


def user(content, **more):
    return {"role": "user", "content": content, **more}


def system(content):
    return {"role": "system", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def call(name, arguments, call_id="call00001"):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool(content, call_id="call00001", name="get_weather"):
    return {"role": "tool", "content": content, "tool_call_id": call_id, "name": name}


def parts(*texts):
    return [{"type": "text", "text": text} for text in texts]


ARGUMENTS = {"city": "K\u00f6ln", "days": 3, "unit": None, "exact": True, "ratio": 0.5}
QUERY = {"queries": ["a<b", "c'd"], "options": {"limit": 1e-7, "exact": False}}


def conversations():
    """(name, input) pairs; an input has the fields of ChatInput but bos, eos and now."""
    hello = [user("Hello!")]
    turns = [user("Hi"), assistant("Hello. How can I help?"), user("Tell me a joke."), assistant("No."), user("Please?")]
    tool_turn = [
        user("Weather in K\u00f6ln?"),
        assistant("", tool_calls=[call("get_weather", ARGUMENTS)]),
        tool('{"temp": 21}'),
    ]
    answered = tool_turn + [assistant("It is 21 degrees."), user("Thanks")]
    parallel = [
        user("Both?"),
        assistant("I look.", tool_calls=[call("get_weather", ARGUMENTS, "call00001"), call("search", QUERY, "call00002")]),
        tool("21", "call00001"),
        tool("nothing", "call00002", "search"),
    ]
    strings = [
        user("Weather?"),
        assistant(None, tool_calls=[call("get_weather", json.dumps(ARGUMENTS))]),
        tool("21"),
    ]
    bare = [user("Go"), {"role": "assistant", "tool_calls": [call("get_weather", {})]}, tool("21"), user("More")]
    thinking = [
        user("2+2?"),
        assistant("4", reasoning_content="Two and two.\nFour."),
        user("3+3?"),
        assistant("<think>\nhm\n</think>\n\n6"),
        user("4+4?"),
    ]
    reasoned_call = [
        user("Weather?"),
        assistant("", reasoning_content="I need a tool.", tool_calls=[call("get_weather", {"city": "Rome"})]),
        tool("21"),
    ]
    alias = [user("2+2?"), assistant("4", thinking="Four."), user("And?"), assistant("5", reasoning="Five."), user("Ok")]
    image = [user([{"type": "image"}, {"type": "text", "text": "What is this?"}])]
    yield "user", {"messages": hello}
    yield "system", {"messages": [system("You are terse."), *hello]}
    yield "system only", {"messages": [system("You are terse.")]}
    yield "turns", {"messages": turns}
    yield "system turns", {"messages": [system("  Be kind.\n"), *turns]}
    yield "ends with assistant", {"messages": turns[:2]}
    yield "unicode", {"messages": [system("\u7b80\u6d01"), user(" \u00dcn\u00efc\u00f6d\u00e9 \U0001f680\u200d \u0645\u0631\u062d\u0628\u0627 'q' \"d\" <b>&amp;</b>\n\n")]}
    yield "empty content", {"messages": [user("")]}
    yield "two users", {"messages": [user("One"), user("Two")]}
    yield "starts with assistant", {"messages": [assistant("Hi"), user("Who?")]}
    yield "unknown role", {"messages": [{"role": "narrator", "content": "Once"}, user("Go on")]}
    yield "developer", {"messages": [{"role": "developer", "content": "Be short."}, user("Hi")]}
    yield "no content", {"messages": [{"role": "user"}]}
    yield "late system", {"messages": [user("Hi"), system("Now in French."), user("Again")]}
    yield "parts", {"messages": [{"role": "system", "content": parts("Be ", "kind.")}, user(parts("Hello", " there"))]}
    yield "parts turns", {"messages": [user(parts("Hi")), assistant(parts("Yes?")), user(parts("Bye"))]}
    yield "image", {"messages": image}
    yield "tools", {"messages": [system("Use tools."), *hello], "tools": TOOLS}
    yield "tools without system", {"messages": hello, "tools": [WEATHER]}
    yield "tool without parameters", {"messages": hello, "tools": [NO_PARAMETERS]}
    yield "empty tools", {"messages": hello, "tools": []}
    yield "tool turn", {"messages": tool_turn, "tools": TOOLS}
    yield "tool turn without tools", {"messages": tool_turn}
    yield "tool answered", {"messages": [system("Use tools."), *answered], "tools": TOOLS}
    yield "parallel tools", {"messages": parallel, "tools": TOOLS}
    yield "arguments as string", {"messages": strings, "tools": TOOLS}
    yield "call without content", {"messages": bare, "tools": TOOLS}
    yield "tool content parts", {"messages": [*tool_turn[:2], tool(parts("21", " degrees"))], "tools": TOOLS}
    yield "tool content object", {"messages": [*tool_turn[:2], tool({"temp": 21.0, "ok": True, "x": None})], "tools": TOOLS}
    yield "thinking", {"messages": thinking}
    yield "thinking on", {"messages": thinking, "kwargs": {"enable_thinking": True, "thinking": True}}
    yield "thinking off", {"messages": thinking, "kwargs": {"enable_thinking": False, "thinking": False}}
    yield "off", {"messages": hello, "kwargs": {"enable_thinking": False, "thinking": False, "reasoning_effort": "low"}}
    yield "effort", {"messages": hello, "tools": TOOLS, "kwargs": {"reasoning_effort": "high", "enable_thinking": True}}
    yield "reasoned call", {"messages": reasoned_call, "tools": TOOLS}
    yield "reasoning aliases", {"messages": alias, "kwargs": {"preserve_thinking": True, "clear_thinking": False}}
    yield "documents", {
        "messages": hello,
        "documents": [{"title": "A", "text": "One.", "doc_id": 1}, {"title": "B", "text": "Two 'x'.", "doc_id": 2}],
    }
    yield "other keywords", {
        "messages": [system("S"), *hello],
        "tools": TOOLS,
        "kwargs": {
            "date_string": "26 Jul 2024",
            "tools_in_user_message": False,
            "builtin_tools": ["browser", "python", "web_search"],
            "xml_tools": ["a"],
            "python_tools": ["b"],
            "controls": ["length short"],
            "model_identity": "You are Caravel.",
            "custom_instructions": "Be brief.",
            "add_vision_id": True,
            "citation_mode": "fast",
            "documents_first": True,
            "json_schema": '{"type": "object"}',
            "keep_past_thinking": True,
        },
    }


def matrix():
    for name, conversation in conversations():
        for prompt in (False, True):
            yield f"{name}{' +prompt' if prompt else ''}", {
                "tools": None,
                "documents": None,
                "kwargs": {},
                **conversation,
                "messages": without_nulls(conversation["messages"]),
                "add_generation_prompt": prompt,
                "bos_token": BOS,
                "eos_token": EOS,
                "now": NOW,
            }


TOKENIZER = transformers.PreTrainedTokenizerFast(
    tokenizer_object=tokenizers.Tokenizer(tokenizers.models.BPE()), bos_token=BOS, eos_token=EOS
)


def without_nulls(messages):
    return [{key: value for key, value in message.items() if value is not None} for message in messages]


def reference(template, conversation, continue_final_message=False):
    """What transformers does: {"text"} or {"error", "raised"}; raised: by the template itself."""
    try:
        text = TOKENIZER.apply_chat_template(
            conversation["messages"],
            tools=conversation["tools"],
            documents=conversation["documents"],
            chat_template=template,
            add_generation_prompt=conversation["add_generation_prompt"],
            continue_final_message=continue_final_message,
            tokenize=False,
            **conversation["kwargs"],
        )
        return {"text": text}
    except Exception as error:  # whatever Python raises inside a template counts
        return {"error": str(error), "kind": type(error).__name__, "raised": type(error) is jinja2.TemplateError}


def read_templates(paths):
    """(name, text) pairs."""
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            yield from read_templates(sorted(path.glob("*.jinja")))
        elif path.suffix == ".gguf":
            import gguf

            field = gguf.GGUFReader(path).fields.get("tokenizer.chat_template")
            if field is not None:
                yield path.name, bytes(field.parts[field.data[0]]).decode()
        elif path.suffix == ".json":
            template = json.loads(path.read_text()).get("chat_template")
            if template is not None:
                yield str(path), template
        else:
            yield path.name, path.read_bytes().decode()


def matches(expected, actual):
    if "text" in expected:
        return actual.get("text") == expected["text"]
    return "error" in actual and (not expected["raised"] or actual["error"].endswith(expected["error"]))


def print_traits(check, paths):
    with tempfile.TemporaryDirectory() as folder:
        for name, template in read_templates(paths):
            path = pathlib.Path(folder, "template.jinja")
            path.write_bytes(template.encode())
            row = json.dumps({"template_path": str(path), "traits": True})
            done = subprocess.run([check], input=row.encode(), stdout=subprocess.PIPE, check=True)
            print(f"{name}:")
            for key, value in json.loads(done.stdout).items():
                print(f"  {key}: {value}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check")
    parser.add_argument("templates", nargs="+")
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    parser.add_argument("--save", type=pathlib.Path)
    parser.add_argument("--traits", action="store_true", help="print what Caravel decides of each template, and exit")
    args = parser.parse_args()
    if args.traits:
        print_traits(args.check, args.templates)
        return

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, template) in enumerate(read_templates(args.templates)):
            path = pathlib.Path(folder, f"{number}.jinja")
            path.write_bytes(template.encode())
            for case, conversation in matrix():
                row = {"template": name, "case": case, "template_path": str(path), "input": conversation}
                rows.append({**row, "expected": reference(template, conversation)})
        asked = "".join(json.dumps({key: row[key] for key in ("template_path", "input")}) + "\n" for row in rows)
        done = subprocess.run([args.check], input=asked.encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    if len(answers) != len(rows):
        sys.exit(f"{args.check} gave {len(answers)} answers to {len(rows)} questions")

    wrong = [(row, answer) for row, answer in zip(rows, answers) if not matches(row["expected"], answer)]
    for row, answer in wrong[: args.show]:
        print(f"--- {row['template']}: {row['case']}\nexpected {row['expected']}\nactual   {answer}")
    if args.save:
        with args.save.open("w") as out:
            for row in rows:
                expected = {key: row["expected"][key] for key in ("text", "error", "raised") if key in row["expected"]}
                kept = {"template": row["template"], "case": row["case"], "input": row["input"], **expected}
                out.write(json.dumps(kept, ensure_ascii=False) + "\n")
    raised = sum("error" in row["expected"] for row in rows)
    templates = len({row["template"] for row in rows})
    print(f"{len(rows) - len(wrong)} of {len(rows)} pairs match ({templates} templates; {raised} pairs are errors)")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
