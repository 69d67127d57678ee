// Chests and barrels: what lies in each. Two chests whose states say left and right of each other are one of 54 slots.
const { Slots, JoinedSlots } = require('./windows/slots')

const keyOf = (x, y, z) => `${x},${y},${z}`
// From a chest that is the left half to its right half, by where it faces.
const toRight = { north: [1, 0], east: [0, 1], south: [-1, 0], west: [0, -1] }

class Chests {
  constructor (game) {
    this.game = game
    this.all = new Map()
  }

  single (x, y, z) {
    const key = keyOf(x, y, z)
    if (!this.all.has(key)) this.all.set(key, new Slots(27))
    return this.all.get(key)
  }

  // Where the other half of a chest of this state is: [x, z], or nothing.
  partner (x, y, z, state) {
    const { facing, type } = this.game.blocks.propertiesOf(state)
    if (type !== 'left' && type !== 'right') return undefined
    const [dx, dz] = toRight[facing]
    return type === 'left' ? [x + dx, z + dz] : [x - dx, z - dz]
  }

  // The slots of what is there; those of the right half come first.
  at (x, y, z) {
    const state = this.game.blocks.stateAt(x, y, z)
    const other = this.partner(x, y, z, state)
    if (!other) return this.single(x, y, z)
    const halves = [this.single(x, y, z), this.single(other[0], y, other[1])]
    if (this.game.blocks.propertiesOf(state).type === 'left') halves.reverse()
    return new JoinedSlots(...halves)
  }

  remove (x, y, z) {
    const slots = this.all.get(keyOf(x, y, z))
    this.all.delete(keyOf(x, y, z))
    return slots ? slots.whole() : []
  }

  // The type of a chest that is put down beside one of its kind that faces alike and is single; that one is changed.
  typeBeside (name, x, y, z, facing) {
    const { blocks } = this.game
    const [dx, dz] = toRight[facing]
    for (const [own, theirs, step] of [['left', 'right', 1], ['right', 'left', -1]]) {
      const [nx, nz] = [x + dx * step, z + dz * step]
      if (blocks.kindAt(nx, y, nz).name !== name) continue
      const properties = blocks.propertiesOf(blocks.stateAt(nx, y, nz))
      if (properties.type !== 'single' || properties.facing !== facing) continue
      blocks.setNamed(nx, y, nz, name, { ...properties, type: theirs })
      return own
    }
    return 'single'
  }
}

module.exports = { Chests }
