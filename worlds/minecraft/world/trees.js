// Trees by kind: where their trunk and leaves are, from the foot on. One shape serves each look: round crowns, cones,
// flat umbrellas.
const { unit, hash, purpose } = require('./random')

const TREE = purpose('tree')
const LOOK = purpose('look of a tree')
const looks = {
  oak: { low: 4, spread: 3, crown: 'round' },
  birch: { low: 5, spread: 3, crown: 'round' },
  dark_oak: { low: 5, spread: 3, crown: 'round' },
  jungle: { low: 6, spread: 6, crown: 'round' },
  spruce: { low: 6, spread: 4, crown: 'cone' },
  acacia: { low: 5, spread: 2, crown: 'flat' }
}

// The widest that a crown reaches from its trunk.
const REACH = 2

function radiusAt (crown, below) {
  if (crown === 'round') return below <= 0 ? 1 : 2
  if (crown === 'flat') return below === 0 ? 2 : below === -1 ? 1 : -1
  return below <= 0 ? 0 : below % 2 === 1 ? 1 : 2
}

// No biome is denser; most places are told from trees by this alone, without a look at their biome.
const DENSEST = 0.024
const mayHaveTree = (seed, x, z) => unit(seed, TREE, x, z) < DENSEST

// The kind of the tree whose foot is at x, z; nothing where there is none. Two never touch.
function treeAt (seed, x, z, biome) {
  const own = unit(seed, TREE, x, z)
  if (own >= biome.trees) return undefined
  for (let dx = -1; dx <= 1; dx++) for (let dz = -1; dz <= 1; dz++) if ((dx || dz) && unit(seed, TREE, x + dx, z + dz) < own) return undefined
  return biome.kinds[hash(seed, LOOK, x, z) % biome.kinds.length]
}

// Calls put(dx, dy, dz, block) for every block of a tree, dy from 1 above its ground on.
function growTree (kind, tall, put) {
  const { low, spread, crown } = looks[kind]
  const trunk = low + Math.floor(tall * spread)
  const deep = crown === 'cone' ? trunk - 2 : crown === 'flat' ? 0 : 2
  for (let dy = trunk - deep; dy <= trunk + 1; dy++) {
    const radius = radiusAt(crown, trunk - dy)
    for (let dx = -radius; dx <= radius; dx++) {
      for (let dz = -radius; dz <= radius; dz++) {
        if (radius > 0 && Math.abs(dx) === radius && Math.abs(dz) === radius && dy >= trunk) continue
        put(dx, dy, dz, `${kind}_leaves`)
      }
    }
  }
  for (let dy = 1; dy <= trunk; dy++) put(0, dy, 0, `${kind}_log`)
}

module.exports = { REACH, DENSEST, mayHaveTree, treeAt, growTree }
