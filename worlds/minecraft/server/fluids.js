// Water and lava spread and dry up: levels 0 (a source) to 7, 8 and more where they fall. Water moves every 5 ticks,
// lava every 30; where they meet there is stone.
const { around } = require('./blocks')

const kinds = { water: { every: 5, thins: 1 }, lava: { every: 30, thins: 2 } }
const FALLING = 8
// In one tick, so that a broken dam does not stop the world.
const MOST_IN_A_TICK = 400

class Fluids {
  constructor (game) {
    this.game = game
    this.due = new Map() // "x,y,z" -> tick
    const { blocks, registry } = game
    this.first = Object.fromEntries(Object.keys(kinds).map(name => [name, registry.blocksByName[name].minStateId]))
    blocks.watchers.push((x, y, z) => {
      this.wake(x, y, z)
      for (const [dx, dy, dz] of around) this.wake(x + dx, y + dy, z + dz)
    })
  }

  // { name, level } of what flows there; a block under water counts as a source.
  at (x, y, z) {
    const state = this.game.blocks.stateAt(x, y, z)
    for (const name of Object.keys(kinds)) {
      if (state >= this.first[name] && state < this.first[name] + 16) return { name, level: state - this.first[name] }
    }
    if (state !== 0 && this.game.blocks.propertiesOf(state).waterlogged) return { name: 'water', level: 0, held: true }
    return undefined
  }

  wake (x, y, z) {
    const fluid = this.at(x, y, z)
    if (!fluid) return
    const key = `${x},${y},${z}`
    if (!this.due.has(key)) this.due.set(key, this.game.tick + kinds[fluid.name].every)
  }

  turn () {
    let count = 0
    for (const [key, tick] of this.due) {
      if (tick > this.game.tick) continue
      if (++count > MOST_IN_A_TICK) break
      this.due.delete(key)
      this.flow(...key.split(',').map(Number))
    }
  }

  // The level that a cell of this fluid has by those around it; undefined where it runs dry.
  levelFor (name, x, y, z) {
    if (this.at(x, y + 1, z)?.name === name) return FALLING
    let lowest = Infinity
    let sources = 0
    for (const [dx, , dz] of around.slice(2)) {
      const beside = this.at(x + dx, y, z + dz)
      if (beside?.name !== name) continue
      if (beside.level === 0) sources++
      lowest = Math.min(lowest, beside.level >= FALLING ? 0 : beside.level)
    }
    if (name === 'water' && sources >= 2 && (this.game.blocks.isSolid(x, y - 1, z) || this.at(x, y - 1, z)?.level === 0)) return 0
    const level = lowest + kinds[name].thins
    return level < FALLING ? level : undefined
  }

  flow (x, y, z) {
    const { blocks } = this.game
    const fluid = this.at(x, y, z)
    if (!fluid || this.harden(fluid, x, y, z)) return
    if (fluid.level !== 0) {
      const level = this.levelFor(fluid.name, x, y, z)
      if (level !== fluid.level) {
        blocks.set(x, y, z, level === undefined ? 0 : this.first[fluid.name] + level)
        return // it is woken by its own change
      }
    }
    if (this.spread(fluid.name, x, y - 1, z, FALLING)) return
    const under = this.at(x, y - 1, z)
    if (under?.name === fluid.name && fluid.level !== 0) return
    const level = (fluid.level >= FALLING ? 0 : fluid.level) + kinds[fluid.name].thins
    if (level < FALLING) for (const [dx, , dz] of around.slice(2)) this.spread(fluid.name, x + dx, y, z + dz, level)
  }

  // Whether it flowed there.
  spread (name, x, y, z, level) {
    const { blocks, supports, digging } = this.game
    const kind = blocks.kindAt(x, y, z)
    const there = this.at(x, y, z)
    if (there?.held) return false
    if (there && there.name !== name) {
      if (name === 'lava' && level === FALLING) { blocks.setNamed(x, y, z, 'stone'); return true }
      return false
    }
    if (there) {
      if (there.level === 0 || there.level >= FALLING || there.level <= level) return false
      if (level === FALLING) blocks.set(x, y, z, this.first[name] + level)
      return level === FALLING
    }
    if (kind.name !== 'air' && kind.name !== 'cave_air' && !supports.isReplaceable(kind.name) && kind.material !== 'plant') {
      if (kind.boundingBox === 'block' || kind.name.endsWith('_sign') || kind.name === 'ladder' || kind.name === 'sugar_cane') return false
    }
    if (kind.name !== 'air') digging.breakBlock(x, y, z, undefined)
    blocks.set(x, y, z, this.first[name] + level)
    return true
  }

  // Lava that water touches.
  harden (fluid, x, y, z) {
    if (fluid.name !== 'lava') return false
    const touches = around.slice(1).some(([dx, dy, dz]) => this.at(x + dx, y + dy, z + dz)?.name === 'water')
    if (touches) this.game.blocks.setNamed(x, y, z, fluid.level === 0 ? 'obsidian' : 'cobblestone')
    return touches
  }
}

module.exports = { Fluids }
