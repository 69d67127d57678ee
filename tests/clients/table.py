#!/usr/bin/env python3
"""table.py [--write] RECORDS SUITE...: holds the table of docs/clients.md to what is pinned and to what the tests of
these suites showed (RECORDS/SUITE.json, which shown.py and shown.mjs write): a row says what a passed test shows, and nothing
else. --write writes these suites' rows instead. Without a suite only names and versions are looked at."""

import argparse
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs/clients.md"
COLUMNS = ("tools", "structured", "cancelled", "errors")

# suite: its row's name, the file that pins it, its package there
CLIENTS = {
    "openai-python": ("`openai` (pip)", "requirements.txt", "openai"),
    "openai-node": ("`openai` (npm)", "package.json", "openai"),
    "anthropic": ("`anthropic`", "requirements.txt", "anthropic"),
    "litellm": ("`litellm`", "requirements-litellm.txt", "litellm"),
    "langchain": ("`langchain-openai`", "requirements-langchain.txt", "langchain-openai"),
    "llama-index": ("`llama-index-llms-openai-like`", "requirements-llama-index.txt", "llama-index-llms-openai-like"),
    "pydantic-ai": ("`pydantic-ai`", "requirements-pydantic-ai.txt", "pydantic-ai-slim"),
    "instructor": ("`instructor`", "requirements-instructor.txt", "instructor"),
    "ai-sdk": ("`@ai-sdk/openai-compatible`, `ai`", "package.json", "@ai-sdk/openai-compatible"),
}


def pinned(suite):
    _, file, package = CLIENTS[suite]
    text = (HERE / file).read_text()
    if file.endswith(".json"):
        return json.loads(text)["dependencies"][package]
    return re.search(rf"^{re.escape(package)}(?:\[[^]]*\])?==(\S+)$", text, re.M)[1]


def shown(record):
    """For each column what tests that passed show, and what failed ones would."""
    good, bad = {column: [] for column in COLUMNS}, []
    for entry in json.loads(record.read_text()) if record.exists() else []:
        if not entry["passed"]:
            bad.append(f"{entry['column']}: {entry['fact']}")
        elif entry["fact"] not in good[entry["column"]]:
            good[entry["column"]].append(entry["fact"])
    return good, bad


def row_of(suite, good):
    cells = [CLIENTS[suite][0], pinned(suite), *("; ".join(sorted(good[column])) for column in COLUMNS)]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("records", type=pathlib.Path)
    parser.add_argument("suites", nargs="*", choices=[*CLIENTS, []])
    given = parser.parse_args()
    lines = PAGE.read_text().splitlines()
    rows = {line.split(" | ")[0].removeprefix("| "): at for at, line in enumerate(lines) if line.startswith("| `")}
    wrong = [f"{name} is no client that is tested" for name in set(rows) - {name for name, *_ in CLIENTS.values()}]
    for suite, (name, file, _) in CLIENTS.items():
        if name not in rows:
            wrong.append(f"{name} has no row")
            continue
        if suite in given.suites:
            good, bad = shown(given.records / f"{suite}.json")
            wrong += [f"{name}: a test of this failed: {fact}" for fact in bad]
            wrong += [f"{name}: no test shows anything of {column}" for column in COLUMNS if not good[column]]
            if given.write:
                lines[rows[name]] = row_of(suite, good)
            elif lines[rows[name]] != row_of(suite, good):
                row = lines[rows[name]]
                wrong.append(f"{name}: the row says\n  {row}\nand the tests show\n  {row_of(suite, good)}")
        version = lines[rows[name]].split(" | ")[1]
        if version != pinned(suite):
            wrong.append(f"{name}: the row says version {version}, {file} pins {pinned(suite)}")
    if given.write:
        PAGE.write_text("\n".join(lines) + "\n")
    for what in wrong:
        print(f"docs/clients.md: {what}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
