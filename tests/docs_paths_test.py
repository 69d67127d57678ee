"""Every file and folder of the tree that a page under docs/ or the README names exists.

A name counts where it stands in backticks or is a link's target, and begins with a folder of the tree or of src/.
"""

import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOP = {path.name for path in ROOT.iterdir() if path.is_dir()} - {".git", "build"}
SRC = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}


def named(page):
    text = page.read_text()
    text = re.sub(r"^## Planned$.*?(?=^## |\Z)", "", text, flags=re.M | re.S)
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    for name in re.findall(r"`([\w./-]+/[\w./-]*)`", text):
        if name.split("/")[0] in TOP | SRC:
            yield name
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        yield str((page.parent / link).resolve().relative_to(ROOT))


def exists(name):
    return any(list(base.glob(name.rstrip("/"))) for base in (ROOT, ROOT / "src", ROOT / "include"))


class DocsPaths(unittest.TestCase):
    def test_what_pages_name_exists(self):
        pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
        missing = [f"{page.relative_to(ROOT)}: {name}" for page in pages for name in named(page) if not exists(name)]
        self.assertEqual([], missing, "\nnamed, but not in the tree:\n" + "\n".join(missing))


if __name__ == "__main__":
    sys.exit(unittest.main())
