// What a block leaves when it is broken: minecraft-data says which items; how many, and what falls by chance, stands
// here. `draw` gives the next draw in [0, 1).

const between = (low, high) => draw => low + Math.floor(draw() * (high - low + 1))
const amounts = {
  clay: () => 4, snow_block: () => 4, bookshelf: () => 3, sea_pickle: () => 1, campfire: () => 2, ender_chest: () => 8,
  melon: between(3, 7), glowstone: between(2, 4), sea_lantern: between(2, 3), nether_gold_ore: between(2, 6),
  redstone_ore: between(4, 5), deepslate_redstone_ore: between(4, 5), lapis_ore: between(4, 9), deepslate_lapis_ore: between(4, 9),
  copper_ore: between(2, 5), deepslate_copper_ore: between(2, 5), amethyst_cluster: () => 4, dead_bush: between(0, 2)
}
const itself = /_bed$|^chorus_flower$/
const glass = /(?<!tinted_)glass(_pane)?$/

// Crops: from which age they are ripe, the fruit, and the seed.
const crops = {
  wheat: { ripe: 7, fruit: 'wheat', seed: 'wheat_seeds' },
  beetroots: { ripe: 3, fruit: 'beetroot', seed: 'beetroot_seeds' },
  carrots: { ripe: 7, seed: 'carrot' },
  potatoes: { ripe: 7, seed: 'potato' }
}

function ofLeaves (name, draw) {
  const kind = name.replace('_leaves', '')
  const drops = []
  const sapling = kind.includes('azalea') ? kind : kind === 'mangrove' ? undefined : `${kind}_sapling`
  if (sapling && draw() < (kind === 'jungle' ? 0.025 : 0.05)) drops.push([sapling, 1])
  if (draw() < 0.02) drops.push(['stick', between(1, 2)(draw)])
  if ((kind === 'oak' || kind === 'dark_oak') && draw() < 0.005) drops.push(['apple', 1])
  return drops
}

function ofCrop (crop, age, draw) {
  if (age < crop.ripe) return [[crop.seed, 1]]
  let seeds = crop.fruit ? 0 : 1
  for (let i = 0; i < 3; i++) if (draw() < 0.5714) seeds++
  if (crop.fruit) return seeds > 0 ? [[crop.fruit, 1], [crop.seed, seeds]] : [[crop.fruit, 1]]
  return [[crop.seed, seeds + 1]]
}

// [[name, count], ...]; `block` and `properties` as prismarine-block has them, `tool` a name or undefined.
function dropsOf (registry, block, properties, tool, draw) {
  if (block.harvestTools && !(tool && block.harvestTools[registry.itemsByName[tool].id])) return []
  const name = block.name
  if (tool === 'shears' && (name.endsWith('_leaves') || ['grass', 'fern', 'dead_bush', 'cobweb', 'vine', 'seagrass', 'nether_sprouts', 'hanging_roots', 'glow_lichen'].includes(name))) return [[name, 1]]
  if (name.endsWith('_leaves')) return ofLeaves(name, draw)
  if (['grass', 'fern', 'tall_grass', 'large_fern'].includes(name)) return draw() < 0.125 ? [['wheat_seeds', 1]] : []
  if (name === 'gravel') return [[draw() < 0.1 ? 'flint' : 'gravel', 1]]
  if (Object.hasOwn(crops, name)) return ofCrop(crops[name], Number(properties.age), draw)
  if (name === 'sweet_berry_bush') return Number(properties.age) > 1 ? [['sweet_berries', Number(properties.age) - 1 + between(0, 1)(draw)]] : []
  if (name === 'snow') return [['snowball', Number(properties.layers)]]
  if (name === 'cave_vines' || name === 'cave_vines_plant') return properties.berries ? [['glow_berries', 1]] : []
  if (properties.half === 'upper' || (properties.part === 'head' && name.endsWith('_bed'))) return []
  if (itself.test(name)) return [[name, 1]]
  if (glass.test(name)) return []
  if (name.endsWith('_slab')) return [[name, properties.type === 'double' ? 2 : 1]]
  if (/candle$/.test(name)) return [[name, Number(properties.candles ?? 1)]]
  if (name === 'sea_pickle') return [[name, Number(properties.pickles)]]
  if (/^(brown|red)_mushroom_block$/.test(name)) return [[name.replace('_block', ''), between(0, 2)(draw)]].filter(([, count]) => count > 0)
  const count = Object.hasOwn(amounts, name) ? amounts[name](draw) : 1
  return block.drops.map(id => registry.items[id].name).filter(item => item !== 'air' && count > 0).map(item => [item, count])
}

module.exports = { dropsOf }
