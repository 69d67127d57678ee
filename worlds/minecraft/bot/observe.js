// What a bot is told of the world and of itself, in the fields of Caravel's observations (src/voyager/observation.h).
const BLOCKS_WITHIN = 8
const ENTITIES_WITHIN = 32
const MOST_BLOCKS = 5000
const BAG = 36 // slots that hold anything
const worn = { head: 5, torso: 6, legs: 7, feet: 8, 'off-hand': 45 }
const nothing = new Set(['air', 'cave_air', 'void_air'])

function wordOf (timeOfDay) {
  return timeOfDay < 12000 ? 'day' : timeOfDay < 13800 ? 'sunset' : timeOfDay < 22200 ? 'night' : 'sunrise'
}

// name -> how many, in the names' order, so that the same things give the same text.
function sums (items) {
  const found = new Map()
  for (const item of items) found.set(item.name, (found.get(item.name) ?? 0) + item.count)
  return Object.fromEntries([...found].sort(([a], [b]) => a < b ? -1 : 1))
}

function blocksNear (bot) {
  const places = bot.findBlocks({ matching: block => !nothing.has(block.name), maxDistance: BLOCKS_WITHIN, count: MOST_BLOCKS })
  const here = bot.entity.position
  places.sort((a, b) => a.distanceTo(here) - b.distanceTo(here))
  return [...new Set(places.map(place => bot.blockAt(place).name))]
}

function entitiesNear (bot) {
  return Object.values(bot.entities)
    .filter(entity => entity !== bot.entity && entity.name !== 'item' && entity.position)
    .map(entity => ({ name: entity.name === 'player' ? entity.username : entity.name, distance: Math.round(entity.position.distanceTo(bot.entity.position) * 10) / 10 }))
    .filter(({ distance }) => distance <= ENTITIES_WITHIN)
    .sort((a, b) => a.distance - b.distance)
}

function equipmentOf (bot) {
  const items = { hand: bot.heldItem, ...Object.fromEntries(Object.entries(worn).map(([place, slot]) => [place, bot.inventory.slots[slot]])) }
  return Object.fromEntries(Object.entries(items).filter(([, item]) => item).map(([place, item]) => [place, item.name]))
}

// What was done, which a server counts, and what chests hold, which a skill saw, are for the keeper of both to add.
function observe (bot) {
  const { position } = bot.entity
  const biome = bot.registry.biomes[bot.blockAt(position)?.biome.id]
  const items = bot.inventory.items()
  return {
    tick: bot.time.age ?? 0,
    biome: biome?.name ?? 'unknown',
    time_of_day: wordOf(bot.time.timeOfDay ?? 0),
    health: bot.health,
    food: bot.food,
    position: [position.x, position.y, position.z],
    inventory: sums(items),
    slots_used: items.length,
    slots: BAG,
    equipment: equipmentOf(bot),
    nearby_blocks: blocksNear(bot),
    nearby_entities: entitiesNear(bot),
    chests: {},
    counts: {}
  }
}

module.exports = { observe, sums, wordOf }
