/** Draws the plots of the page (#plots, made by plot_data.cc) with Chart.js, in the colours of page.css. */

const kColors = 6; // --series-0, ...
const kMany = 2000; // points that are drawn small, and as squares
const plots = JSON.parse(document.getElementById("plots").textContent);
const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
const compact = new Intl.NumberFormat("en", { maximumSignificantDigits: 3, notation: "compact" });

/** @param {number} value */
function short(value) {
  return (Math.abs(value) < 1e5 ? plain : compact).format(value);
}

const darkness = matchMedia("(prefers-color-scheme: dark)");
const colors = new Map(); // "red, green, blue" by name
darkness.addEventListener("change", () => colors.clear());

/** A colour of the page as rgba(...), which is what Chart.js reads. @param {string} name @param {number} alpha */
function color(name, alpha = 1) {
  if (!colors.has(name)) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    colors.set(name, getComputedStyle(probe).color.match(/\d+/g).slice(0, 3).join(", "));
    probe.remove();
  }
  return `rgba(${colors.get(name)}, ${alpha})`;
}

/** Bars lie, so that there is room for their names: their values run along x. */
function place(plot, point) {
  if (point === null) return { x: NaN, y: NaN };
  const [x, y, label] = point;
  return plot.kind === "bars" ? { x: y, y: x, label } : { x, y, label };
}

function dataset(plot, { name, points }, i) {
  const at = `series-${i % kColors}`;
  const common = { label: name, data: points.map((point) => place(plot, point)), borderColor: color(at) };
  if (plot.kind === "bars" || plot.kind === "histogram") {
    const overlaid = plot.kind === "histogram" && plot.series.length > 1;
    const fill = color(at, overlaid ? 0.55 : 0.85);
    return {
      ...common,
      type: "bar",
      grouped: plot.kind === "bars",
      backgroundColor: fill,
      hoverBackgroundColor: color(at),
      borderWidth: 0,
      ...(plot.kind === "histogram" && { barPercentage: 1, categoryPercentage: 0.96 }),
    };
  }
  const scattered = plot.kind === "scatter";
  const many = points.length > kMany;
  return {
    ...common,
    type: "line",
    showLine: !scattered,
    stepped: plot.kind === "ranking" ? "after" : plot.kind === "step",
    borderWidth: 2,
    borderJoinStyle: "round",
    clip: 3, // a line along an edge is drawn whole
    backgroundColor: color(at, many ? 0.45 : 0.75),
    pointBorderWidth: 0,
    pointRadius: scattered ? (many ? 1.5 : 3) : 0,
    pointHitRadius: 0,
    pointHoverRadius: 5,
    pointHoverBackgroundColor: color(at),
  };
}

/** A logarithmic axis of some decades has room for the powers of ten alone. */
function thinLogTicks(scale) {
  const decades = Math.log10(scale.max / scale.min);
  const kept = decades > 3 ? [1] : decades > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const few = scale.ticks.filter(({ value }) => {
    const mantissa = value / 10 ** Math.floor(Math.log10(value) + 1e-9);
    return kept.some((one) => Math.abs(one - mantissa) < 1e-6);
  });
  if (few.length > 1) scale.ticks = few;
}

function scale(plot, name) {
  const axis = plot[name];
  const markers = plot.markers.filter((marker) => marker.axis === name).map((marker) => marker.at);
  const bounded = plot.kind === "histogram" && name === "x";
  const counts = name === { histogram: "y", ranking: "x" }[plot.kind];
  return {
    type: axis.log ? "logarithmic" : "linear",
    offset: false,
    min: axis.low,
    max: axis.high,
    suggestedMin: Math.min(...markers),
    suggestedMax: Math.max(...markers),
    beginAtZero: counts || (name === "y" && plot.kind === "bars"),
    title: { display: axis.label !== "", text: axis.label, color: color("soft") },
    grid: { color: color("line"), borderColor: color("line"), offset: false },
    ticks: {
      color: color("soft"),
      maxRotation: 0,
      autoSkipPadding: 12,
      includeBounds: !bounded,
      maxTicksLimit: axis.log ? undefined : 8,
      precision: counts ? 0 : undefined,
      callback: short,
    },
    afterBuildTicks: axis.log ? thinLogTicks : undefined,
  };
}

