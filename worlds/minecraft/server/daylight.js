// The time of day, 0 at sunrise, 24,000 ticks to a day.
const DAY = 24000
const MORNING = 1000
const longOf = number => [Math.floor(number / 4294967296), number | 0]

class Daylight {
  constructor (game) {
    this.game = game
    this.time = MORNING
  }

  get ofDay () { return this.time % DAY }
  get isNight () { return this.ofDay > 13000 && this.ofDay < 23000 }
  // When beds can be slept in.
  get isBedtime () { return this.ofDay >= 12542 && this.ofDay <= 23459 }

  turn () {
    if (this.game.rules.doDaylightCycle) this.time++
    if (this.game.tick % 20 === 0) this.tellAll()
  }

  set (time) {
    this.time = time
    this.tellAll()
  }

  skipToMorning () {
    this.set((Math.floor(this.time / DAY) + 1) * DAY)
  }

  tell (survivor) {
    survivor.send('update_time', { age: longOf(this.game.tick), time: longOf(this.time) })
  }

  tellAll () {
    for (const survivor of this.game.connected()) this.tell(survivor)
  }
}

module.exports = { Daylight, DAY }
