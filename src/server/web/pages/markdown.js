/**
 * Markdown's blocks, as a tree: what models write of CommonMark and GitHub's tables. HTML is text like any other.
 *
 * @typedef {import("./markdown_inline.js").Inline} Inline
 * @typedef {{type: "heading", level: number, children: Inline[]} | {type: "paragraph", children: Inline[]}
 *   | {type: "code", language: string, text: string, closed: boolean} | {type: "rule"}
 *   | {type: "quote", children: Block[]}
 *   | {type: "list", ordered: boolean, start: number, tight: boolean,
 *      items: {checked: boolean | null, children: Block[]}[]}
 *   | {type: "table", align: string[], head: Inline[][], rows: Inline[][][]}} Block
 */
import { parseInline } from "./markdown_inline.js";

const kMaxDepth = 8; // of quotes and lists
const kFence = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})\s*([^\s`]*).*$/;
const kHeading = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const kRule = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const kQuote = /^ {0,3}> ?/;
const kItem = /^( {0,3})([-*+]|\d{1,9}[.)])(?:( {1,4})(?=\S)|[ \t]*$|( ))/;
const kTableRule = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/**
 * @param {string} source
 * @returns {Block[]}
 */
export function parseMarkdown(source) {
  return parseBlocks(source.split("\n")).map((placed) => placed.block);
}

/**
 * Blocks with the lines they begin at.
 * @param {string[]} lines
 * @param {number} depth
 * @returns {{block: Block, line: number}[]}
 */
export function parseBlocks(lines, depth = 0) {
  const blocks = [];
  for (let line = 0; line < lines.length;) {
    if (lines[line].trim() === "") {
      ++line;
      continue;
    }
    const [block, end] = takeBlock(lines, line, depth);
    blocks.push({ block, line });
    line = end;
  }
  return blocks;
}

/** @returns {[Block, number]} the block that begins at a line, and the line after it */
function takeBlock(lines, line, depth) {
  const heading = kHeading.exec(lines[line]);
  if (heading)
    return [{ type: "heading", level: heading[1].length, children: parseInline(heading[2] ?? "") }, line + 1];
  if (kFence.test(lines[line])) return takeCode(lines, line);
  if (kRule.test(lines[line])) return [{ type: "rule" }, line + 1];
  if (depth < kMaxDepth && kQuote.test(lines[line])) return takeQuote(lines, line, depth);
  if (depth < kMaxDepth && kItem.test(lines[line])) return takeList(lines, line, depth);
  if (isTable(lines, line)) return takeTable(lines, line);
  return takeParagraph(lines, line, depth);
}

/** Whether this line ends a paragraph before it. */
function interrupts(lines, line, depth) {
  const text = lines[line];
  if (text.trim() === "" || kHeading.test(text) || kFence.test(text) || kRule.test(text)) return true;
  if (isTable(lines, line)) return true;
  if (depth >= kMaxDepth) return false;
  const item = kItem.exec(text);
  // "1986. A great year": only a list that begins with 1 interrupts, and no empty item.
  return kQuote.test(text) || (item !== null && (item[3] ?? "") !== "" && !/^(?!1[.)])\d/.test(item[2]));
}

function takeParagraph(lines, line, depth) {
  let end = line + 1;
  while (end < lines.length && !interrupts(lines, end, depth)) ++end;
  const text = lines
    .slice(line, end)
    .map((part) => part.trimStart())
    .join("\n")
    .trimEnd();
  return [{ type: "paragraph", children: parseInline(text) }, end];
}

function takeCode(lines, line) {
  const [, fence, language] = kFence.exec(lines[line]);
  const indent = lines[line].indexOf(fence[0]);
  const close = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ \t]*$`);
  const text = [];
  let end = line + 1;
  while (end < lines.length && !close.test(lines[end])) {
    text.push(lines[end].replace(new RegExp(`^ {0,${indent}}`), ""));
    ++end;
  }
  const closed = end < lines.length;
  return [{ type: "code", language, text: text.join("\n"), closed }, closed ? end + 1 : end];
}

