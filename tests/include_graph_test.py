"""Reads every #include under src/ and include/ and fails on an edge that docs/architecture.md does not list.

The page's section "Who may include whom" holds one table row a folder: | `folder` | `dep`, `dep` |.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SRC = ROOT / "src"
FACE = "caravel"  # include/caravel, the public headers
HEADERS = ROOT / "include" / FACE


def allowed_edges():
    text = (ROOT / "docs" / "architecture.md").read_text()
    section = text.split("### Who may include whom")[1].split("\n### ")[0]
    edges = {}
    for row in re.findall(r"^\| `(\w+)` \|(.*)\|$", section, re.M):
        edges[row[0]] = set(re.findall(r"`(\w+)`", row[1])) | {"base", FACE, row[0]}
    edges[FACE] = {FACE}
    edges["base"] = {"base", FACE}
    return edges


def includes():
    for path in sorted(SRC.rglob("*")):
        if path.suffix not in {".h", ".cc", ".cu", ".cuh"}:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"(\w+)/', line)
            if match:
                yield path.relative_to(ROOT), number, path.relative_to(SRC).parts[0], match.group(1)


class IncludeGraph(unittest.TestCase):
    def test_every_folder_is_listed(self):
        folders = {p.name for p in SRC.iterdir() if p.is_dir() and any(p.rglob("*.h"))}
        self.assertEqual(set(), folders - set(allowed_edges()))

    def test_every_edge_is_listed(self):
        edges = allowed_edges()
        wrong = [f"{path}:{number}: {folder} -> {target}"
                 for path, number, folder, target in includes() if target not in edges.get(folder, set())]
        self.assertEqual([], wrong, "\nedges that docs/architecture.md does not list:\n" + "\n".join(wrong))

    def test_the_public_headers_include_the_standard_library_and_each_other(self):
        headers = sorted(HEADERS.iterdir())
        self.assertIn(HEADERS / "engine.h", headers)
        # The standard library's headers have neither folder nor suffix.
        allowed = re.compile(r'<[a-z_]+>|"caravel/(\w+)\.h"')
        wrong = []
        for header in headers:
            for number, line in enumerate(header.read_text().splitlines(), 1):
                match = re.match(r"\s*#\s*include\s+(\S+)", line)
                if match and not allowed.fullmatch(match.group(1)):
                    wrong.append(f"{header.relative_to(ROOT)}:{number}: {match.group(1)}")
        self.assertEqual([], wrong)

    def test_the_listed_graph_has_no_cycle(self):
        edges = allowed_edges()
        state = {}

        def visit(folder, trail):
            if state.get(folder) == "done":
                return
            self.assertNotIn(folder, trail, f"cycle: {' -> '.join(trail + [folder])}")
            for target in edges.get(folder, set()) - {folder}:
                visit(target, trail + [folder])
            state[folder] = "done"

        for folder in edges:
            visit(folder, [])


if __name__ == "__main__":
    sys.exit(unittest.main())
