/** The block pool as a map: a square for each block. */
import { requestColor } from "./engine_state.js";
import { element } from "./dom.js";
import { palette, prepareCanvas } from "./canvas.js";

const kLargest = 17; // pixels of a square with its gap
const kSmallest = 2;
const kHeight = 300; // pixels that the map should not exceed
const kDimmed = 0.3; // a block that is only cached
const kOthers = 0.16; // all but the request that is pointed at

export class BlockMap {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} tip shown beside the pointer
   * @param {import("./engine_state.js").EngineState} state
   */
  constructor(canvas, tip, state) {
    this.canvas = canvas;
    this.tip = tip;
    this.state = state;
    this.pointed = -1; // block
    this.pointedOwner = -1; // request; also from outside
    this.layout = { columns: 1, pitch: kLargest, each: 1 };
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerdown", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.leave());
  }

  /** The largest squares that fit; beyond what fits at all, one for several blocks. */
  place(width) {
    const blocks = this.state.owner.length;
    const room = Math.floor(width / kSmallest) * Math.floor(kHeight / kSmallest);
    const each = Math.max(1, Math.ceil(blocks / room));
    const squares = Math.ceil(blocks / each);
    let pitch = kLargest;
    while (pitch > kSmallest && Math.ceil(squares / Math.floor(width / pitch)) * pitch > kHeight) --pitch;
    this.layout = { columns: Math.max(1, Math.floor(width / pitch)), pitch, each };
    return Math.max(pitch, Math.ceil(squares / this.layout.columns) * pitch);
  }

  draw() {
    const { state } = this;
    const height = this.place(this.canvas.clientWidth);
    this.canvas.style.height = `${height}px`;
    const context = prepareCanvas(this.canvas);
    const { columns, pitch, each } = this.layout;
    const colors = palette();
    const size = pitch - (pitch > 5 ? 2 : pitch > 2 ? 1 : 0);
    const highlight = this.pointedOwner;
    const cache = new Map();
    for (let square = 0; square * each < state.owner.length; ++square) {
      const block = square * each;
      const x = (square % columns) * pitch;
      const y = Math.floor(square / columns) * pitch;
      const held = state.references[block] > 0;
      const owner = this.ownerOf(block);
      const color = cache.get(owner) ?? this.colorOf(block, colors);
      if (owner >= 0) cache.set(owner, color);
      const dimmed = !held && state.cached[block] ? kDimmed : 1;
      context.globalAlpha = highlight >= 0 && owner !== highlight ? dimmed * kOthers : dimmed;
      context.fillStyle = color;
      context.fillRect(x, y, size, size);
      if (state.references[block] > 1 && size >= 3) this.markShared(context, x, y, size, colors);
    }
    context.globalAlpha = 1;
    if (this.pointed >= 0) this.outline(context, size, colors);
  }

  /** The request in whose colour a block is drawn. @returns {number} -1: none */
  ownerOf(block) {
    const { state } = this;
    if (state.references[block] > 0) return state.owner[block];
    return state.cached[block] ? state.lastOwner[block] : -1;
  }

  colorOf(block, colors) {
    const owner = this.ownerOf(block);
    if (owner >= 0) return requestColor(owner, colors.dark);
    return this.state.references[block] > 0 || this.state.cached[block] ? colors.soft : colors.free;
  }

  /** Gives the legend colours that the map has now; where it has none of a kind, those that it would have. */
  showLegend(legend) {
    const { references, cached } = this.state;
    const colors = palette();
    const holders = this.state.holders().map((holder) => requestColor(holder.number, colors.dark));
    const first = (kind) => {
      const block = references.findIndex((count, i) => kind(count, i));
      return block < 0 ? null : this.colorOf(block, colors);
    };
    const some = holders.length > 0 ? holders : [1, 2, 3].map((number) => requestColor(number, colors.dark));
    for (let i = 0; i < 3; ++i) legend.style.setProperty(`--held-${i}`, some[i % some.length]);
    legend.style.setProperty("--shared", first((count) => count > 1) ?? some[0]);
    legend.style.setProperty("--cached", first((count, i) => count === 0 && cached[i]) ?? some[0]);
    legend.style.setProperty("--dimmed", String(kDimmed));
  }

  /** Shared: a hole in the middle. */
  markShared(context, x, y, size, colors) {
    const hole = Math.max(1, Math.round(size * 0.36));
    const inset = Math.floor((size - hole) / 2);
    context.fillStyle = colors.raised;
    context.fillRect(x + inset, y + inset, hole, hole);
  }

  outline(context, size, colors) {
    const { columns, pitch, each } = this.layout;
    const square = Math.floor(this.pointed / each);
    context.strokeStyle = colors.text;
    context.lineWidth = 1.5;
    context.strokeRect(
      (square % columns) * pitch - 0.5,
      Math.floor(square / columns) * pitch - 0.5,
      size + 1,
      size + 1,
    );
  }

  point(event) {
    const { columns, pitch, each } = this.layout;
    const column = Math.floor(event.offsetX / pitch);
    const block = (Math.floor(event.offsetY / pitch) * columns + column) * each;
    if (column >= columns || block < 0 || block >= this.state.owner.length) return this.leave();
    this.pointed = block;
    this.pointedOwner = this.state.owner[block];
    this.tip.replaceChildren(...this.describe(block));
    this.tip.hidden = false;
    const box = this.canvas.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, window.innerWidth - this.tip.offsetWidth - 10);
    const below = event.clientY + 18 + this.tip.offsetHeight < window.innerHeight;
    this.tip.style.left = `${Math.max(10, left)}px`;
    this.tip.style.top = `${below ? event.clientY + 18 : event.clientY - this.tip.offsetHeight - 12}px`;
    if (box.width > 0) this.draw();
  }

  leave() {
    this.pointed = -1;
    this.pointedOwner = -1;
    this.tip.hidden = true;
    this.draw();
  }

  /** @param {number} owner -1: none */
  highlight(owner) {
    this.pointedOwner = owner;
    this.draw();
  }

  /** @param {number} block */
  describe(block) {
    const { owner, references, cached, owners } = this.state;
    const lines = [element("b", {}, `Block ${block.toLocaleString("en")}`)];
    const count = references[block];
    if (count > 0) {
      const id = owners.get(owner[block]);
      lines.push(owner[block] < 0 ? "held by a step in flight" : id || `request ${owner[block]}`);
      lines.push(`${count} ${count === 1 ? "reference" : "references"}${count > 1 ? ", shared" : ""}`);
      if (cached[block]) lines.push("in the prefix cache");
    } else {
      lines.push(cached[block] ? "free, its prefix may be found again" : "free");
    }
    return lines.map((line) => element("div", {}, line));
  }
}