function takeQuote(lines, line, depth) {
  const inner = [];
  let end = line;
  for (; end < lines.length; ++end) {
    if (kQuote.test(lines[end])) inner.push(lines[end].replace(kQuote, ""));
    else if (end > line && inner.at(-1).trim() !== "" && !interrupts(lines, end, depth)) inner.push(lines[end]);
    else break;
  }
  return [{ type: "quote", children: parseBlocks(inner, depth + 1).map((placed) => placed.block) }, end];
}

function takeList(lines, line, depth) {
  const first = kItem.exec(lines[line]);
  const ordered = /\d/.test(first[2]);
  const kind = first[2].at(-1);
  const items = [];
  let tight = true;
  let end = line;
  while (end < lines.length) {
    const item = kItem.exec(lines[end]);
    if (item === null || item[2].at(-1) !== kind || kRule.test(lines[end])) break;
    const [inner, next] = takeItem(lines, end, item, depth);
    const blank = next < lines.length && inner.length > 0 && inner.at(-1).trim() === "";
    while (inner.length > 0 && inner.at(-1).trim() === "") inner.pop();
    if (blank && kItem.exec(lines[next])?.[2].at(-1) === kind) tight = false;
    const task = /^\[([ xX])\] /.exec(inner[0] ?? "");
    if (task) inner[0] = inner[0].slice(4);
    const children = parseBlocks(inner, depth + 1);
    if (children.some((child, i) => i > 0 && child.block.type === "paragraph" && inner[child.line - 1].trim() === "")) {
      tight = false;
    }
    items.push({ checked: task ? task[1] !== " " : null, children: children.map((child) => child.block) });
    end = next;
  }
  return [{ type: "list", ordered, start: ordered ? parseInt(first[2], 10) : 1, tight, items }, end];
}

/** @returns {[string[], number]} an item's lines without their indent, and the line after it */
function takeItem(lines, line, item, depth) {
  const indent = item[1].length + item[2].length + (item[3]?.length ?? 1);
  const inner = [lines[line].slice(Math.min(indent, lines[line].length))];
  let end = line + 1;
  for (; end < lines.length; ++end) {
    const blank = lines[end].trim() === "";
    const own = lines[end].length - lines[end].trimStart().length;
    if (blank) inner.push("");
    else if (own >= indent) inner.push(lines[end].slice(indent));
    // Models indent what lies in an item by two or three even where its number is wider.
    else if (own >= 2 && own > item[1].length) inner.push(lines[end].slice(own));
    else if (inner.at(-1).trim() !== "" && !interrupts(lines, end, depth) && !kItem.test(lines[end]))
      inner.push(lines[end]);
    else break;
  }
  return [inner, end];
}

function isTable(lines, line) {
  if (line + 1 >= lines.length || !lines[line].includes("|") || !kTableRule.test(lines[line + 1])) return false;
  return lines[line + 1].includes("-") && cells(lines[line]).length === cells(lines[line + 1]).length;
}

function takeTable(lines, line) {
  const align = cells(lines[line + 1]).map((cell) => {
    if (cell.endsWith(":")) return cell.startsWith(":") ? "center" : "right";
    return cell.startsWith(":") ? "left" : "";
  });
  const head = cells(lines[line]).map((cell) => parseInline(cell));
  const rows = [];
  let end = line + 2;
  while (end < lines.length && lines[end].includes("|")) {
    const row = cells(lines[end])
      .slice(0, align.length)
      .map((cell) => parseInline(cell));
    while (row.length < align.length) row.push([]);
    rows.push(row);
    ++end;
  }
  return [{ type: "table", align, head, rows }, end];
}

/** A row's cells; a bar after a backslash or in a code span is no border. */
function cells(text) {
  const row = text.trim().replace(/^\|/, "").replace(/\|$/, "");
  const out = [""];
  let code = false;
  for (let i = 0; i < row.length; ++i) {
    if (row[i] === "\\" && row[i + 1] === "|") {
      out[out.length - 1] += "|";
      ++i;
    } else if (row[i] === "|" && !code) {
      out.push("");
    } else {
      if (row[i] === "`") code = !code;
      out[out.length - 1] += row[i];
    }
  }
  return out.map((cell) => cell.trim());
}
