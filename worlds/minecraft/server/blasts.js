// An explosion takes what is soft enough around it.
const RESISTS = 6

class Blasts {
  constructor (game) {
    this.game = game
  }

  at (position, radius) {
    const { blocks, digging } = this.game
    const { x, y, z } = position.floored()
    const draw = this.game.draws('blast', x, y, z)
    for (let dx = -radius; dx <= radius; dx++) {
      for (let dy = -radius; dy <= radius; dy++) {
        for (let dz = -radius; dz <= radius; dz++) {
          const kind = blocks.kindAt(x + dx, y + dy, z + dz)
          const far = Math.hypot(dx, dy, dz)
          if (far > radius - draw() || kind.name === 'air' || !kind.diggable || kind.resistance > RESISTS || kind.name === 'water' || kind.name === 'lava') continue
          if (draw() < 0.3) digging.breakBlock(x + dx, y + dy, z + dz, 'iron_pickaxe')
          else { this.game.containers.empty(kind, x + dx, y + dy, z + dz); blocks.set(x + dx, y + dy, z + dz, 0) }
        }
      }
    }
  }
}

module.exports = { Blasts }
