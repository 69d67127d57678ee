// How many ticks an item burns in a furnace; 0: it does not.
const named = {
  lava_bucket: 20000, coal_block: 16000, dried_kelp_block: 4001, blaze_rod: 2400, coal: 1600, charcoal: 1600, stick: 100, bowl: 100, bamboo: 50, scaffolding: 50,
  bow: 300, fishing_rod: 300, crossbow: 300, ladder: 300, crafting_table: 300, cartography_table: 300, fletching_table: 300, smithing_table: 300, loom: 300,
  bookshelf: 300, lectern: 300, composter: 300, chest: 300, trapped_chest: 300, barrel: 300, daylight_detector: 300, jukebox: 300, note_block: 300, mangrove_roots: 300,
  dead_bush: 100, azalea: 100, flowering_azalea: 100
}
const patterns = [
  [/^(crimson|warped)_/, 0],
  [/^wooden_(sword|pickaxe|axe|shovel|hoe)$/, 200],
  [/_(boat|chest_boat)$/, 1200],
  [/_(log|wood|planks|stem|hyphae)$|_banner$/, 300],
  [/^(oak|spruce|birch|jungle|acacia|dark_oak|mangrove)_(stairs|pressure_plate|trapdoor|fence|fence_gate)$/, 300],
  [/^(oak|spruce|birch|jungle|acacia|dark_oak|mangrove)_slab$/, 150],
  [/^(oak|spruce|birch|jungle|acacia|dark_oak|mangrove)_(door|sign)$/, 200],
  [/^(oak|spruce|birch|jungle|acacia|dark_oak|mangrove)_button$|_sapling$|_propagule$|_wool$/, 100],
  [/_carpet$/, 67]
]

function fuelTicks (name) {
  if (Object.hasOwn(named, name)) return named[name]
  const found = patterns.find(([pattern]) => pattern.test(name))
  return found ? found[1] : 0
}

module.exports = { fuelTicks }
