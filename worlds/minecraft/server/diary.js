// What happened to each player since somebody asked: { tick, item } when it first had such an item in this world,
// { tick, hurt } with what by, { tick, died } with how.
const MOST = 1000

class Diary {
  constructor (game) {
    this.game = game
  }

  note (survivor, event) {
    if (survivor.events.length < MOST) survivor.events.push({ tick: this.game.tick, ...event })
  }

  turn () {
    for (const survivor of this.game.connected()) {
      // The first slot has what a grid would give.
      for (const item of [...survivor.slots.items.slice(1), survivor.cursor]) if (item && !survivor.had.has(item.name)) this.first(survivor, item.name)
    }
  }

  first (survivor, name) {
    survivor.had.add(name)
    this.note(survivor, { item: name })
  }

  take (survivor) {
    return survivor.events.splice(0)
  }
}

module.exports = { Diary }
