/** The dashboard: what the engine does now. */
import { request } from "./api.js";
import { BlockMap } from "./block_map.js";
import { StepChart, drawQueue, drawThroughput } from "./charts.js";
import { askKey } from "./dialogs.js";
import { byId, element, fillIcons } from "./dom.js";
import { EngineState, kWindow, requestColor } from "./engine_state.js";
import { palette } from "./canvas.js";
import { Feed } from "./feed.js";
import { LatencyWindow } from "./latency.js";
import { bindThemeButton } from "./theme.js";

const kRedraw = 500; // milliseconds, so that the charts move on while nothing happens
const kLatency = 2000; // milliseconds between readings of /metrics
const kRecent = 5; // seconds that the rates are of
const kHolders = 24; // requests that are listed
const kShares = [0.5, 0.9, 0.99];
const kLatencies = { first: "Time to first token", between: "Time between tokens" };

const state = new EngineState();
const latency = new LatencyWindow(kWindow);
const map = new BlockMap(byId("blocks"), byId("tip"), state);
const steps = new StepChart(byId("batch"), byId("tip"), state);

function number(value) {
  return value.toLocaleString("en", { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function bytes(value) {
  return value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(2)} GiB` : `${Math.round(value / 2 ** 20)} MiB`;
}

function seconds(value) {
  if (value === null) return "–";
  return value < 1 ? `${(value * 1000).toPrecision(3).replace(/\.0+$/, "")} ms` : `${value.toPrecision(3)} s`;
}

function share(part, whole) {
  return whole > 0 ? `${Math.round((100 * part) / whole)}` : "0";
}

/** @returns {[string, string, string, string][]} title, value, unit, note */
function figures() {
  const { engine } = state;
  const rate = state.recentRate(kRecent);
  const preemptions = engine.preemptions_recompute + engine.preemptions_swap;
  const prompt = engine.prompt_tokens + engine.cached_tokens;
  return [
    ["Decode", number(rate.decode), "tokens/s", `${number(engine.generated_tokens)} generated`],
    ["Prefill", number(rate.prefill), "tokens/s", `${number(engine.prompt_tokens)} computed`],
    [
      "Requests",
      number(engine.running_requests),
      "running",
      `${engine.waiting_requests} waiting, ${engine.swapped_requests} swapped out`,
    ],
    [
      "KV blocks in use",
      share(engine.used_blocks, engine.total_blocks),
      "%",
      `${number(engine.used_blocks)} of ${number(engine.total_blocks)}`,
    ],
    [
      "Prefix cache",
      share(engine.cached_tokens, prompt),
      "% of prompts",
      `${number(engine.cached_tokens)} tokens found`,
    ],
    [
      "Preemptions",
      number(preemptions),
      "",
      `${engine.preemptions_recompute} recomputed, ${engine.preemptions_swap} swapped`,
    ],
  ];
}

function showFigures() {
  const tiles = figures();
  if (byId("tiles").childElementCount === 0) {
    byId("tiles").append(
      ...tiles.map(([title]) =>
        element(
          "div.tile",
          {},
          element("h2", {}, title),
          element("p", {}, element("b"), element("small")),
          element("span"),
        ),
      ),
    );
  }
  tiles.forEach(([, value, unit, note], i) => {
    const tile = byId("tiles").children[i];
    tile.querySelector("b").textContent = value;
    tile.querySelector("small").textContent = unit;
    tile.querySelector("span").textContent = note;
  });
}

function showBlocks() {
  const { engine, model } = state;
  const tokens = model === null ? "" : ` of ${model.block_size} tokens`;
  byId("blocks-summary").textContent =
    `${number(engine.total_blocks)} blocks${tokens}: ${number(engine.used_blocks)} in use, ` +
    `${number(engine.cached_blocks)} free with a cached prefix`;
  map.draw();
  map.showLegend(byId("blocks-legend"));
  // Not under the pointer: a list that moves cannot be read.
  if (byId("holders").matches(":hover")) return;
  const { dark } = palette();
  byId("holders").replaceChildren(
    ...state
      .holders()
      .slice(0, kHolders)
      .map((holder) => {
        const swatch = element("i");
        swatch.style.background = requestColor(holder.number, dark);
        return element(
          "li.holder",
          {
            title: holder.id,
            onpointerenter: () => map.highlight(holder.number),
            onpointerleave: () => map.highlight(-1),
          },
          swatch,
          shortId(holder),
          " ",
          element("b", {}, String(holder.blocks)),
        );
      }),
  );
}

function shortId(holder) {
  if (holder.id === "") return `request ${holder.number}`;
  return holder.id.length > 18 ? `${holder.id.slice(0, 8)}…${holder.id.slice(-6)}` : holder.id;
}

function showMemory() {
  const { engine, model } = state;
  if (model === null) return;
  const used = engine.total_blocks > 0 ? (model.kv_pool_bytes * engine.used_blocks) / engine.total_blocks : 0;
  const parts = [
    ["weights", "weights", model.weight_bytes],
    ["kv", "KV blocks in use", used],
    ["pool", "rest of the KV pool", model.kv_pool_bytes - used],
    ["buffers", "buffers of a step", model.activation_bytes],
  ];
  byId("memory-summary").textContent = engine.resident_bytes > 0 ? `${bytes(engine.resident_bytes)} resident` : "";
  byId("memory").replaceChildren(
    ...parts.map(([name, , size]) => {
      const part = element(`div.part.${name}`);
      part.style.flexGrow = String(size);
      return part;
    }),
  );
  byId("memory-legend").replaceChildren(
    ...parts.map(([name, label, size]) => element("li", {}, element(`i.key.part.${name}`), `${label} ${bytes(size)}`)),
  );
}

function showLatency() {
  byId("latency").replaceChildren(
    ...Object.entries(kLatencies).map(([name, label]) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, label),
        ...kShares.map((part) => element("td", {}, seconds(latency.percentile(name, part)))),
      ),
    ),
  );
}

function showModel() {
  const { model } = state;
  byId("model").textContent = model.name;
  byId("model-details").textContent =
    `${model.architecture}, ${number(Math.round(model.parameters / 1e6))} M parameters, ${model.device}`;
}

function showCharts() {
  steps.draw();
  drawThroughput(byId("throughput"), state);
  drawQueue(byId("queue"), state);
}

function showAll() {
  if (state.engine === null) return;
  showFigures();
  showBlocks();
  showCharts();
  showMemory();
}

async function readLatency() {
  if (document.hidden || byId("key-dialog").open) return;
  try {
    latency.add(await (await request("/metrics")).text(), performance.now() / 1000);
  } catch {
    return; // the feed says what is wrong
  }
  showLatency();
}

fillIcons();
bindThemeButton(byId("theme"));
showLatency();
new Feed({
  onStart: () => state.reset(),
  onState: (name) => {
    byId("state").dataset.state = name;
    if (byId("state").textContent !== name) byId("state").textContent = name;
  },
  onEvent: (event) => {
    state.apply(event);
    if (event.model) showModel();
    showAll();
  },
  onKeyWanted: askKey,
});
window.addEventListener("themechange", showAll);
new ResizeObserver(showAll).observe(document.body);
setInterval(() => {
  if (document.hidden || state.engine === null) return;
  showFigures();
  showCharts();
}, kRedraw);
setInterval(readLatency, kLatency);
readLatency();
