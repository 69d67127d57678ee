// Breaking blocks: within reach, for as long as the rule says, with what they leave, and the tool's wear. A client that
// counts faster than the world's ticks says "done" early: the block then breaks when its time has come.
const { digTicks, wear } = require('../rules/digging')
const { dropsOf } = require('../rules/drops')

// Words of the protocol's status, by number.
const START = 0
const CANCEL = 1
const FINISH = 2
const TIRES = 0.005

class Digging {
  constructor (game) {
    this.game = game
  }

  packet (survivor, { status, location: { x, y, z } }) {
    if (status === CANCEL) survivor.digging = undefined
    else if (status === START) this.start(survivor, x, y, z)
    else if (status === FINISH) this.finish(survivor, x, y, z)
  }

  ticksFor (survivor, x, y, z) {
    const { blocks, registry } = this.game
    const eyes = survivor.eyes
    return digTicks(registry, blocks.kindAt(x, y, z), survivor.heldItem?.name, {
      underWater: blocks.kindAt(Math.floor(eyes.x), Math.floor(eyes.y), Math.floor(eyes.z)).name === 'water', inAir: !survivor.onGround
    })
  }

  start (survivor, x, y, z) {
    const ticks = survivor.reaches(x, y, z) ? this.ticksFor(survivor, x, y, z) : Infinity
    if (ticks === Infinity || this.game.blocks.stateAt(x, y, z) === 0) {
      survivor.digging = undefined
      this.game.blocks.show(survivor.player, x, y, z)
      return
    }
    survivor.digging = { x, y, z, ticks, since: this.game.tick, state: this.game.blocks.stateAt(x, y, z), done: ticks === 0 }
    if (ticks === 0) this.breakDug(survivor)
  }

  finish (survivor, x, y, z) {
    const { digging } = survivor
    if (!digging || digging.x !== x || digging.y !== y || digging.z !== z) {
      this.game.blocks.show(survivor.player, x, y, z)
      return
    }
    // Another tool in the hand now does not make what was done with the first one faster.
    digging.ticks = Math.max(digging.ticks, Math.min(this.ticksFor(survivor, x, y, z), digging.ticks * 5))
    digging.done = true
    if (this.game.tick - digging.since >= digging.ticks) this.breakDug(survivor)
  }

  turn () {
    for (const survivor of this.game.connected()) {
      const { digging } = survivor
      if (digging?.done && this.game.tick - digging.since >= digging.ticks) this.breakDug(survivor)
    }
  }

  breakDug (survivor) {
    const { x, y, z, state } = survivor.digging
    survivor.digging = undefined
    if (this.game.blocks.stateAt(x, y, z) !== state || !survivor.reaches(x, y, z)) {
      this.game.blocks.show(survivor.player, x, y, z)
      return
    }
    const tool = survivor.heldItem?.name
    const kind = this.game.registry.blocksByStateId[state]
    this.breakBlock(x, y, z, tool)
    survivor.did('mined', kind.name)
    survivor.tire(TIRES)
    if (tool && kind.hardness > 0) survivor.wearHeld(wear(tool, 'dig'))
  }

  // Takes a block away and leaves what it leaves; `tool` is a name, or nothing for what breaks by itself.
  breakBlock (x, y, z, tool) {
    const { blocks, registry, drops } = this.game
    const state = blocks.stateAt(x, y, z)
    const kind = registry.blocksByStateId[state]
    const properties = blocks.propertiesOf(state)
    const draw = this.game.draws('drop', x, y, z)
    const items = dropsOf(registry, kind, properties, tool, draw).map(([name, count]) => this.game.item(name, count))
    items.push(...this.game.containers.empty(kind, x, y, z))
    const wet = properties.waterlogged || (kind.name === 'ice' && blocks.isSolid(x, y - 1, z))
    blocks.set(x, y, z, wet ? blocks.stateOf('water') : 0)
    drops.spillBlock(x, y, z, items)
  }
}

module.exports = { Digging }
