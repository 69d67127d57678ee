// A survival world on a flying-squid server: its state, and the order in which its parts take their turns in a tick.
// flying-squid keeps the connections, the protocol and who sees whom; what may happen is decided here, at once and in
// ticks, so that it depends on the seed and on what players do alone.
const prismarineItem = require('prismarine-item')
const { Blocks } = require('./blocks')
const { stream, purpose } = require('../world/random')

class Game {
  constructor (serv, { worldSeed, difficulty }) {
    this.serv = serv
    this.seed = worldSeed
    this.difficulty = difficulty
    this.rules = { keepInventory: false, doDaylightCycle: true, doMobSpawning: true }
    this.registry = serv.registry
    this.Item = prismarineItem(serv.registry)
    this.tick = 0
    this.blocks = new Blocks(serv)
    this.parts = []
    this.survivors = new Map() // by the player's name, whether connected or not
  }

  // A part has turn(): called once in every tick, in the order in which the parts were added.
  add (part) {
    this.parts.push(part)
    return part
  }

  step () {
    this.tick++
    for (const part of this.parts) part.turn()
  }

  connected () {
    return [...this.survivors.values()].filter(survivor => survivor.player)
  }

  // Draws for one purpose at this tick; `numbers` tell apart what happens in the same one.
  draws (word, ...numbers) {
    return stream(this.seed, purpose(word), this.tick, ...numbers)
  }

  item (name, count = 1) {
    return new this.Item(this.registry.itemsByName[name].id, count)
  }

  copy (item, count = item.count) {
    return new this.Item(item.type, count, item.metadata, item.nbt)
  }
}

module.exports = { Game }
