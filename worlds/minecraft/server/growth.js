// What grows: crops, saplings, sugar cane and cactus, and grass over earth. As in Minecraft, each section of 16 blocks
// that is near a player has three of its blocks looked at in every tick.
const { growTree } = require('../world/trees')
const { BOTTOM } = require('./blocks')
const { stream, unit, purpose } = require('../world/random')

const GROW = purpose('grow')
const TRIES = 3
const NEAR = 3 // columns
const ripe = { wheat: 7, carrots: 7, potatoes: 7, beetroots: 3, sweet_berry_bush: 3, melon_stem: 7, pumpkin_stem: 7 }

class Growth {
  constructor (game) {
    this.game = game
  }

  turn () {
    const done = new Set()
    for (const survivor of this.game.connected()) {
      const cx = Math.floor(survivor.position.x) >> 4
      const cz = Math.floor(survivor.position.z) >> 4
      for (let x = cx - NEAR; x <= cx + NEAR; x++) {
        for (let z = cz - NEAR; z <= cz + NEAR; z++) {
          const key = `${x},${z}`
          // A column has its turn once in 8 ticks, with eight times the tries; nobody can tell the difference.
          if (done.has(key) || ((x * 3 + z * 5) & 7) !== (this.game.tick & 7)) continue
          done.add(key)
          this.growIn(x, z)
        }
      }
    }
  }

  growIn (cx, cz) {
    const column = this.game.blocks.column(cx, cz)
    const draw = stream(this.game.seed, GROW, this.game.tick, cx, cz)
    column.sections.forEach((section, i) => {
      if (section.isEmpty() || !this.mayGrow(section)) return
      for (let n = 0; n < TRIES * 8; n++) {
        const at = Math.floor(draw() * 4096)
        this.grow(cx * 16 + (at & 15), BOTTOM + i * 16 + (at >> 8), cz * 16 + ((at >> 4) & 15), draw)
      }
    })
  }

  // Sections of rock alone are most of the world. A section keeps the states that it has in a list, or the one that it
  // is all of, or, when they are too many, neither.
  mayGrow (section) {
    const { value } = section.data
    const states = section.palette ?? (value === undefined ? undefined : [value])
    return !states || states.some(state => this.isGrowing(this.game.registry.blocksByStateId[state].name))
  }

  isGrowing (name) {
    return Object.hasOwn(ripe, name) || name.endsWith('_sapling') || name === 'sugar_cane' || name === 'cactus' || name === 'farmland'
  }

  grow (x, y, z, draw) {
    const { blocks } = this.game
    const state = blocks.stateAt(x, y, z)
    const { name } = this.game.registry.blocksByStateId[state]
    if (Object.hasOwn(ripe, name)) {
      if (draw() < 0.15) this.age(x, y, z, name, 1)
    } else if (name.endsWith('_sapling')) {
      if (draw() < 0.14) this.tree(x, y, z, name)
    } else if (name === 'sugar_cane' || name === 'cactus') {
      if (draw() < 0.07) this.taller(x, y, z, name)
    } else if (name === 'farmland') {
      const wet = this.isWatered(x, y, z)
      blocks.setNamed(x, y, z, 'farmland', { moisture: wet ? 7 : 0 })
    }
  }

  isWatered (x, y, z) {
    for (let dx = -4; dx <= 4; dx++) for (let dz = -4; dz <= 4; dz++) for (const dy of [0, 1]) if (this.game.fluids.at(x + dx, y + dy, z + dz)?.name === 'water') return true
    return false
  }

  age (x, y, z, name, steps) {
    const { blocks } = this.game
    const age = Number(blocks.propertiesOf(blocks.stateAt(x, y, z)).age)
    if (age >= ripe[name]) {
      if (name.endsWith('_stem')) this.fruit(x, y, z, name.replace('_stem', ''))
      return false
    }
    blocks.setNamed(x, y, z, name, { age: Math.min(ripe[name], age + steps) })
    return true
  }

  fruit (x, y, z, name) {
    const { blocks } = this.game
    const sides = [[1, 0], [-1, 0], [0, 1], [0, -1]]
    if (sides.some(([dx, dz]) => blocks.kindAt(x + dx, y, z + dz).name === name)) return
    const [dx, dz] = sides[Math.floor(unit(this.game.seed, GROW, this.game.tick, x, y, z) * 4)]
    if (blocks.stateAt(x + dx, y, z + dz) === 0 && blocks.isSolid(x + dx, y - 1, z + dz)) blocks.setNamed(x + dx, y, z + dz, name)
  }

  tree (x, y, z, sapling) {
    const { blocks } = this.game
    const kind = sapling.replace('_sapling', '')
    blocks.set(x, y, z, 0)
    growTree(kind, unit(this.game.seed, GROW, x, y, z), (dx, dy, dz, name) => {
      const there = blocks.kindAt(x + dx, y - 1 + dy, z + dz).name
      if (there === 'air' || (there.endsWith('_leaves') && name.endsWith('_log')) || this.game.supports.isReplaceable(there)) blocks.setNamed(x + dx, y - 1 + dy, z + dz, name)
    })
    return true
  }

  taller (x, y, z, name) {
    const { blocks } = this.game
    if (blocks.stateAt(x, y + 1, z) !== 0 || (blocks.kindAt(x, y - 1, z).name === name && blocks.kindAt(x, y - 2, z).name === name)) return false
    blocks.setNamed(x, y + 1, z, name)
    return true
  }

  // Bone meal. Whether it did anything.
  hasten (x, y, z) {
    const { name } = this.game.blocks.kindAt(x, y, z)
    const draw = this.game.draws('bone meal', x, y, z)
    if (Object.hasOwn(ripe, name)) return this.age(x, y, z, name, 2 + Math.floor(draw() * 4))
    if (name.endsWith('_sapling')) return draw() < 0.45 ? this.tree(x, y, z, name) : true
    return false
  }
}

module.exports = { Growth }
