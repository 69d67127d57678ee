// The world as it is before anybody comes: a function of the seed.
const test = require('node:test')
const assert = require('node:assert')
const { createHash } = require('node:crypto')
const registry = require('prismarine-registry')(require('../version'))
const { generator, BOTTOM } = require('../world/column')
const { spawnPoint } = require('../world/spawn_point')
const { heightAt, SEA_LEVEL } = require('../world/climate')
const { foldSeed } = require('../world/random')

const columnOf = (seed, cx, cz) => generator(registry, foldSeed(seed))(cx, cz)
const digest = column => createHash('sha256').update(column.dump()).digest('hex')

test('the same seed gives the same column to the byte, whatever was made before it', () => {
  const first = generator(registry, foldSeed(5))
  const second = generator(registry, foldSeed(5))
  first(7, -3)
  first(0, 0)
  assert.equal(digest(first(2, 9)), digest(second(2, 9)))
})

test('another seed, or another place, gives another column', () => {
  assert.notEqual(digest(columnOf(5, 2, 9)), digest(columnOf(6, 2, 9)))
  assert.notEqual(digest(columnOf(5, 2, 9)), digest(columnOf(5, 2, 10)))
  // Seeds that agree in their lower 32 bits are not the same.
  assert.notEqual(foldSeed(5), foldSeed(5 + 4294967296))
})

// name -> y -> how many, over some columns.
function counts (seed, size) {
  const found = {}
  const make = generator(registry, foldSeed(seed))
  for (let cx = 0; cx < size; cx++) {
    for (let cz = 0; cz < size; cz++) {
      const column = make(cx, cz)
      for (let y = BOTTOM; y < 128; y++) {
        for (let x = 0; x < 16; x++) {
          for (let z = 0; z < 16; z++) {
            const { name } = registry.blocksByStateId[column.getBlockStateId({ x, y, z })]
            found[name] ??= {}
            found[name][y] = (found[name][y] ?? 0) + 1
          }
        }
      }
    }
  }
  return found
}

test('ores lie at their depths, in rock that a walk can reach', () => {
  const found = counts(11, 5)
  const sum = (name, low, high) => Object.entries(found[name] ?? {}).filter(([y]) => Number(y) >= low && Number(y) <= high).reduce((total, [, count]) => total + count, 0)
  assert.equal(sum('bedrock', BOTTOM, BOTTOM), 25 * 256)
  assert.equal(sum('diamond_ore', 17, 320) + sum('deepslate_diamond_ore', 17, 320), 0)
  assert.ok(sum('deepslate_diamond_ore', -64, 0) > 40)
  assert.ok(sum('deepslate_diamond_ore', -64, -40) > sum('deepslate_diamond_ore', -24, 0))
  assert.ok(sum('coal_ore', 30, 128) > 200)
  assert.ok(sum('iron_ore', 20, 70) > 200)
  assert.equal(sum('redstone_ore', 17, 320), 0)
  // Nothing above the height where deepslate ends is deepslate, and no plain stone lies deep down.
  assert.equal(sum('deepslate', 8, 320), 0)
  assert.equal(sum('stone', -64, -1), 0)
  const hollow = sum('air', -40, 40) / (25 * 256 * 81)
  assert.ok(hollow > 0.02 && hollow < 0.25, `${hollow} of the rock is hollow`)
})

test('a player begins on dry ground with oaks near, for any seed', () => {
  for (const seed of [0, 1, 2, 3, 42, 2 ** 40]) {
    const folded = foldSeed(seed)
    const { x, z } = spawnPoint(folded)
    assert.ok(heightAt(folded, x, z) > SEA_LEVEL)
    const make = generator(registry, folded)
    let logs = 0
    for (let cx = (x >> 4) - 1; cx <= (x >> 4) + 1; cx++) {
      for (let cz = (z >> 4) - 1; cz <= (z >> 4) + 1; cz++) {
        const column = make(cx, cz)
        for (let y = SEA_LEVEL; y < 128; y++) for (let bx = 0; bx < 16; bx++) for (let bz = 0; bz < 16; bz++) if (registry.blocksByStateId[column.getBlockStateId({ x: bx, y, z: bz })].name === 'oak_log') logs++
      }
    }
    assert.ok(logs >= 8, `seed ${seed}: ${logs} logs near ${x}, ${z}`)
  }
})

test('trees are whole over the edges of columns', () => {
  const folded = foldSeed(3)
  const make = generator(registry, folded)
  const { x, z } = spawnPoint(folded)
  const columns = new Map()
  const nameAt = (bx, y, bz) => {
    const key = `${bx >> 4},${bz >> 4}`
    if (!columns.has(key)) columns.set(key, make(bx >> 4, bz >> 4))
    return registry.blocksByStateId[columns.get(key).getBlockStateId({ x: bx & 15, y, z: bz & 15 })].name
  }
  let trunksAtEdges = 0
  for (let bx = x - 64; bx < x + 64; bx++) {
    for (let bz = z - 64; bz < z + 64; bz++) {
      if ((bx & 15) !== 15) continue
      for (let y = SEA_LEVEL; y < 110; y++) {
        if (nameAt(bx, y, bz) !== 'oak_log' || nameAt(bx, y + 1, bz) === 'oak_log') continue
        trunksAtEdges++
        assert.match(nameAt(bx + 1, y, bz), /_leaves$|_log$/)
        assert.match(nameAt(bx - 1, y, bz), /_leaves$|_log$/)
      }
    }
  }
  assert.ok(trunksAtEdges > 0)
})

test('no biome has more trees than the quick look for them allows', () => {
  const { DENSEST } = require('../world/trees')
  for (const [name, { trees }] of Object.entries(require('../world/biomes'))) assert.ok(trees <= DENSEST, name)
})
