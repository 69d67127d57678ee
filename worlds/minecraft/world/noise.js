// Value noise: random values on a lattice, joined smoothly. In [-1, 1].
const { hash } = require('./random')

const lattice = (seed, x, y, z) => hash(seed, x, y, z) / 2147483648 - 1
const smooth = t => t * t * t * (t * (t * 6 - 15) + 10)
const mixed = (a, b, t) => a + (b - a) * t

function noise2 (seed, x, z) {
  const x0 = Math.floor(x)
  const z0 = Math.floor(z)
  const fx = smooth(x - x0)
  const fz = smooth(z - z0)
  return mixed(mixed(lattice(seed, x0, 0, z0), lattice(seed, x0 + 1, 0, z0), fx),
    mixed(lattice(seed, x0, 0, z0 + 1), lattice(seed, x0 + 1, 0, z0 + 1), fx), fz)
}

function noise3 (seed, x, y, z) {
  const x0 = Math.floor(x)
  const y0 = Math.floor(y)
  const z0 = Math.floor(z)
  const fx = smooth(x - x0)
  const fy = smooth(y - y0)
  const fz = smooth(z - z0)
  const plane = yy => mixed(mixed(lattice(seed, x0, yy, z0), lattice(seed, x0 + 1, yy, z0), fx),
    mixed(lattice(seed, x0, yy, z0 + 1), lattice(seed, x0 + 1, yy, z0 + 1), fx), fz)
  return mixed(plane(y0), plane(y0 + 1), fy)
}

// Octaves of half the size and half the height each.
function fractal2 (seed, x, z, octaves) {
  let sum = 0
  let weight = 0
  for (let i = 0; i < octaves; i++) {
    const height = 1 / (1 << i)
    sum += noise2(seed + i * 7919, x * (1 << i), z * (1 << i)) * height
    weight += height
  }
  return sum / weight
}

module.exports = { noise2, noise3, fractal2 }
