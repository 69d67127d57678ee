// What a block needs under or behind it. What has lost it breaks, or falls where it is of the falling kind.
const { around } = require('./blocks')
const { stepOf, opposite } = require('../rules/placement')

const soil = new Set(['grass_block', 'dirt', 'coarse_dirt', 'podzol', 'rooted_dirt', 'moss_block', 'mud', 'farmland', 'mycelium'])
const sand = new Set(['sand', 'red_sand'])
const plants = /_sapling$|^(grass|fern|dandelion|poppy|blue_orchid|allium|azure_bluet|oxeye_daisy|cornflower|lily_of_the_valley|sweet_berry_bush)$|_tulip$/
const crops = /^(wheat|beetroots|carrots|potatoes|melon_stem|pumpkin_stem)$/
const standing = /^(torch|soul_torch|redstone_torch|redstone_wire|snow|rail|powered_rail|repeater|comparator)$|_carpet$|_pressure_plate$|^\w+(?<!wall)_sign$/
const falling = /^(sand|red_sand|gravel|anvil)$|_concrete_powder$/
const air = new Set(['air', 'cave_air', 'water', 'lava', 'grass', 'fern', 'fire', 'snow', 'tall_grass', 'seagrass'])

class Supports {
  constructor (game) {
    this.game = game
    this.pending = []
    game.blocks.watchers.push((x, y, z) => this.pending.push([x, y, z]))
  }

  // Whether a block of this state can be there.
  holds (state, x, y, z) {
    const { blocks, registry } = this.game
    const { name } = registry.blocksByStateId[state]
    const properties = blocks.propertiesOf(state)
    const under = blocks.kindAt(x, y - 1, z)
    if (plants.test(name)) return soil.has(under.name)
    if (crops.test(name)) return under.name === 'farmland'
    if (name === 'dead_bush') return soil.has(under.name) || sand.has(under.name) || under.name.includes('terracotta')
    if (name === 'brown_mushroom' || name === 'red_mushroom') return under.boundingBox === 'block'
    if (name === 'cactus') return (under.name === 'cactus' || sand.has(under.name)) && around.slice(2).every(([dx, , dz]) => !blocks.isSolid(x + dx, y, z + dz))
    if (name === 'sugar_cane') return under.name === 'sugar_cane' || ((soil.has(under.name) || sand.has(under.name)) && around.slice(2).some(([dx, , dz]) => blocks.kindAt(x + dx, y - 1, z + dz).name === 'water'))
    if (name.endsWith('_door')) return properties.half === 'upper' ? under.name === name : under.boundingBox === 'block' && blocks.kindAt(x, y + 1, z).name === name
    if (name.endsWith('_bed')) {
      const [dx, dz] = stepOf[properties.part === 'foot' ? properties.facing : opposite[properties.facing]]
      return blocks.kindAt(x + dx, y, z + dz).name === name
    }
    if (name === 'tall_grass' || name === 'large_fern') return properties.half === 'upper' ? under.name === name : soil.has(under.name)
    if (/wall_(torch|sign)$|^ladder$/.test(name)) {
      const [dx, dz] = stepOf[opposite[properties.facing]]
      return blocks.isSolid(x + dx, y, z + dz)
    }
    return !standing.test(name) || under.boundingBox === 'block'
  }

  isReplaceable (name) { return air.has(name) || name === 'vine' || name === 'dead_bush' || name === 'large_fern' }

  // Of every block that changed, those around it and itself.
  turn () {
    const changed = this.pending
    this.pending = []
    for (const [x, y, z] of changed) {
      this.check(x, y, z)
      for (const [dx, dy, dz] of around) this.check(x + dx, y + dy, z + dz)
    }
  }

  check (x, y, z) {
    const { blocks, registry } = this.game
    const state = blocks.stateAt(x, y, z)
    if (state === 0) return
    const { name } = registry.blocksByStateId[state]
    if (falling.test(name)) this.fall(x, y, z, state)
    else if (!this.holds(state, x, y, z)) this.game.digging.breakBlock(x, y, z, undefined)
  }

  // At once, down to what carries it.
  fall (x, y, z, state) {
    const { blocks } = this.game
    let to = y
    while (air.has(blocks.kindAt(x, to - 1, z).name) && to > y - 384) to--
    if (to === y) return
    blocks.set(x, y, z, 0)
    blocks.set(x, to, z, state)
  }
}

module.exports = { Supports }
