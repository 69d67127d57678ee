/**
 * Shows markdown that grows. Nodes are made by hand and hold text alone, so nothing in it can become live markup. A
 * block that another one follows is never touched again; only the last one is made again as text arrives.
 */
import { copyFrom, element, icon } from "./dom.js";
import { highlight } from "./highlight.js";
import { parseBlocks } from "./markdown.js";

/** @typedef {import("./markdown.js").Block} Block @typedef {import("./markdown_inline.js").Inline} Inline */

export class MarkdownView {
  /** @param {HTMLElement} root emptied */
  constructor(root) {
    this.root = root;
    this.clear();
  }

  clear() {
    this.root.replaceChildren();
    this.source = "";
    this.settled = 0; // characters of the source whose blocks are final
    /** @type {Node[]} of the blocks that are not */
    this.open = [];
    this.openCode = null;
  }

  /** @param {string} source what was shown before with more at its end, or anything else, which starts anew */
  show(source) {
    if (source === this.source) return;
    if (!source.startsWith(this.source)) this.clear();
    this.source = source;
    const tail = source.slice(this.settled);
    const lines = tail.split("\n");
    const blocks = parseBlocks(lines);
    if (this.growCode(blocks)) return;
    for (const node of this.open) node.remove();
    const nodes = blocks.map((placed) => blockNode(placed.block));
    this.root.append(...nodes);
    const last = blocks.at(-1);
    this.openCode = last?.block.type === "code" && !last.block.closed ? nodes.at(-1) : null;
    // Blocks before the last are final once the line that ended them is whole: "#" may yet become "#1", no heading.
    const settles = blocks.length > 1 && last.line < lines.length - 1 ? blocks.length - 1 : 0;
    this.open = nodes.slice(settles);
    if (settles > 0) this.settled += lengthOf(lines, last.line);
  }

  /** More of a code block that is the only open one: its text grows in place, so that a selection in it stays. */
  growCode(blocks) {
    const block = blocks[0]?.block;
    if (this.openCode === null || this.open.length !== 1 || blocks.length !== 1 || block.type !== "code") return false;
    if (block.closed) return false; // colours come with the whole
    const code = this.openCode.querySelector("code");
    if (
      code.firstChild instanceof Text &&
      code.childNodes.length === 1 &&
      block.text.startsWith(code.firstChild.data)
    ) {
      code.firstChild.appendData(block.text.slice(code.firstChild.data.length));
      return true;
    }
    return false;
  }
}

/** Characters of the first `count` lines and of the breaks after them. */
function lengthOf(lines, count) {
  let length = 0;
  for (let i = 0; i < count; ++i) length += lines[i].length + 1;
  return length;
}

/** @param {Block} block @returns {HTMLElement} */
function blockNode(block) {
  switch (block.type) {
    case "heading":
      return element(`h${Math.min(block.level + 1, 6)}`, {}, ...inlineNodes(block.children));
    case "paragraph":
      return element("p", {}, ...inlineNodes(block.children));
    case "rule":
      return element("hr");
    case "quote":
      return element("blockquote", {}, ...block.children.map(blockNode));
    case "list":
      return listNode(block);
    case "table":
      return tableNode(block);
    default:
      return codeNode(block);
  }
}

function listNode(block) {
  const items = block.items.map((item) => {
    const box =
      item.checked === null
        ? null
        : element("input", {
            type: "checkbox",
            disabled: true,
            checked: item.checked,
            "aria-label": item.checked ? "done" : "to do",
          });
    const children = item.children.flatMap((child) =>
      block.tight && child.type === "paragraph" ? inlineNodes(child.children) : [blockNode(child)],
    );
    return element(box ? "li.task" : "li", {}, box, ...children);
  });
  if (!block.ordered) return element("ul", {}, ...items);
  return element("ol", { start: block.start === 1 ? null : block.start }, ...items);
}

function tableNode(block) {
  const row = (tag, cells) =>
    element(
      "tr",
      {},
      ...cells.map((cell, i) =>
        element(
          block.align[i] ? `${tag}.${block.align[i]}` : tag,
          { scope: tag === "th" ? "col" : null },
          ...inlineNodes(cell),
        ),
      ),
    );
  return element(
    "div.table-scroll",
    { tabindex: 0, role: "group", "aria-label": "Table" },
    element(
      "table",
      {},
      element("thead", {}, row("th", block.head)),
      element("tbody", {}, ...block.rows.map((cells) => row("td", cells))),
    ),
  );
}

function codeNode(block) {
  const code = element("code", {}, ...(block.closed ? highlight(block.text, block.language) : [block.text]));
  const button = element(
    "button.copy-code",
    { type: "button", onclick: () => copyFrom(code.textContent, button) },
    icon("copy"),
    element("span", {}, "Copy"),
  );
  return element(
    "figure.code",
    {},
    element("figcaption", {}, element("span", {}, block.language || "text"), button),
    element("pre", { tabindex: 0 }, code),
  );
}

/** @param {Inline[]} nodes @returns {(Node | string)[]} */
function inlineNodes(nodes) {
  return nodes.map((node) => {
    switch (node.type) {
      case "text":
        return node.text;
      case "code":
        return element("code", {}, node.text);
      case "break":
        return element("br");
      case "link":
        return element(
          "a",
          { href: node.href, target: "_blank", rel: "noopener noreferrer" },
          ...inlineNodes(node.children),
        );
      default:
        return element(node.type, {}, ...inlineNodes(node.children));
    }
  });
}
