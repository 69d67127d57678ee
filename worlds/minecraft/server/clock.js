// Twenty ticks to a second of the world, of which `rate` pass in one of ours. Ticks that a busy machine missed are made
// up for, at most a second's worth: a world that was stopped for a minute does not run through it at once.

const TICKS_PER_SECOND = 20
const LONGEST = 20 // ms of ticks at a time: between them, what players send is heard

class Clock {
  constructor (rate, tick) {
    this.msPerTick = 1000 / TICKS_PER_SECOND / rate
    this.most = Math.ceil(TICKS_PER_SECOND * rate)
    this.tick = tick
    this.timer = undefined
  }

  start () {
    this.stop()
    this.due = performance.now()
    this.timer = setInterval(() => this.catchUp(), Math.max(1, this.msPerTick))
  }

  catchUp () {
    const now = performance.now()
    if (now - this.due > this.most * this.msPerTick) this.due = now - this.most * this.msPerTick
    while (this.timer !== undefined && this.due <= now) {
      this.due += this.msPerTick
      this.tick()
      if (performance.now() - now > LONGEST) return
    }
  }

  stop () {
    clearInterval(this.timer)
    this.timer = undefined
  }
}

module.exports = { Clock, TICKS_PER_SECOND }
