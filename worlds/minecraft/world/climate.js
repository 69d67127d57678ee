// Height and biome of each place, from noise of large scale.
const { fractal2, noise2 } = require('./noise')
const { purpose } = require('./random')

const SEA_LEVEL = 62
const LAND = purpose('land')
const HILLS = purpose('hills')
const ROUGH = purpose('rough')
const HEAT = purpose('heat')
const WET = purpose('wet')
const RIVER = purpose('river')

function riverDepth (seed, x, z) {
  const distance = Math.abs(noise2(seed ^ RIVER, x / 190, z / 190))
  return distance < 0.045 ? 1 - distance / 0.045 : 0
}

// y of the topmost block of ground.
function heightAt (seed, x, z) {
  const land = fractal2(seed ^ LAND, x / 330, z / 330, 3)
  const hilly = Math.max(0, noise2(seed ^ HILLS, x / 210, z / 210))
  const rough = fractal2(seed ^ ROUGH, x / 46, z / 46, 3)
  let height = 70 + land * 17 + rough * (3 + 26 * hilly * hilly) + 34 * hilly * hilly * Math.max(0, land + 0.25)
  const river = riverDepth(seed, x, z)
  if (river > 0 && height > SEA_LEVEL - 5) height += (SEA_LEVEL - 4 - height) * river * Math.max(0, 1 - (height - 66) / 30)
  return Math.floor(height)
}

function biomeAt (seed, x, z, height) {
  const heat = fractal2(seed ^ HEAT, x / 400, z / 400, 2)
  const wet = fractal2(seed ^ WET, x / 280, z / 280, 2)
  if (height < SEA_LEVEL - 9) return heat < -0.35 ? 'cold_ocean' : 'ocean'
  if (height < SEA_LEVEL && riverDepth(seed, x, z) > 0) return heat < -0.4 ? 'frozen_river' : 'river'
  if (height <= SEA_LEVEL + 1) return wet > 0.3 && heat > -0.1 ? 'swamp' : heat < -0.4 ? 'snowy_beach' : 'beach'
  if (height > 96) return heat < -0.2 ? 'snowy_slopes' : 'windswept_hills'
  if (heat < -0.4) return wet > 0 ? 'snowy_taiga' : 'snowy_plains'
  if (heat < -0.2) return 'taiga'
  if (heat > 0.42) return wet > 0.25 ? 'jungle' : 'desert'
  if (heat > 0.3) return wet > 0.1 ? 'sparse_jungle' : 'savanna'
  if (wet > 0.38) return 'dark_forest'
  if (wet > 0.2) return 'birch_forest'
  return wet > -0.12 ? 'forest' : 'plains'
}

module.exports = { SEA_LEVEL, heightAt, biomeAt }
