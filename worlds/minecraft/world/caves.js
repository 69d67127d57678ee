// Where rock is hollow: tunnels where two noises are both near nought, and halls where a third is high. The noise is
// taken on a lattice of 4 x 8 x 4 blocks and joined linearly, which is some hundred times cheaper than at every block.
const { noise3 } = require('./noise')
const { purpose } = require('./random')

const TUNNEL_A = purpose('tunnel a')
const TUNNEL_B = purpose('tunnel b')
const HALL = purpose('hall')
const WIDE = 5 // lattice points along x and z of a column

function fieldOf (seed, baseX, baseZ, bottom, layers, size, flat) {
  const field = new Float64Array(WIDE * WIDE * layers)
  for (let y = 0, i = 0; y < layers; y++) {
    for (let z = 0; z < WIDE; z++) {
      for (let x = 0; x < WIDE; x++) {
        field[i++] = noise3(seed, (baseX + x * 4) / size, (bottom + y * 8) / (size * flat), (baseZ + z * 4) / size)
      }
    }
  }
  return field
}

function between (field, x, up, z) {
  const fx = (x & 3) / 4
  const fy = (up & 7) / 8
  const fz = (z & 3) / 4
  const i = ((up >> 3) * WIDE + (z >> 2)) * WIDE + (x >> 2)
  const row = j => field[j] + (field[j + 1] - field[j]) * fx
  const plane = j => { const near = row(j); return near + (row(j + WIDE) - near) * fz }
  const low = plane(i)
  return low + (plane(i + WIDE * WIDE) - low) * fy
}

// For one column: (x, y, z) => whether it is hollow; x and z in [0, 16), y from bottom to top.
function cavesOf (seed, cx, cz, bottom, top) {
  const layers = ((top - bottom) >> 3) + 2
  const make = (of, size, flat) => fieldOf(seed ^ of, cx * 16, cz * 16, bottom, layers, size, flat)
  const a = make(TUNNEL_A, 34, 0.6)
  const b = make(TUNNEL_B, 34, 0.6)
  const hall = make(HALL, 52, 0.5)
  return (x, y, z) => {
    const up = y - bottom
    const one = between(a, x, up, z)
    if (one * one < 0.006) {
      const two = between(b, x, up, z)
      if (one * one + two * two < 0.006) return true
    }
    return between(hall, x, up, z) > 0.66
  }
}

module.exports = { cavesOf }
