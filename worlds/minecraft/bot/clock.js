// mineflayer moves and waits by the wall clock. Loaded before it, this makes every timer and clock of the process run
// `rate` times as fast, so that a bot keeps up with a world whose clock is scaled; and, where it follows one, no faster
// than that world's ticks in truth: a server on a busy machine falls behind its rate, and a bot that does not would
// take for done what is not, and for lost what is to come. realNow() is the clock as it was.
const { promisify } = require('node:util')

const MS_PER_TICK = 50
const DEAF = 3 // times that the same tick was heard
const LEAP = 200 // ms that pass at once at most: what a busy process misses beyond is lost, as it is for the world
const AHEAD = 1500 // ms that the bot's clock may be ahead of the last tick that it heard of
const BEHIND = 500 // ms that it may be behind: what a busy world runs through at once beyond is lost
const GAIN = 1 / 2000 // by how much a clock that is a ms ahead goes slower
const SLOWEST = 0.05 // of the rate
const FASTEST = 1.2 // to come from behind
const SOON = 2 // ms, in which a clock that stands is looked at again

const LONGEST = 2 ** 30 // ms of one of Node's timers

const realNow = Date.now
const realTimers = { setTimeout, setInterval, clearTimeout }
const realElapsed = performance.now.bind(performance)

class Pace {
  constructor (rate) {
    this.rate = rate
    this.pace = rate
    this.at = realElapsed() // when `since` was reached
    this.since = 0 // ms of the bot's
    this.most = Infinity
    this.heardAt = undefined
  }

  elapsed () {
    return Math.min(this.since + Math.min((realElapsed() - this.at) * this.pace, LEAP), this.most)
  }

  // `work`, which awaits nothing, sees its own time pass: while it runs no tick is heard of, and the clock would stand.
  alone (work) {
    const from = this.elapsed()
    const real = realElapsed()
    this.elapsed = () => from + (realElapsed() - real) * this.rate
    try {
      return work()
    } finally {
      delete this.elapsed // the class's own again
    }
  }

  // To be called often.
  beat () {
    this.since = this.elapsed()
    this.at = realElapsed()
  }

  // The world has come to this tick.
  heard (tick) {
    const real = realElapsed()
    const elapsed = this.elapsed()
    // Some servers count no ticks.
    this.again = tick === this.last?.tick ? this.again + 1 : 0
    if (this.again >= DEAF) {
      Object.assign(this, { most: Infinity, pace: this.rate, since: elapsed, at: real })
      return
    }
    if (this.first === undefined || tick < this.first.tick) this.first = { tick, elapsed }
    this.first.elapsed = Math.min(this.first.elapsed, elapsed + BEHIND - (tick - this.first.tick) * MS_PER_TICK)
    const world = this.first.elapsed + (tick - this.first.tick) * MS_PER_TICK
    if (this.last && tick > this.last.tick && real > this.last.real) {
      const seen = Math.min((tick - this.last.tick) * MS_PER_TICK / (real - this.last.real), this.rate)
      this.pace = Math.max(this.rate * SLOWEST, Math.min(this.rate * FASTEST, seen * (1 - (elapsed - world) * GAIN)))
    }
    this.last = { tick, real }
    this.at = real
    this.since = elapsed
    this.most = Math.max(elapsed, world + AHEAD)
  }
}

let pace

// A timer of the bot's clock, whose pace may change while it runs.
class Timer {
  constructor (callback, ms, words) {
    Object.assign(this, { callback, words, ms: Number(ms) > 0 ? Number(ms) : 0, isRef: true })
    this.due = pace.elapsed() + this.ms
    this.arm()
  }

  arm () {
    const left = this.due - pace.elapsed()
    this.real = realTimers.setTimeout(() => {
      if (this.due - pace.elapsed() > 0.5) this.arm()
      else this.callback(...this.words)
    }, this.ms === 0 ? 0 : Math.min(Math.max(left / pace.pace, SOON / pace.rate), LONGEST))
    if (!this.isRef) this.real.unref()
  }

  refresh () { this.close(); this.due = pace.elapsed() + this.ms; this.arm(); return this }
  close () { realTimers.clearTimeout(this.real) }
  unref () { this.isRef = false; this.real.unref(); return this }
  ref () { this.isRef = true; this.real.ref(); return this }
  hasRef () { return this.isRef }
}

function scaleClock (rate) {
  if (pace) throw new Error('the clock of this process is scaled already')
  pace = new Pace(rate)
  realTimers.setInterval(() => pace.beat(), Math.max(1, LEAP / 4 / rate)).unref()
  const RealDate = Date
  const start = realNow()
  const performanceStart = realElapsed()
  const now = () => Math.floor(start + pace.elapsed())
  globalThis.setTimeout = (callback, ms, ...words) => new Timer(callback, ms, words)
  globalThis.clearTimeout = timer => timer instanceof Timer ? timer.close() : realTimers.clearTimeout(timer)
  globalThis.setInterval = (callback, ms = 0, ...words) => realTimers.setInterval(callback, ms / rate, ...words)
  globalThis.setTimeout[promisify.custom] = (ms, value) => new Promise(resolve => setTimeout(resolve, ms, value))
  performance.now = () => performanceStart + pace.elapsed()
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, words) => words.length > 0 ? new target(...words) : new target(now()),
    get: (target, key) => key === 'now' ? now : target[key]
  })
}

// From here on the process's clock, which is scaled, keeps to that of the world that this bot is in.
function followWorld (bot) {
  bot.on('time', () => pace.heard(bot.time.age))
}

// What bounds itself by the clock and awaits nothing until then is to run in this.
const alone = work => pace ? pace.alone(work) : work()

// Of the bot's ms, as many as pass in so many of ours.
const inReal = ms => ms * (pace?.rate ?? 1)

module.exports = { scaleClock, followWorld, alone, inReal, realNow, Pace }
