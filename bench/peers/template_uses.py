#!/usr/bin/env python3
"""Counts what chat templates use of Jinja: filters, tests, methods, globals and what they read from `loop`.

    template_uses.py TEMPLATES...

TEMPLATES are .jinja files and folders of them. Equal texts count once. Prints, for each name, in how many templates it
occurs. Jinja's own parser reads them; `map`, `select` and their kin count the filter or test that they name. Needs jinja2.
"""

import collections
import pathlib
import sys

import jinja2
from jinja2 import ext, nodes


class Generation(ext.Extension):
    """The block of `transformers` that marks what the assistant wrote."""

    tags = {"generation"}

    def parse(self, parser):
        next(parser.stream)
        return parser.parse_statements(["name:endgeneration"], drop_needle=True)


def constant(arguments, place):
    found = len(arguments) > place and isinstance(arguments[place], nodes.Const)
    return [arguments[place].value] if found else []


def uses(template):
    for node in template.find_all(nodes.Filter):
        yield "filter", node.name
        for name in constant(node.args, 0) if node.name == "map" else []:
            yield "filter", name
        for name in constant(node.args, {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}.get(node.name, 99)):
            yield "test", name
    for node in template.find_all(nodes.Test):
        yield "test", node.name
    macros = {macro.name for macro in template.find_all(nodes.Macro)}
    for node in template.find_all(nodes.Call):
        if isinstance(node.node, nodes.Getattr):
            yield "method", node.node.attr
        elif isinstance(node.node, nodes.Name) and node.node.name not in macros:
            yield "global", node.node.name
    for node in template.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "loop":
            yield "loop", node.attr


def main():
    environment = jinja2.Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, "jinja2.ext.loopcontrols"]
    )
    texts = {}
    for root in map(pathlib.Path, sys.argv[1:]):
        for path in sorted(root.rglob("*.jinja")) if root.is_dir() else [root]:
            texts.setdefault(path.read_text(), path)
    counts = collections.Counter()
    read = 0
    for text, path in texts.items():
        try:
            counts.update(set(uses(environment.parse(text))))
            read += 1
        except jinja2.TemplateSyntaxError as error:
            print(f"not read: {path}: {error}", file=sys.stderr)
    print(f"{read} templates")
    for (kind, name), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1], item[0][1])):
        print(f"{kind:8}{name:24}{count}")


main()
