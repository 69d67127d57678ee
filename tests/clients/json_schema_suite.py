#!/usr/bin/env python3
"""The JSON schema test suite (npm's json-schema-test-suite) against the grammars that schemas are compiled to.

    json_schema_suite.py GRAMMAR_CHECK TESTS_FOLDER     (such as node_modules/json-schema-test-suite/tests)

Every group is refused with a reason, or accepted: then no invalid instance may be in its grammar, in either reading of
the schema; and every valid one must be, in some order of its keys, in the exact reading. Formats that are not known are
annotations, named by the checker: an instance that is invalid by such a format alone may be accepted. Of the suite's
optional part valid instances may be missing: numbers of more than 19 digits, and formats that are written narrower than
they are read.
Prints the counts.
"""

import collections
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path


def orders(value):
    """The value with its objects' keys in every order (of a few keys)."""
    if isinstance(value, list):
        yield from (list(items) for items in itertools.product(*map(list, map(orders, value))))
    elif isinstance(value, dict):
        for keys in itertools.islice(itertools.permutations(value), 24):
            for items in itertools.product(*(list(orders(value[key])) for key in keys)):
                yield dict(zip(keys, items))
    else:
        yield int(value) if isinstance(value, float) and value == int(value) else value


def texts_of(value):
    return [json.dumps(v, ensure_ascii=False) for v in itertools.islice(orders(value), 200)]


def main():
    check = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(schema, exact, texts):
        check.stdin.write(json.dumps({"schema": schema, "exact": exact, "texts": texts}) + "\n")
        check.stdin.flush()
        return json.loads(check.stdout.readline())

    counts, reasons, wrong = collections.Counter(), collections.Counter(), []
    for path in sorted(Path(sys.argv[2]).rglob("*.json")):
        if path.name == "zeroTerminatedFloats.json":  # since draft 6 a float without fraction is an integer
            continue
        optional = path.parent.name == "optional"
        for group in json.loads(path.read_text()):
            name = f"{path.relative_to(sys.argv[2])}: {group['description']}"
            texts = [texts_of(test["data"]) for test in group["tests"]]
            flat = [text for some in texts for text in some]
            exact, strict = ask(group["schema"], True, flat), ask(group["schema"], False, flat)
            if "refused" in exact or "refused" in strict:
                reason = exact.get("refused") or strict["refused"]
                counts["groups refused"] += 1
                found = re.search(r"'[^']*'|nothing can match|pattern|reference", reason)
                reasons[found.group() if found else reason] += 1
                continue
            counts["groups accepted"] += 1
            at = 0
            for test, some in zip(group["tests"], texts):
                fits = [any(answer["accepts"][at:at + len(some)]) for answer in (exact, strict)]
                at += len(some)
                if not test["valid"] and any(fits) and any(name.startswith("format:") for name in exact["ignored"]):
                    counts["invalid by a format that is an annotation"] += 1
                    continue
                if not test["valid"]:
                    counts["invalid rejected" if not any(fits) else "INVALID ACCEPTED"] += 1
                    if any(fits):
                        wrong.append(f"invalid, but accepted: {name}: {test['description']}: {some[0]}")
                    continue
                missing = "valid missing (optional)" if optional else "VALID REJECTED"
                counts["valid accepted" if fits[0] else missing] += 1
                counts["valid accepted in the strict reading"] += fits[1]
                if not fits[0] and not optional:
                    wrong.append(f"valid, but rejected: {name}: {test['description']}: {some[0]}")
    for key, count in counts.items():
        print(f"{count:5}  {key}")
    print("refused for: " + ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
