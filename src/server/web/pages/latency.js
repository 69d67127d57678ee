/** Latency percentiles from the Prometheus histograms of /metrics. */

const kFamilies = {
  first: /:time_to_first_token_seconds$/,
  between: /:(?:inter_token_latency|time_between_tokens|time_per_output_token)_seconds$/,
};

/** Counts of values no greater than each bound. @typedef {Map<number, number>} Histogram */

/**
 * @param {string} text in Prometheus' text format
 * @returns {{first: Histogram, between: Histogram}} series of one family are added up
 */
export function readHistograms(text) {
  const histograms = { first: new Map(), between: new Map() };
  for (const line of text.split("\n")) {
    const match = /^([\w:]+)_bucket\{.*?\ble="([^"]+)".*?\}\s+(\S+)/.exec(line);
    if (match === null) continue;
    for (const [name, family] of Object.entries(kFamilies)) {
      if (!family.test(match[1])) continue;
      const bound = match[2] === "+Inf" ? Infinity : Number(match[2]);
      histograms[name].set(bound, (histograms[name].get(bound) ?? 0) + Number(match[3]));
    }
  }
  return histograms;
}

/**
 * The value below which a share of the observations between two readings lies, straight within a bucket.
 * @param {Histogram} before
 * @param {Histogram} after
 * @param {number} share
 * @returns {number | null} seconds; null: there were none
 */
export function percentile(before, after, share) {
  const bounds = [...after.keys()].sort((a, b) => a - b);
  const counts = bounds.map((bound) => after.get(bound) - (before.get(bound) ?? 0));
  const total = counts.at(-1) ?? 0;
  if (total <= 0) return null;
  const wanted = share * total;
  const place = counts.findIndex((count) => count >= wanted);
  const low = place === 0 ? 0 : bounds[place - 1];
  if (bounds[place] === Infinity) return low;
  const below = place === 0 ? 0 : counts[place - 1];
  return low + ((bounds[place] - low) * (wanted - below)) / Math.max(1e-9, counts[place] - below);
}

/** Readings of the last minute; percentiles are of what came between the oldest and the newest. */
export class LatencyWindow {
  /** @param {number} seconds */
  constructor(seconds) {
    this.seconds = seconds;
    /** @type {{time: number, histograms: ReturnType<typeof readHistograms>}[]} */
    this.readings = [];
  }

  /** @param {string} text @param {number} time seconds */
  add(text, time) {
    this.readings.push({ time, histograms: readHistograms(text) });
    while (this.readings.length > 2 && this.readings[1].time < time - this.seconds) this.readings.shift();
  }

  /** @param {"first" | "between"} name @param {number} share */
  percentile(name, share) {
    if (this.readings.length === 0) return null;
    const newest = this.readings.at(-1).histograms[name];
    // The first reading alone: everything since the server was started.
    const oldest = this.readings.length > 1 ? this.readings[0].histograms[name] : new Map();
    return percentile(oldest, newest, share) ?? percentile(new Map(), newest, share);
  }
}