function barNames(plot) {
  return {
    type: "category",
    labels: plot.bars,
    title: { display: plot.x.label !== "", text: plot.x.label, color: color("soft") },
    grid: { display: false, borderColor: color("line") },
    ticks: {
      color: color("text"),
      autoSkip: false,
      callback(value) {
        const name = this.getLabelForValue(value);
        const room = this.chart.width < 500 ? 22 : 44;
        return name.length > room ? `${name.slice(0, room - 1)}…` : name;
      },
    },
  };
}

/** Chart.js draws each point as a path of its own, which takes several times as long. */
const squares = {
  id: "squares",
  beforeDatasetDraw({ ctx, chartArea: area }, { meta }) {
    const { showLine, pointRadius, backgroundColor } = meta.controller.getDataset();
    if (showLine !== false || meta.data.length <= kMany) return true;
    ctx.save();
    ctx.beginPath();
    ctx.rect(area.left, area.top, area.right - area.left, area.bottom - area.top);
    ctx.clip();
    ctx.fillStyle = backgroundColor;
    for (const { x, y, active } of meta.data) {
      const radius = active ? 3 * pointRadius : pointRadius;
      ctx.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
    }
    ctx.restore();
    return false;
  },
};

/** What the first of a ranking has holds from 0 on. */
const rankingStart = {
  id: "rankingStart",
  afterDatasetDraw({ ctx, chartArea: area }, { meta }) {
    const { stepped, borderColor, borderWidth } = meta.controller.getDataset();
    if (stepped !== "after" || meta.data.length === 0) return;
    const { x, y } = meta.data[0];
    ctx.save();
    ctx.strokeStyle = borderColor;
    ctx.lineWidth = borderWidth;
    ctx.beginPath();
    ctx.moveTo(area.left, y);
    ctx.lineTo(x, y);
    ctx.stroke();
    ctx.restore();
  },
};

/** How many lines of the plot go through a box, or nearly. */
function crossings(chart, { left, right, top, bottom }) {
  let count = 0;
  for (const { data } of chart.getSortedVisibleDatasetMetas()) {
    let from = { x: chart.chartArea.left, y: data[0]?.y };
    for (const to of data) {
      const beside = Math.max(from.x, to.x) < left || Math.min(from.x, to.x) > right;
      if (!beside && Math.max(from.y, to.y) >= top && Math.min(from.y, to.y) <= bottom) ++count;
      from = to;
    }
  }
  return count;
}

/** Where a name of some width stands beside a line at the height y, the least in the way. */
function placeBeside(chart, y, width) {
  const { left, right, top, bottom } = chart.chartArea;
  const height = 14;
  const lefts = [right - width - 4, left + 4, (left + right - width) / 2];
  const inside = [y - height - 4, y + 4].filter((one) => one >= top && one + height <= bottom);
  const boxes = (inside.length > 0 ? inside : [top]).flatMap((one) =>
    lefts.map((from) => ({ left: Math.max(left, from), right: from + width, top: one, bottom: one + height })),
  );
  const crossed = boxes.map((box) => crossings(chart, box));
  return boxes[crossed.indexOf(Math.min(...crossed))];
}

/** Lines across the plot, with their names. */
function markersOf(plot) {
  return {
    id: "markers",
    afterDatasetsDraw(chart) {
      const { ctx, chartArea: area, scales } = chart;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = color("text");
      ctx.font = `12px ${Chart.defaults.font.family}`;
      ctx.setLineDash([5, 4]);
      plot.markers.forEach(({ axis, at, label }, i) => {
        // The values of lying bars run along x.
        const onX = (axis === "x") !== (plot.kind === "bars");
        const pixel = Math.round(scales[onX ? "x" : "y"].getPixelForValue(at)) + 0.5;
        const width = ctx.measureText(label).width;
        ctx.beginPath();
        if (onX) {
          ctx.moveTo(pixel, area.top);
          ctx.lineTo(pixel, area.bottom);
          const x = pixel + 6 + width < area.right ? pixel + 6 : Math.max(area.left, pixel - 6 - width);
          ctx.fillText(label, x, area.top + 12 + 15 * (i % 4));
        } else {
          ctx.moveTo(area.left, pixel);
          ctx.lineTo(area.right, pixel);
          const box = placeBeside(chart, pixel, width);
          ctx.fillText(label, box.left, box.bottom - 3);
        }
        ctx.stroke();
      });
      ctx.restore();
    },
  };
}

