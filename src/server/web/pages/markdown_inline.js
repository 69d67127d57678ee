/**
 * Markdown within a block, as a tree. Time is linear in the text but for emphasis and link nesting that no person
 * writes, which is cut off.
 *
 * @typedef {{type: "text", text: string} | {type: "code", text: string} | {type: "break"}
 *   | {type: "em" | "strong" | "del", children: Inline[]}
 *   | {type: "link", href: string, children: Inline[]}} Inline
 */
import { kMaxDepth, matchEmphasis } from "./markdown_emphasis.js";

const kEntities = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const kPunctuation = /[!-/:-@[-`{-~\p{P}\p{S}]/u;

/**
 * The address, if a click on it may be allowed: http and https alone.
 * @param {string} text
 * @returns {string | null}
 */
export function safeHref(text) {
  if (!/^https?:\/\//i.test(text)) return null;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} source
 * @param {number} depth how many links and emphases are around it
 * @returns {Inline[]}
 */
export function parseInline(source, depth = 0) {
  return new InlineParser(source, depth).parse();
}

class InlineParser {
  constructor(source, depth) {
    this.source = source;
    this.depth = depth;
    this.at = 0;
    this.plain = "";
    /** @type {any[]} nodes, with delimiters not matched yet among them as {delimiter} */
    this.nodes = [];
    this.backtickRuns = null;
    this.brackets = null;
  }

  parse() {
    while (this.at < this.source.length) {
      if (!this.takeSpecial()) this.plain += this.source[this.at++];
    }
    this.flush();
    return matchEmphasis(this.nodes, this.depth);
  }

  flush() {
    if (this.plain !== "") this.nodes.push({ type: "text", text: this.plain });
    this.plain = "";
  }

  push(node, length) {
    this.flush();
    this.nodes.push(node);
    this.at += length;
    return true;
  }

  /** Takes what is special at this place; false where nothing is. */
  takeSpecial() {
    switch (this.source[this.at]) {
      case "\\":
        return this.takeEscape();
      case "\n":
        return this.takeBreak();
      case "`":
        return this.takeCode();
      case "&":
        return this.takeEntity();
      case "<":
        return this.takeAutolink();
      case "h":
        return this.takeBareUrl();
      case "!":
        return this.source[this.at + 1] === "[" && this.takeLink(1);
      case "[":
        return this.takeLink(0);
      case "*":
      case "_":
      case "~":
        return this.takeDelimiter();
      default:
        return false;
    }
  }

  takeEscape() {
    const next = this.source[this.at + 1];
    if (next === "\n") return this.push({ type: "break" }, 2);
    if (next === undefined || !/[!-/:-@[-`{-~]/.test(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  takeBreak() {
    this.plain = this.plain.replace(/ +$/, "");
    return this.push({ type: "break" }, 1);
  }

  takeCode() {
    if (this.backtickRuns === null) {
      this.backtickRuns = new Map(); // length of the run -> places, in order
      for (const run of this.source.matchAll(/`+/g)) {
        const places = this.backtickRuns.get(run[0].length) ?? [];
        this.backtickRuns.set(run[0].length, places);
        places.push(run.index);
      }
    }
    const length = /^`+/.exec(this.source.slice(this.at, this.at + 64))[0].length;
    const places = this.backtickRuns.get(length) ?? [];
    while (places.length > 0 && places[0] <= this.at) places.shift();
    if (places.length === 0) {
      this.plain += this.source.slice(this.at, this.at + length);
      this.at += length;
      return true;
    }
    let text = this.source.slice(this.at + length, places[0]).replaceAll("\n", " ");
    if (/^ .*[^ ].* $/.test(text)) text = text.slice(1, -1);
    return this.push({ type: "code", text }, places[0] + length - this.at);
  }

  takeEntity() {
    const match = /^&(?:([a-z]+)|#(\d{1,7})|#x([0-9a-f]{1,6}));/i.exec(this.source.slice(this.at, this.at + 12));
    if (match === null) return false;
    const code = match[2] ? parseInt(match[2], 10) : parseInt(match[3], 16);
    const text = match[1] ? kEntities[match[1]] : code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
    if (text === undefined) return false;
    this.plain += text;
    this.at += match[0].length;
    return true;
  }

  takeAutolink() {
    const match = /^<(https?:\/\/[^\s<>]+)>/i.exec(this.source.slice(this.at, this.at + 2048));
    const href = match && safeHref(match[1]);
    if (!href) return false;
    return this.push({ type: "link", href, children: [{ type: "text", text: match[1] }] }, match[0].length);
  }

  takeBareUrl() {
    if (this.depth > 0 || /\w/.test(this.source[this.at - 1] ?? "")) return false;
    const match = /^https?:\/\/[^\s<>"'`*|]+/.exec(this.source.slice(this.at, this.at + 2048));
    if (match === null) return false;
    let text = match[0].replace(/[.,:;!?]+$/, "");
    if (text.endsWith(")") && !text.includes("(")) text = text.slice(0, -1);
    const href = safeHref(text);
    return href !== null && this.push({ type: "link", href, children: [{ type: "text", text }] }, text.length);
  }

  /** [text](address "title"), or an image, which becomes a link: the page asks no other host for anything. */
  takeLink(skip) {
    if (this.depth >= kMaxDepth) return false;
    this.brackets ??= matchingBrackets(this.source);
    const close = this.brackets.get(this.at + skip);
    if (close === undefined || this.source[close + 1] !== "(") return false;
    const target =
      /^\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+(?:"[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/.exec(
        this.source.slice(close + 1, close + 2050),
      );
    if (target === null) return false;
    const href = safeHref(target[1] ?? target[2]);
    if (href === null) return false; // stays text, address and all
    const text = this.source.slice(this.at + skip + 1, close);
    const children = parseInline(text === "" ? href : text, Math.max(this.depth + 1, 1));
    return this.push(
      { type: "link", href, children: children.filter((child) => child.type !== "link") },
      close + 1 + target[0].length - this.at,
    );
  }

  takeDelimiter() {
    const mark = this.source[this.at];
    let end = this.at;
    while (this.source[end] === mark) ++end;
    const count = end - this.at;
    const before = this.source[this.at - 1] ?? " ";
    const after = this.source[end] ?? " ";
    const left = !/\s/.test(after) && (!kPunctuation.test(after) || /\s/.test(before) || kPunctuation.test(before));
    const right = !/\s/.test(before) && (!kPunctuation.test(before) || /\s/.test(after) || kPunctuation.test(after));
    const word = mark === "_";
    const opens = left && (!word || !right || kPunctuation.test(before));
    const closes = right && (!word || !left || kPunctuation.test(after));
    if (mark === "~" && count !== 2) return false;
    return this.push({ delimiter: { mark, count, opens, closes } }, count);
  }
}

/** Where the bracket at each place is closed. @param {string} source */
function matchingBrackets(source) {
  const pairs = new Map();
  const open = [];
  for (let i = 0; i < source.length; ++i) {
    if (source[i] === "\\") ++i;
    else if (source[i] === "[") open.push(i);
    else if (source[i] === "]" && open.length > 0) pairs.set(open.pop(), i);
  }
  return pairs;
}
