// What a furnace makes of what. minecraft-data has no recipes of furnaces, so the table stands here: release 1.19.

const plain = {
  raw_iron: 'iron_ingot',
  raw_gold: 'gold_ingot',
  raw_copper: 'copper_ingot',
  nether_gold_ore: 'gold_ingot',
  nether_quartz_ore: 'quartz',
  ancient_debris: 'netherite_scrap',
  sand: 'glass',
  red_sand: 'glass',
  cobblestone: 'stone',
  stone: 'smooth_stone',
  sandstone: 'smooth_sandstone',
  red_sandstone: 'smooth_red_sandstone',
  quartz_block: 'smooth_quartz',
  clay_ball: 'brick',
  clay: 'terracotta',
  netherrack: 'nether_brick',
  nether_bricks: 'cracked_nether_bricks',
  stone_bricks: 'cracked_stone_bricks',
  cobbled_deepslate: 'deepslate',
  deepslate_bricks: 'cracked_deepslate_bricks',
  deepslate_tiles: 'cracked_deepslate_tiles',
  polished_blackstone_bricks: 'cracked_polished_blackstone_bricks',
  basalt: 'smooth_basalt',
  cactus: 'green_dye',
  sea_pickle: 'lime_dye',
  chorus_fruit: 'popped_chorus_fruit',
  wet_sponge: 'sponge',
  beef: 'cooked_beef',
  porkchop: 'cooked_porkchop',
  chicken: 'cooked_chicken',
  mutton: 'cooked_mutton',
  rabbit: 'cooked_rabbit',
  cod: 'cooked_cod',
  salmon: 'cooked_salmon',
  potato: 'baked_potato',
  kelp: 'dried_kelp'
}
const metals = { iron: 'iron_ingot', gold: 'gold_ingot', copper: 'copper_ingot', coal: 'coal', diamond: 'diamond', emerald: 'emerald', lapis: 'lapis_lazuli', redstone: 'redstone' }
const foods = new Set(['cooked_beef', 'cooked_porkchop', 'cooked_chicken', 'cooked_mutton', 'cooked_rabbit', 'cooked_cod', 'cooked_salmon', 'baked_potato', 'dried_kelp'])

function smelted (name) {
  if (Object.hasOwn(plain, name)) return plain[name]
  const ore = name.match(/^(?:deepslate_)?(\w+)_ore$/)
  if (ore && Object.hasOwn(metals, ore[1])) return metals[ore[1]]
  if (/^(?:stripped_)?(oak|spruce|birch|jungle|acacia|dark_oak|mangrove)_(log|wood)$/.test(name)) return 'charcoal'
  if (/^\w+_terracotta$/.test(name) && !name.includes('glazed')) return name.replace('_terracotta', '_glazed_terracotta')
  if (/^(iron|chainmail)_(sword|pickaxe|axe|shovel|hoe|helmet|chestplate|leggings|boots|horse_armor)$/.test(name)) return 'iron_nugget'
  if (/^golden_(sword|pickaxe|axe|shovel|hoe|helmet|chestplate|leggings|boots|horse_armor)$/.test(name)) return 'gold_nugget'
  return undefined
}

// A furnace takes everything in 200 ticks; a smoker food alone and a blast furnace ores and metal alone, in half of it.
const kinds = {
  furnace: { ticks: 200, takes: () => true },
  smoker: { ticks: 100, takes: name => foods.has(smelted(name)) },
  blast_furnace: { ticks: 100, takes: name => /_ore$|^raw_|^ancient_debris$|_nugget$/.test(name) || /_nugget$/.test(smelted(name) ?? '') }
}

function smeltedIn (kind, name) {
  const result = smelted(name)
  return result && kinds[kind].takes(name) ? result : undefined
}

module.exports = { smeltedIn, kinds }