/** Labels beside their points: left above, right below, or as near as may be, where they are in nobody's way. */
function pointNamesOf(plot) {
  return {
    id: "pointNames",
    afterDatasetsDraw(chart) {
      if (!plot.named) return;
      const { ctx, chartArea: area } = chart;
      const height = 14;
      const taken = [];
      const apart = (a, b) => a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top;
      const isFree = (box) =>
        box.left >= area.left && box.right <= area.right && box.top >= area.top && box.bottom <= area.bottom &&
        taken.every((other) => apart(box, other)) && crossings(chart, box) === 0;
      ctx.save();
      ctx.fillStyle = color("text");
      ctx.font = `11px ${Chart.defaults.font.family}`;
      for (const { data, _dataset: set } of chart.getSortedVisibleDatasetMetas()) {
        data.forEach(({ x, y }, i) => {
          const label = set.data[i].label ?? "";
          const text = label.length > 30 ? `${label.slice(0, 29)}…` : label;
          const width = ctx.measureText(text).width;
          const box = [
            { left: x - width - 6, top: y - height - 3 },
            { left: x + 6, top: y + 3 },
            { left: x - width - 6, top: y + 3 },
            { left: x - width - 6, top: y - 2 * height - 3 },
          ]
            .map((at) => ({ ...at, right: at.left + width, bottom: at.top + height }))
            .find(isFree);
          if (text === "" || box === undefined) return;
          taken.push(box);
          ctx.fillText(text, box.left, box.bottom - 3);
        });
      }
      ctx.restore();
    },
  };
}

function withUnit(value, { unit }) {
  return unit === "" ? short(value) : `${short(value)} ${unit}`;
}

/** What a point says. @returns {string} */
function describe(plot, name, { x, y }) {
  const value = plot.kind === "bars" ? withUnit(x, plot.y) : withUnit(y, plot.y);
  const alone = plot.kind === "bars" || plot.kind === "histogram";
  return `${name}: ${alone ? value : `${withUnit(x, plot.x)}, ${value}`}`;
}

function title(plot, point) {
  if (plot.kind === "bars") return plot.bars[point.y];
  if (plot.kind === "histogram") return `${point.label}${plot.x.unit === "" ? "" : ` ${plot.x.unit}`}`;
  return point.label ?? "";
}

function options(plot) {
  const lying = plot.kind === "bars";
  const together = lying || plot.kind === "histogram";
  const along = lying ? "y" : "x";
  return {
    animation: false,
    maintainAspectRatio: false,
    parsing: !lying, // unparsed points would have to be sorted; parsed ones cannot be places in a list of names
    indexAxis: along,
    interaction: { mode: together ? "index" : "nearest", axis: together ? along : "xy", intersect: false },
    scales: lying ? { x: scale(plot, "y"), y: barNames(plot) } : { x: scale(plot, "x"), y: scale(plot, "y") },
    plugins: {
      legend: { display: false },
      tooltip: {
        backgroundColor: color("raised"),
        borderColor: color("line"),
        borderWidth: 1,
        titleColor: color("text"),
        bodyColor: color("text"),
        callbacks: {
          title: (items) => (items.length > 0 ? title(plot, items[0].raw) : ""),
          label: (item) => describe(plot, item.dataset.label, item.raw),
        },
      },
    },
  };
}

/** Buttons that name the series and hide them. */
function addKeys(holder, plot, chart) {
  if (plot.series.length < 2) return;
  plot.series.forEach(({ name }, i) => {
    const button = document.createElement("button");
    const swatch = document.createElement("i");
    swatch.style.setProperty("--color", `var(--series-${i % kColors})`);
    button.type = "button";
    button.append(swatch, name);
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const shown = !chart.isDatasetVisible(i);
      chart.setDatasetVisibility(i, shown);
      chart.update();
      button.setAttribute("aria-pressed", String(shown));
    });
    holder.append(button);
  });
}

