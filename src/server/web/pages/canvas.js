/** What the canvases share: sharp pixels, the theme's colours, axes. */

/**
 * Fits the canvas to its box at the screen's density and empties it; coordinates are CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @returns {CanvasRenderingContext2D}
 */
export function prepareCanvas(canvas) {
  const density = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * density);
  const height = Math.round(canvas.clientHeight * density);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
  return context;
}

const kColors = [
  "text",
  "soft",
  "faint",
  "line",
  "raised",
  "free",
  "prefill",
  "decode",
  "running",
  "waiting",
  "swapped",
];
let colors = null;
window.addEventListener("themechange", () => (colors = null));

/** The theme's colours by name, as canvases take them; `dark` too. */
export function palette() {
  if (colors !== null) return colors;
  const probe = document.createElement("span");
  document.body.append(probe);
  colors = {};
  for (const name of kColors) {
    probe.style.color = `var(--${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.style.color = "light-dark(rgb(0, 0, 0), rgb(255, 255, 255))";
  colors.dark = getComputedStyle(probe).color === "rgb(255, 255, 255)";
  probe.remove();
  return colors;
}

/** The next round number that is no less: 1, 2 or 5 times a power of ten. @param {number} value */
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((factor) => factor * power >= value) * power;
}

/**
 * Lines and labels of a value axis from 0 to `top`.
 * @param {CanvasRenderingContext2D} context
 * @param {{left: number, top: number, right: number, bottom: number}} area
 * @param {number} top the value there
 */
export function drawGrid(context, area, top) {
  const { faint, line } = palette();
  context.font = "11px " + getComputedStyle(document.body).fontFamily;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  const parts = top === 1 ? 1 : String(top).startsWith("5") ? 5 : 4;
  for (let i = 0; i <= parts; ++i) {
    const value = (top * i) / parts;
    if (!Number.isInteger(value)) continue;
    const y = Math.round(area.bottom - ((area.bottom - area.top) * i) / parts) + 0.5;
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(area.left, y);
    context.lineTo(area.right, y);
    context.stroke();
    context.fillStyle = faint;
    context.fillText(compact(value), area.left - 6, y);
  }
}

/** @param {number} value */
export function compact(value) {
  if (value >= 10_000) return `${Math.round(value / 1000)}k`;
  if (value >= 1000) return `${(value / 1000).toFixed(value % 1000 === 0 ? 0 : 1)}k`;
  return String(Math.round(value));
}
