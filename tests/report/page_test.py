"""A report page full of hostile strings, as a strict reader takes it: REPORT_PAGE names the program that writes it."""

import base64
import html.parser
import json
import os
import re
import struct
import subprocess
import sys
import unittest

VOID = {"meta", "link", "img"}
EVIL = "</script><script>window.owned=1</script>"


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.text, self.problems = [], [], {}, []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if len(dict(attrs)) != len(attrs):
            self.problems.append(f"an attribute twice in <{tag}>")
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.problems.append(f"</{tag}> ends <{self.open[-1][0] if self.open else ''}>, line {self.getpos()[0]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open:
            tag, at = self.open[-1]
            self.text.setdefault((tag, at), []).append(data)

    def handle_comment(self, data):
        self.problems.append(f"a comment: {data}")

    def texts(self, wanted):
        return ["".join(parts) for (tag, _), parts in self.text.items() if tag == wanted]


class ReportPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = subprocess.run([os.environ["REPORT_PAGE"]], stdout=subprocess.PIPE, check=True).stdout.decode()
        cls.reader = Reader()
        cls.reader.feed(cls.page)
        cls.reader.close()

    def test_every_element_is_closed(self):
        self.assertEqual([], self.reader.problems)
        self.assertEqual([], self.reader.open)

    def test_only_our_elements_are_there(self):
        tags = {tag for tag, _ in self.reader.elements}
        self.assertEqual(set(), tags & {"iframe", "a", "form", "object", "base"})
        self.assertEqual(3, sum(tag == "script" for tag, _ in self.reader.elements))
        handlers = [name for _, attrs in self.reader.elements for name in attrs if name.startswith("on")]
        self.assertEqual([], handlers)

    def test_nothing_is_asked_of_another_host(self):
        for tag, attrs in self.reader.elements:
            if "src" in attrs:
                self.assertEqual("img", tag)
                self.assertRegex(attrs["src"], r"^data:image/png;base64,[A-Za-z0-9+/]+=*$")
            if "href" in attrs:
                self.assertEqual("data:,", attrs["href"])
        self.assertIsNone(re.search(r"@import|url\(", "".join(self.reader.texts("style"))))
        policy = [attrs["content"] for tag, attrs in self.reader.elements
                  if attrs.get("http-equiv") == "Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy[0])

    def test_strings_arrive_as_they_were(self):
        for tag in ("title", "h1", "h2", "h3", "caption", "th", "td", "p", "dt", "dd", "b", "span", "summary", "mark", "pre"):
            self.assertTrue(any(EVIL in text for text in self.reader.texts(tag)), tag)
        self.assertTrue(any(EVIL in attrs.get("alt", "") for _, attrs in self.reader.elements))
        plots = json.loads(next(text for text in self.reader.texts("script") if text.startswith("[{")))
        self.assertEqual(["line", "step", "scatter", "bars", "histogram"], [plot["kind"] for plot in plots])
        self.assertIn(EVIL, plots[0]["markers"][0]["label"])
        self.assertIn(EVIL, plots[2]["series"][0]["points"][0][2])
        self.assertIn(EVIL, plots[3]["bars"][0])

    def test_figures_are_there_without_scripts(self):
        details = [attrs for tag, attrs in self.reader.elements if tag == "details" and "class" not in attrs]
        self.assertEqual([{"open": None}] * 5, details)
        self.assertIn("340", self.reader.texts("td"))

    def test_a_picture_is_whole(self):
        data = next(attrs["src"] for tag, attrs in self.reader.elements if tag == "img").split(",")[1]
        picture = base64.b64decode(data, validate=True)
        self.assertEqual((b"\x89PNG\r\n\x1a\n", 320, 200), (picture[:8], *struct.unpack(">II", picture[16:24])))


if __name__ == "__main__":
    sys.exit(unittest.main())
