// The server's command line.
module.exports = {
  seed: { fallback: 1, low: 0, high: Number.MAX_SAFE_INTEGER, whole: true },
  clock: { fallback: 1, low: 0.1, high: 50 },
  port: { fallback: 0, low: 0, high: 65535, whole: true },
  view: { fallback: 4, low: 2, high: 10, whole: true },
  difficulty: { fallback: 'easy', oneOf: ['peaceful', 'easy', 'normal', 'hard'] }
}
