/**
 * Takes a stream of server-sent events apart (the HTML standard's grammar, `data` and `event` alone). Feed it text as
 * it comes, cut anywhere; it calls back once for each event.
 */
export class SseParser {
  /** @param {(data: string, event: string) => void} onEvent */
  constructor(onEvent) {
    this.onEvent = onEvent;
    this.rest = "";
    /** @type {string[]} */
    this.data = [];
    this.event = "";
    this.afterReturn = false;
  }

  /** @param {string} text */
  feed(text) {
    // A line ends at \n, \r or \r\n; a \n right after a piece that ended with \r belongs to that \r.
    if (this.afterReturn && text.startsWith("\n")) text = text.slice(1);
    if (text === "") return;
    this.afterReturn = text.endsWith("\r");
    const lines = (this.rest + text).split(/\r\n|\r|\n/);
    this.rest = lines.pop();
    for (const line of lines) this.takeLine(line);
  }

  /** @param {string} line */
  takeLine(line) {
    if (line === "") {
      if (this.data.length > 0) this.onEvent(this.data.join("\n"), this.event || "message");
      this.data = [];
      this.event = "";
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    if (field === "event") this.event = value;
  }
}

/**
 * Reads a response's events until it ends. Characters that a network packet cuts in two are put together again.
 * @param {Response} response
 * @param {(data: string, event: string) => void} onEvent
 */
export async function readEvents(response, onEvent) {
  const parser = new SseParser(onEvent);
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parser.feed(decoder.decode(value, { stream: true }));
    }
    parser.feed(decoder.decode());
  } finally {
    reader.cancel().catch(() => {}); // where onEvent has thrown: nobody wants the rest
  }
}
