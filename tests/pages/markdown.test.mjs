import assert from "node:assert/strict";
import { test } from "node:test";

import { parseMarkdown } from "../../src/server/web/pages/markdown.js";
import { safeHref } from "../../src/server/web/pages/markdown_inline.js";

/** A short notation of the tree: type(children). */
function notation(node) {
  if (Array.isArray(node)) return node.map(notation).join(" ");
  const label =
    { heading: () => `h${node.level}`, list: () => (node.ordered ? `ol${node.start}` : "ul") }[node.type]?.() ??
    node.type;
  if (node.type === "text") return JSON.stringify(node.text);
  if (node.type === "code") return `code:${node.language ?? ""}${JSON.stringify(node.text)}`;
  if (node.type === "link") return `link<${node.href}>(${notation(node.children)})`;
  if (node.type === "list") return `${label}(${node.items.map((item) => `[${notation(item.children)}]`).join("")})`;
  if (node.type === "table")
    return `table(${[node.head, ...node.rows].map((row) => row.map(notation).join("|")).join(" / ")})`;
  return node.children ? `${label}(${notation(node.children)})` : label;
}

const kCases = [
  ["# One\n###### Six ##\n#none", 'h1("One") h6("Six") paragraph("#none")'],
  ["a\nb\\\nc", 'paragraph("a" break "b" break "c")'],
  ["*a **b** c*", 'paragraph(em("a " strong("b") " c"))'],
  ["***x***", 'paragraph(em(strong("x")))'],
  ["snake_case_name and _so_", 'paragraph("snake_case_name and " em("so"))'],
  ["2 * 3 * 4 ~ ~~no~~", 'paragraph("2 * 3 * 4 ~ " del("no"))'],
  ["**open", 'paragraph("**open")'],
  ["`a*b*` ``x`y`` `open", 'paragraph(code:"a*b*" " " code:"x`y" " `open")'],
  ["```cpp\nint *a;\n\n</script>\n```\nafter", 'code:cpp"int *a;\\n\\n</script>" paragraph("after")'],
  ["~~~\nopen", 'code:"open"'],
  ["text\n```\ncode\n```", 'paragraph("text") code:"code"'],
  ["> a\nlazy\n> - b", 'quote(paragraph("a" break "lazy") ul([paragraph("b")]))'],
  ["- a\n  - b\n- c", 'ul([paragraph("a") ul([paragraph("b")])][paragraph("c")])'],
  ["3. a\n4. b", 'ol3([paragraph("a")][paragraph("b")])'],
  ["1. a\n   ```\n   x\n   ```\n2. b", 'ol1([paragraph("a") code:"x"][paragraph("b")])'],
  ["In\n1986. a year", 'paragraph("In" break "1986. a year")'],
  ["---\n***", "rule rule"],
  ["| a | b\\|c |\n|---|:-:|\n| `x|y` | z | extra |\n| w", 'table("a"|"b|c" / code:"x|y"|"z" / "w"|)'],
  ["a | b\nno table", 'paragraph("a | b" break "no table")'],
  [
    '[x](https://a.b/c "t") ![pic](http://h/i.png)',
    'paragraph(link<https://a.b/c>("x") " " link<http://h/i.png>("pic"))',
  ],
  [
    "see https://a.b/c(d). <https://e.f>",
    'paragraph("see " link<https://a.b/c(d)>("https://a.b/c(d)") ". " link<https://e.f/>("https://e.f"))',
  ],
  ["a &lt;b&gt; &#65; &unknown; \\*c\\*", 'paragraph("a <b> A &unknown; *c*")'],
  ["[a [b](https://x.y)](https://z.z)", 'paragraph(link<https://z.z/>("a "))'],
];

for (const [source, expected] of kCases) {
  test(`markdown: ${JSON.stringify(source).slice(0, 60)}`, () =>
    assert.equal(notation(parseMarkdown(source)), expected));
}

test("only http and https become links", () => {
  for (const address of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example",
    "/relative",
    "https:",
    "http://",
    "blob:null/1234",
    "\u0001javascript:x",
  ]) {
    assert.equal(safeHref(address), null, address);
    const tree = notation(parseMarkdown(`[x](${address}) <${address}> ![y](${address})`));
    assert.ok(!tree.includes("link<"), tree);
  }
  assert.equal(safeHref("HTTPS://Example.com/a b"), "https://example.com/a%20b");
});

test("HTML stays text", () => {
  const source = '<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n<a href="javascript:x">y</a>';
  const tree = parseMarkdown(source);
  assert.ok(
    tree.every((block) => block.type === "paragraph" && block.children.every((child) => child.type === "text")),
    notation(tree),
  );
});

test("hostile nesting and repetition take little time", () => {
  const kTimes = 20_000;
  const sources = [
    "> ",
    "- ",
    "[",
    "![",
    "`a``",
    "*a ",
    "a* ",
    "_",
    "**a",
    "~~",
    "|a",
    "<",
    "&",
    "1. ",
    "#",
    "```\n",
    "[a](",
    "\\",
  ]
    .map((piece) => piece.repeat(kTimes))
    .concat([
      "*a ".repeat(kTimes) + "a* ".repeat(kTimes),
      "[".repeat(kTimes) + "]".repeat(kTimes),
      `${"|a".repeat(kTimes)}\n${"|-".repeat(kTimes)}`,
    ]);
  for (const source of sources) {
    const begin = process.cpuUsage();
    parseMarkdown(source);
    const used = process.cpuUsage(begin);
    assert.ok(used.user + used.system < 3e6, `${source.slice(0, 12)}… took ${(used.user + used.system) / 1e3} ms`);
  }
});
