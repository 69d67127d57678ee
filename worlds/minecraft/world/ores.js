// Veins of ore by depth, about as release 1.18 spread them: how many tries a column has, how large a vein grows, and
// between which heights, evenly or most often in the middle.
const { stream, purpose } = require('./random')

const veins = [
  { ore: 'dirt', tries: 5, size: 24, from: 0, to: 110 },
  { ore: 'gravel', tries: 6, size: 24, from: -60, to: 110 },
  { ore: 'granite', tries: 3, size: 32, from: 0, to: 100 },
  { ore: 'diorite', tries: 3, size: 32, from: 0, to: 100 },
  { ore: 'andesite', tries: 3, size: 32, from: 0, to: 100 },
  { ore: 'tuff', tries: 2, size: 32, from: -64, to: 0 },
  { ore: 'coal_ore', tries: 22, size: 13, from: 0, to: 130 },
  { ore: 'iron_ore', tries: 12, size: 8, from: -24, to: 60, middle: true },
  { ore: 'iron_ore', tries: 9, size: 7, from: 30, to: 78 },
  { ore: 'iron_ore', tries: 6, size: 5, from: -64, to: 60 },
  { ore: 'copper_ore', tries: 12, size: 9, from: -16, to: 112, middle: true },
  { ore: 'gold_ore', tries: 5, size: 8, from: -64, to: 32, middle: true },
  { ore: 'lapis_ore', tries: 4, size: 6, from: -64, to: 60, middle: true },
  { ore: 'redstone_ore', tries: 8, size: 7, from: -64, to: 15 },
  { ore: 'diamond_ore', tries: 7, size: 6, from: -144, to: 16, middle: true },
  { ore: 'emerald_ore', tries: 12, size: 3, from: 40, to: 130, needs: 'emeralds' }
]
const VEIN = purpose('vein')

// Calls put(x, y, z, ore) for each block of each vein of a column; what is not rock there is left to the caller.
function placeOres (seed, cx, cz, biome, put) {
  veins.forEach((vein, kind) => {
    if (vein.needs && !biome[vein.needs]) return
    const draw = stream(seed, VEIN, cx, cz, kind)
    for (let i = 0; i < vein.tries; i++) {
      const share = vein.middle ? (draw() + draw()) / 2 : draw()
      let y = Math.floor(vein.from + share * (vein.to - vein.from))
      let x = Math.floor(draw() * 16)
      let z = Math.floor(draw() * 16)
      const size = 1 + Math.floor(draw() * vein.size)
      for (let n = 0; n < size; n++) {
        put(x, y, z, vein.ore)
        const turn = Math.floor(draw() * 6)
        if (turn < 2) x += turn * 2 - 1
        else if (turn < 4) y += turn * 2 - 5
        else z += turn * 2 - 9
      }
    }
  })
}

module.exports = { placeOres }
