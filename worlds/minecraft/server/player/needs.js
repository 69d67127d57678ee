// Hunger, breath and what surrounds a player: once in every tick for each who is there.
const { BOTTOM } = require('../blocks')

const MOST_FOOD = 20
const MOST_AIR = 300
// How far hunger takes one, by difficulty.
const starvesTo = { peaceful: 20, easy: 10, normal: 1, hard: 0 }
// The field of an entity's metadata for air, and the protocol's number for the type of a whole number.
const AIR_FIELD = 1
const WHOLE_NUMBER = 1

class Needs {
  constructor (game) {
    this.game = game
  }

  turn () {
    for (const survivor of this.game.connected()) {
      if (survivor.health <= 0) continue
      this.hunger(survivor)
      this.breath(survivor)
      this.surroundings(survivor)
    }
  }

  hunger (survivor) {
    const { tick, difficulty } = this.game
    if (survivor.exhaustion >= 4) {
      survivor.exhaustion -= 4
      if (survivor.saturation > 0) survivor.saturation = Math.max(0, survivor.saturation - 1)
      else if (difficulty !== 'peaceful') survivor.food = Math.max(0, survivor.food - 1)
      survivor.sendHealth()
    }
    if (difficulty === 'peaceful' && tick % 20 === 0) {
      survivor.heal(1)
      if (survivor.food < MOST_FOOD) { survivor.food++; survivor.sendHealth() }
    } else if (survivor.food >= MOST_FOOD && survivor.saturation > 0 && tick % 10 === 0) {
      this.regain(survivor, Math.min(1, survivor.saturation / 6))
    } else if (survivor.food >= 18 && tick % 80 === 0) {
      this.regain(survivor, 1)
    } else if (survivor.food === 0 && tick % 80 === 0 && survivor.health > starvesTo[difficulty]) {
      survivor.hurt(1, 'starving', { past: true })
    }
  }

  regain (survivor, amount) {
    if (survivor.health >= 20) return
    survivor.heal(amount)
    survivor.tire(6 * amount)
  }

  breath (survivor) {
    const { x, y, z } = survivor.eyes
    const before = survivor.air
    if (this.game.blocks.kindAt(Math.floor(x), Math.floor(y), Math.floor(z)).name === 'water') {
      if (--survivor.air <= -20) {
        survivor.air = 0
        survivor.hurt(2, 'drowning', { past: true })
      }
    } else {
      survivor.air = Math.min(MOST_AIR, survivor.air + 4)
    }
    if (survivor.air !== before && (this.game.tick % 5 === 0 || survivor.air === MOST_AIR)) {
      survivor.send('entity_metadata', { entityId: survivor.player.id, metadata: [{ key: AIR_FIELD, type: WHOLE_NUMBER, value: survivor.air }] })
    }
  }

  // What the player's box touches.
  surroundings (survivor) {
    const { position } = survivor
    const touched = new Set()
    for (let y = Math.floor(position.y); y <= Math.floor(position.y + 1.79); y++) {
      for (let x = Math.floor(position.x - 0.31); x <= Math.floor(position.x + 0.31); x++) {
        for (let z = Math.floor(position.z - 0.31); z <= Math.floor(position.z + 0.31); z++) touched.add(this.game.blocks.kindAt(x, y, z).name)
      }
    }
    if (touched.has('water') && survivor.burning > 0) survivor.burning = 0
    if (touched.has('lava')) {
      survivor.burning = 300
      survivor.hurt(4, 'lava')
    } else if (touched.has('fire')) {
      survivor.burning = Math.max(survivor.burning, 160)
      survivor.hurt(1, 'fire')
    }
    if (touched.has('cactus')) survivor.hurt(1, 'cactus')
    if (survivor.burning > 0 && --survivor.burning % 20 === 0) survivor.hurt(1, 'fire', { past: true })
    if (position.y < BOTTOM - 32) survivor.hurt(4, 'void', { past: true })
  }
}

module.exports = { Needs, MOST_FOOD }
