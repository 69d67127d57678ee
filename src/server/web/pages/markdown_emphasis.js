/**
 * Emphasis: which runs of * _ and ~~ belong together.
 *
 * @typedef {import("./markdown_inline.js").Inline} Inline
 * @typedef {{mark: string, count: number, opens: boolean, closes: boolean}} Delimiter a run that may open or close one
 */

export const kMaxDepth = 12; // of links and emphases; deeper ones are flat

/**
 * Pairs delimiters as CommonMark does, innermost first; what stays over is text.
 * @param {any[]} nodes inline nodes, and among them {delimiter}
 * @param {number} depth how many links and emphases are around them
 * @returns {Inline[]}
 */
export function matchEmphasis(nodes, depth) {
  /** @type {any[]} */
  const out = [];
  const openers = { "*": [], _: [], "~": [] }; // places in `out`
  for (const node of nodes) {
    if (!node.delimiter) {
      out.push(node);
      continue;
    }
    const closer = node.delimiter;
    const stack = openers[closer.mark];
    while (closer.closes && closer.count > 0 && stack.length > 0) {
      const place = stack.at(-1);
      const opener = out[place].delimiter;
      const strong = opener.count >= 2 && closer.count >= 2;
      const used = strong ? 2 : 1;
      if (closer.mark === "~" && !strong) break;
      const type = closer.mark === "~" ? "del" : strong ? "strong" : "em";
      const children = merged(out.splice(place + 1));
      for (const others of Object.values(openers)) while (others.length > 0 && others.at(-1) > place) others.pop();
      opener.count -= used;
      closer.count -= used;
      if (opener.count === 0) {
        out.pop();
        stack.pop();
      }
      const height = 1 + Math.max(0, ...children.map((child) => child.height ?? 0));
      const flat = height + depth > kMaxDepth;
      out.push(...(flat ? children : [{ type, children, height }]));
    }
    if (closer.count > 0) {
      if (closer.opens) stack.push(out.length);
      out.push({ delimiter: closer });
    }
  }
  return merged(out);
}

/** Delimiters left over become text; neighbouring texts become one. */
function merged(nodes) {
  const out = [];
  for (const node of nodes) {
    const text = node.delimiter ? node.delimiter.mark.repeat(node.delimiter.count) : node.type === "text" && node.text;
    if (typeof text !== "string") out.push(node);
    else if (out.at(-1)?.type === "text") out[out.length - 1] = { type: "text", text: out.at(-1).text + text };
    else out.push({ type: "text", text });
  }
  return out;
}
