/**
 * What the feed has told so far.
 *
 * @typedef {{number: number, end: number, seconds: number, prefill: number, decode: number, waiting: number,
 *   running: number, swapped: number}} Step times in seconds since the engine was opened
 */
export const kWindow = 60; // seconds that charts show

export class EngineState {
  constructor() {
    this.reset();
    this.model = null;
  }

  /** Before a connection's first event, which tells all blocks that are not free and all steps that are kept. */
  reset() {
    this.engine = null;
    this.receivedAt = 0;
    /** @type {Step[]} */
    this.steps = [];
    this.owner = new Float64Array(0); // [blocks] request number; -1: in nobody's table
    this.lastOwner = new Float64Array(0); // [blocks] the one before it was free; -1: never seen
    this.references = new Int32Array(0); // [blocks]
    this.cached = new Uint8Array(0); // [blocks] in the prefix index
    /** @type {Map<number, string>} */
    this.owners = new Map();
  }

  /** @param {any} event as FeedEncoder makes it (src/server/web/feed_encoder.h) */
  apply(event) {
    this.engine = event.engine;
    this.receivedAt = performance.now();
    if (event.model) this.model = event.model;
    if (this.owner.length !== event.engine.total_blocks) this.resize(event.engine.total_blocks);
    for (const [first, count, owner, references, cached] of event.blocks) {
      const end = first + count;
      this.owner.fill(owner, first, end);
      this.references.fill(references, first, end);
      this.cached.fill(cached, first, end);
      if (owner >= 0) this.lastOwner.fill(owner, first, end);
    }
    this.owners = new Map(event.owners);
    for (const [number, end, seconds, prefill, decode, waiting, running, swapped] of event.steps) {
      this.steps.push({ number, end, seconds, prefill, decode, waiting, running, swapped });
    }
    const old = this.steps.findIndex((step) => step.end > this.now - kWindow - 1);
    if (old > 0) this.steps.splice(0, old);
  }

  resize(blocks) {
    this.owner = new Float64Array(blocks).fill(-1);
    this.lastOwner = new Float64Array(blocks).fill(-1);
    this.references = new Int32Array(blocks);
    this.cached = new Uint8Array(blocks);
  }

  /** The engine's clock, seconds. */
  get now() {
    return this.engine === null ? 0 : this.engine.now + (performance.now() - this.receivedAt) / 1000;
  }

  /** Blocks of each request that holds some, the most first. @returns {{number: number, id: string, blocks: number}[]} */
  holders() {
    const counts = new Map();
    for (const owner of this.owner) if (owner >= 0) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    return [...counts]
      .map(([number, blocks]) => ({ number, id: this.owners.get(number) ?? "", blocks }))
      .sort((a, b) => b.blocks - a.blocks);
  }

  /**
   * Tokens a second over the window, in equal spans, the newest last.
   * @param {number} spans
   * @returns {{prefill: number[], decode: number[], seconds: number}} seconds: of one span
   */
  rates(spans) {
    const seconds = kWindow / spans;
    // Whole spans of the engine's clock, so that a value does not change as the chart moves on.
    const last = Math.floor(this.now / seconds);
    const prefill = new Array(spans).fill(0);
    const decode = new Array(spans).fill(0);
    for (const step of this.steps) {
      const span = spans - (last - Math.floor(step.end / seconds));
      if (span < 0 || span >= spans) continue;
      prefill[span] += step.prefill / seconds;
      decode[span] += step.decode / seconds;
    }
    return { prefill, decode, seconds };
  }

  /** Tokens a second over the last seconds. @param {number} seconds */
  recentRate(seconds) {
    const rate = { prefill: 0, decode: 0 };
    for (const step of this.steps) {
      if (step.end < this.now - seconds) continue;
      rate.prefill += step.prefill / seconds;
      rate.decode += step.decode / seconds;
    }
    return rate;
  }
}

/** How a request is coloured: neighbours in number are far apart in hue. @param {number} number @param {boolean} dark */
export function requestColor(number, dark) {
  const hue = (number * 137.508 + 30) % 360;
  const light = (dark ? 0.7 : 0.66) + ((number % 3) - 1) * 0.045;
  return `oklch(${light} 0.135 ${hue})`;
}
