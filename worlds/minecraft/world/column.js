// A column of 16 x 16 blocks as it was before anybody came: a function of the seed and of where it is.
const prismarineChunk = require('prismarine-chunk')
const biomes = require('./biomes')
const { SEA_LEVEL, heightAt, biomeAt } = require('./climate')
const { cavesOf } = require('./caves')
const { placeOres } = require('./ores')
const { REACH, treeAt, growTree } = require('./trees')
const { unit, purpose } = require('./random')

const BOTTOM = -64
const LAVA_LEVEL = -54
const PLANT = purpose('plant')
const TALL = purpose('height of a tree')
const BEDROCK = purpose('bedrock')
const DEEPSLATE = purpose('deepslate')

// generator(registry, seed) gives (cx, cz) => a column.
function generator (registry, seed) {
  const Column = prismarineChunk(registry)
  const states = new Map()
  const state = name => {
    if (!states.has(name)) states.set(name, registry.blocksByName[name].defaultState)
    return states.get(name)
  }
  const grassState = state('grass_block')
  const snowyGrass = registry.blocksByName.grass_block.minStateId
  const persistentLeaves = new Set()
  for (const block of registry.blocksArray) if (block.name.endsWith('_leaves')) persistentLeaves.add(block.defaultState)

  // Of a column and of as much around it as a tree's crown reaches in from.
  function surveyed (cx, cz) {
    const around = []
    for (let z = -REACH; z < 16 + REACH; z++) {
      for (let x = -REACH; x < 16 + REACH; x++) {
        const height = heightAt(seed, cx * 16 + x, cz * 16 + z)
        const name = biomeAt(seed, cx * 16 + x, cz * 16 + z, height)
        around.push({ height, name, biome: biomes[name] })
      }
    }
    return (x, z) => around[(z + REACH) * (16 + 2 * REACH) + x + REACH]
  }

  return (cx, cz) => {
    const column = new Column()
    // Sections are written to directly, with one object for all places: the column's own calls make two for each block.
    const at = { x: 0, y: 0, z: 0 }
    const get = (x, y, z) => { at.x = x; at.y = (y - BOTTOM) & 15; at.z = z; return column.sections[(y - BOTTOM) >> 4].get(at) }
    const put = (x, y, z, id) => { at.x = x; at.y = (y - BOTTOM) & 15; at.z = z; column.sections[(y - BOTTOM) >> 4].set(at, id) }
    const place = surveyed(cx, cz)
    let top = SEA_LEVEL
    let low = Infinity
    for (let z = 0; z < 16; z++) {
      for (let x = 0; x < 16; x++) {
        top = Math.max(top, place(x, z).height)
        low = Math.min(low, place(x, z).height)
      }
    }
    const isHollow = cavesOf(seed, cx, cz, BOTTOM, top)

    const stone = state('stone')
    const deepslate = state('deepslate')
    const lava = state('lava')
    // Sections that are rock to all sides begin as one value, in which caves and ores are cut.
    column.sections.forEach((section, i) => {
      const from = BOTTOM + i * 16
      const rock = from + 15 < 0 ? deepslate : from >= 8 ? stone : undefined
      if (rock && from + 15 <= low - 8) column.sections[i] = new Column.section({ singleValue: rock, maxBitsPerBlock: column.maxBitsPerBlock })
    })
    for (let y = BOTTOM; y <= top; y++) {
      for (let z = 0; z < 16; z++) {
        for (let x = 0; x < 16; x++) {
          const { height, biome } = place(x, z)
          if (y > height) {
            if (y <= SEA_LEVEL) put(x, y, z, biome.ice && y === SEA_LEVEL ? state('ice') : state('water'))
            continue
          }
          const wx = cx * 16 + x
          const wz = cz * 16 + z
          if (y === BOTTOM || (y < BOTTOM + 4 && unit(seed, BEDROCK, wx, y, wz) * 4 < BOTTOM + 4 - y)) {
            put(x, y, z, state('bedrock'))
          } else if ((height > SEA_LEVEL || y < height - 6) && isHollow(x, y, z)) {
            put(x, y, z, y <= LAVA_LEVEL ? lava : 0)
          } else if (y === height) {
            const underWater = height < SEA_LEVEL
            put(x, y, z, underWater && biome.top === 'grass_block' ? state('dirt') : biome.snow && biome.top === 'grass_block' ? snowyGrass : state(biome.top))
          } else if (y > height - 4) {
            put(x, y, z, state(biome.under))
          } else if (y > height - 8 && biome.deep) {
            put(x, y, z, state(biome.deep))
          } else {
            const rock = y < 0 || (y < 8 && unit(seed, DEEPSLATE, wx, y, wz) * 8 >= y) ? deepslate : stone
            if (get(x, y, z) !== rock) put(x, y, z, rock)
          }
        }
      }
    }

    placeOres(seed, cx, cz, place(8, 8).biome, (x, y, z, ore) => {
      if (x < 0 || x > 15 || z < 0 || z > 15 || y <= BOTTOM) return
      const rock = get(x, y, z)
      if (rock === stone) put(x, y, z, state(ore))
      else if (rock === deepslate) put(x, y, z, ore.endsWith('_ore') ? state(`deepslate_${ore}`) : ore === 'gravel' || ore === 'tuff' ? state(ore) : deepslate)
    })

    for (let z = -REACH; z < 16 + REACH; z++) {
      for (let x = -REACH; x < 16 + REACH; x++) {
        const { height, biome } = place(x, z)
        if (height < SEA_LEVEL || biome.trees === 0) continue
        const kind = treeAt(seed, cx * 16 + x, cz * 16 + z, biome)
        if (!kind) continue
        growTree(kind, unit(seed, TALL, cx * 16 + x, cz * 16 + z), (dx, dy, dz, name) => {
          const X = x + dx
          const Z = z + dz
          if (X < 0 || X > 15 || Z < 0 || Z > 15) return
          const there = get(X, height + dy, Z)
          const block = state(name)
          if (there === 0 || (!name.endsWith('_leaves') && persistentLeaves.has(there))) put(X, height + dy, Z, block)
        })
      }
    }

    for (let z = 0; z < 16; z++) {
      for (let x = 0; x < 16; x++) {
        const { height, name, biome } = place(x, z)
        if (((x | z) & 3) === 0) for (let y = BOTTOM; y < BOTTOM + 384; y += 4) column.setBiome({ x, y, z }, registry.biomesByName[name].id)
        if (height < SEA_LEVEL || get(x, height + 1, z) !== 0 || get(x, height, z) === 0) continue
        let draw = unit(seed, PLANT, cx * 16 + x, cz * 16 + z)
        for (const [plant, share] of Object.entries(biome.plants)) {
          draw -= share
          if (draw < 0) {
            const tall = plant === 'cactus' ? 2 : 1
            if (tall === 1 || (x > 0 && x < 15 && z > 0 && z < 15)) for (let i = 1; i <= tall; i++) put(x, height + i, z, state(plant))
            break
          }
        }
        if (biome.snow && get(x, height + 1, z) === 0) put(x, height + 1, z, state('snow'))
        else if (get(x, height, z) === grassState && height === SEA_LEVEL && draw > 0.97) put(x, height + 1, z, state('sugar_cane'))
      }
    }
    return column
  }
}

module.exports = { generator, BOTTOM }
