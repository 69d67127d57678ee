// mineflayer moves and waits by the wall clock. Loaded before it, this makes every timer and clock of the process run
// `rate` times as fast, so that a bot keeps up with a world whose clock is scaled. realNow() is the clock as it was.
const { promisify } = require('node:util')

let scaled = false
const realNow = Date.now

function scaleClock (rate) {
  if (scaled) throw new Error('the clock of this process is scaled already')
  scaled = true
  if (rate === 1) return
  const timers = { setTimeout, setInterval }
  const RealDate = Date
  const performanceNow = performance.now.bind(performance)
  const start = realNow()
  const performanceStart = performanceNow()
  const now = () => start + (realNow() - start) * rate
  for (const [name, set] of Object.entries(timers)) {
    globalThis[name] = (callback, ms = 0, ...rest) => set(callback, ms / rate, ...rest)
  }
  globalThis.setTimeout[promisify.custom] = (ms, value) => new Promise(resolve => timers.setTimeout(resolve, ms / rate, value))
  performance.now = () => performanceStart + (performanceNow() - performanceStart) * rate
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, words) => words.length > 0 ? new target(...words) : new target(now()),
    get: (target, key) => key === 'now' ? now : target[key]
  })
}

module.exports = { scaleClock, realNow }
