/** The step and time charts. */
import { drawGrid, palette, prepareCanvas, roundUp } from "./canvas.js";
import { kWindow } from "./engine_state.js";

const kMargin = { left: 40, right: 4, top: 10, bottom: 20 };
const kBar = 5; // pixels of a step's bar with its gap
const kSpans = 60; // of the throughput's window

function areaOf(canvas) {
  return {
    left: kMargin.left,
    top: kMargin.top,
    right: canvas.clientWidth - kMargin.right,
    bottom: canvas.clientHeight - kMargin.bottom,
  };
}

function label(context, text, x, y, align) {
  context.fillStyle = palette().faint;
  context.textAlign = align;
  context.textBaseline = "top";
  context.fillText(text, x, y);
}

function timeLabels(context, area) {
  label(context, `${kWindow} s ago`, area.left, area.bottom + 6, "left");
  label(context, "now", area.right, area.bottom + 6, "right");
}

/** The batch of each step: prefill on top of decode. */
export class StepChart {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} tip
   * @param {import("./engine_state.js").EngineState} state
   */
  constructor(canvas, tip, state) {
    this.canvas = canvas;
    this.tip = tip;
    this.state = state;
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => (tip.hidden = true));
  }

  shown() {
    const area = areaOf(this.canvas);
    return this.state.steps.slice(-Math.max(1, Math.floor((area.right - area.left) / kBar)));
  }

  draw() {
    const context = prepareCanvas(this.canvas);
    const area = areaOf(this.canvas);
    const steps = this.shown();
    const top = roundUp(Math.max(8, ...steps.map((step) => step.prefill + step.decode)));
    const { prefill, decode } = palette();
    drawGrid(context, area, top);
    const scale = (area.bottom - area.top) / top;
    steps.forEach((step, i) => {
      const x = area.right - (steps.length - i) * kBar;
      context.fillStyle = decode;
      context.fillRect(x, area.bottom - step.decode * scale, kBar - 1, step.decode * scale);
      context.fillStyle = prefill;
      context.fillRect(x, area.bottom - (step.decode + step.prefill) * scale, kBar - 1, step.prefill * scale);
    });
    if (steps.length > 0) {
      label(context, `step ${steps[0].number.toLocaleString("en")}`, area.left, area.bottom + 6, "left");
      label(context, steps.at(-1).number.toLocaleString("en"), area.right, area.bottom + 6, "right");
    }
  }

  point(event) {
    const area = areaOf(this.canvas);
    const steps = this.shown();
    const step = steps[steps.length - Math.ceil((area.right - event.offsetX) / kBar)];
    this.tip.hidden = step === undefined;
    if (step === undefined) return;
    this.tip.textContent =
      `Step ${step.number.toLocaleString("en")}: ${step.prefill} prefill + ${step.decode} decode ` +
      `tokens in ${(step.seconds * 1000).toFixed(1)} ms`;
    this.tip.style.left = `${Math.min(event.clientX + 14, window.innerWidth - this.tip.offsetWidth - 10)}px`;
    this.tip.style.top = `${event.clientY + 16}px`;
  }
}

/** Tokens a second: prefill and decode, each from zero. */
export function drawThroughput(canvas, state) {
  const context = prepareCanvas(canvas);
  const area = areaOf(canvas);
  const { prefill, decode } = state.rates(kSpans);
  // The newest span is still filling up.
  prefill.pop();
  decode.pop();
  const top = roundUp(Math.max(10, ...prefill, ...decode));
  const colors = palette();
  drawGrid(context, area, top);
  drawLine(context, area, prefill, top, colors.prefill);
  drawLine(context, area, decode, top, colors.decode);
  timeLabels(context, area);
}

function drawLine(context, area, values, top, color) {
  const x = (i) => area.left + ((area.right - area.left) * i) / (values.length - 1);
  const y = (value) => area.bottom - ((area.bottom - area.top) * value) / top;
  context.beginPath();
  values.forEach((value, i) => context.lineTo(x(i), y(value)));
  context.strokeStyle = color;
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.stroke();
  context.lineTo(area.right, area.bottom);
  context.lineTo(area.left, area.bottom);
  context.globalAlpha = 0.1;
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = 1;
}

/** Requests that run, wait and are swapped out, stacked, after each step. */
export function drawQueue(canvas, state) {
  const context = prepareCanvas(canvas);
  const area = areaOf(canvas);
  const steps = state.steps;
  const colors = palette();
  const top = roundUp(Math.max(4, ...steps.map((step) => step.running + step.waiting + step.swapped)));
  const x = (time) => Math.max(area.left, area.right - ((area.right - area.left) * (state.now - time)) / kWindow);
  const y = (value) => area.bottom - ((area.bottom - area.top) * value) / top;
  drawGrid(context, area, top);
  const layers = [
    ["running", (step) => step.running],
    ["waiting", (step) => step.running + step.waiting],
    ["swapped", (step) => step.running + step.waiting + step.swapped],
  ];
  for (const [name, height] of layers.reverse()) {
    context.beginPath();
    context.moveTo(area.left, area.bottom);
    let before = 0;
    for (const step of steps) {
      context.lineTo(x(step.end), y(before));
      before = height(step);
      context.lineTo(x(step.end), y(before));
    }
    context.lineTo(area.right, y(before));
    context.lineTo(area.right, area.bottom);
    context.fillStyle = colors[name];
    context.fill();
  }
  timeLabels(context, area);
}