/** Arrow keys go from point to point; what each says stands below the plot too. */
class Stepper {
  constructor(canvas, told, plot, chart) {
    Object.assign(this, { told, plot, chart, index: -1 });
    this.series = plot.series.findIndex(({ points }) => points.length > 0);
    this.together = plot.kind === "bars" || plot.kind === "histogram";
    canvas.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.press(event.key)) return;
      event.preventDefault();
      this.show();
    });
    canvas.addEventListener("blur", () => this.clear());
  }

  points() {
    return this.chart.data.datasets[this.series].data;
  }

  /** @returns {boolean} whether it was for us */
  press(key) {
    const page = Math.max(1, Math.round(this.points().length / 20));
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity };
    if (key === "ArrowUp" || key === "ArrowDown") {
      const step = key === "ArrowUp" ? -1 : 1;
      if (this.together) this.move(step);
      else this.turn(step);
    } else if (key in steps) {
      this.move(steps[key]);
    } else if (key === "Escape") {
      this.index = -1;
    } else {
      return false;
    }
    return true;
  }

  move(step) {
    const last = this.points().length - 1;
    const to = (index) => Math.min(last, Math.max(0, index));
    this.index = to(this.index + step);
    // Over what is not drawn, and back where nothing is drawn any more.
    const drawn = () => !Number.isNaN(this.points()[this.index].y);
    const way = step < 0 ? -1 : 1;
    while (!drawn() && this.index !== to(this.index + way)) this.index += way;
    while (!drawn() && this.index !== to(this.index - way)) this.index -= way;
  }

  /** To the next series that is shown. */
  turn(step) {
    const count = this.plot.series.length;
    for (let i = 1; i <= count; ++i) {
      const next = (this.series + step * i + count * i) % count;
      if (!this.chart.isDatasetVisible(next) || this.chart.data.datasets[next].data.length === 0) continue;
      this.series = next;
      break;
    }
    this.move(this.index < 0 ? 1 : 0);
  }

  clear() {
    this.index = -1;
    this.show();
  }

  show() {
    const { chart, plot } = this;
    const at = [];
    if (this.index >= 0) {
      plot.series.forEach((_, i) => {
        const wanted = chart.isDatasetVisible(i) && (this.together || i === this.series);
        if (wanted && this.index < chart.data.datasets[i].data.length) at.push({ datasetIndex: i, index: this.index });
      });
    }
    chart.setActiveElements(at);
    chart.tooltip.setActiveElements(at, { x: 0, y: 0 });
    chart.draw();
    const raw = ({ datasetIndex, index }) => chart.data.datasets[datasetIndex].data[index];
    const head = at.length > 0 ? title(plot, raw(at[0])) : "";
    const said = at.map((one) => describe(plot, plot.series[one.datasetIndex].name, raw(one)));
    this.told.textContent = [head, ...said].filter((line) => line !== "").join("; ");
  }
}

function draw(canvas) {
  const plot = plots[Number(canvas.dataset.plot)];
  const figure = canvas.closest("figure");
  const drawing = canvas.parentElement;
  if (plot.kind === "bars") drawing.style.height = `${4 + plot.bars.length * (0.6 + plot.series.length)}rem`;
  drawing.hidden = false;
  const datasets = plot.series.map((series, i) => dataset(plot, series, i));
  const plugins = [squares, rankingStart, markersOf(plot), pointNamesOf(plot)];
  const chart = new Chart(canvas, { data: { datasets }, options: options(plot), plugins });
  addKeys(figure.querySelector(".keys"), plot, chart);
  new Stepper(canvas, figure.querySelector(".pointed"), plot, chart);
  figure.querySelector("details").open = false;
  darkness.addEventListener("change", () => {
    plot.series.forEach((series, i) => Object.assign(chart.data.datasets[i], dataset(plot, series, i)));
    chart.options = options(plot);
    chart.update();
  });
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
for (const canvas of document.querySelectorAll("canvas[data-plot]")) draw(canvas);
