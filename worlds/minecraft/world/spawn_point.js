// Where a new player stands: the nearest dry place to the middle of the world that has trees around it.
const biomes = require('./biomes')
const { SEA_LEVEL, heightAt, biomeAt } = require('./climate')
const { mayHaveTree, treeAt } = require('./trees')

function hasOakNear (seed, x, z) {
  let found = 0
  for (let dx = -20; dx <= 20; dx++) {
    for (let dz = -20; dz <= 20; dz++) {
      if (!mayHaveTree(seed, x + dx, z + dz)) continue
      const height = heightAt(seed, x + dx, z + dz)
      if (height <= SEA_LEVEL) continue
      if (treeAt(seed, x + dx, z + dz, biomes[biomeAt(seed, x + dx, z + dz, height)]) === 'oak') found++
    }
  }
  return found >= 10
}

function isOpen (seed, x, z) {
  const height = heightAt(seed, x, z)
  if (height <= SEA_LEVEL + 1 || height > 90 || !['plains', 'forest'].includes(biomeAt(seed, x, z, height))) return false
  for (let dx = -3; dx <= 3; dx++) {
    for (let dz = -3; dz <= 3; dz++) {
      const there = heightAt(seed, x + dx, z + dz)
      if (Math.abs(there - height) > 2) return false
      if (mayHaveTree(seed, x + dx, z + dz) && treeAt(seed, x + dx, z + dz, biomes[biomeAt(seed, x + dx, z + dz, there)])) return false
    }
  }
  return true
}

// { x, z } of a block; rings around the middle, 8 blocks apart.
function spawnPoint (seed) {
  for (let ring = 0; ring < 400; ring++) {
    for (let i = -ring; i <= ring; i++) {
      for (const [x, z] of [[i, -ring], [i, ring], [-ring, i], [ring, i]]) {
        if (isOpen(seed, x * 8, z * 8) && hasOakNear(seed, x * 8, z * 8)) return { x: x * 8 + 0, z: z * 8 + 0 }
      }
    }
  }
  return { x: 0, z: 0 }
}

module.exports = { spawnPoint }
