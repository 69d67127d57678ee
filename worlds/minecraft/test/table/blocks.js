// Every block that can be broken in survival, broken by a bot: with the least tool that minecraft-data names for it,
// which has to bring what it says, and with the next lesser one, which has to bring nothing.
const { pause } = require('../world')
const { FLOOR } = require('../arena')
const { digTicks } = require('../../rules/digging')

const X = 2
const tiers = ['wooden', 'stone', 'iron', 'diamond', 'netherite']
const tools = ['pickaxe', 'axe', 'shovel', 'hoe', 'sword']
const SLOWEST = 1300 // ticks; what takes longer with the lesser tool is not tried

// Blocks that are no block of their own in survival, or that nothing lets one reach.
const odd = /^(moving_piston|piston_head|end_gateway|structure_void|bubble_column|frosted_ice|water|lava|fire|soul_fire|spawner|budding_amethyst|reinforced_deepslate|powder_snow|tripwire|cave_vines.*|infested_.*|.*_wall_fan|light|attached_.*|cocoa|.*_plant|frogspawn|.*_coral_fan|.*_coral)$/

function groundFor (name) {
  if (/^(wheat|beetroots|carrots|potatoes|melon_stem|pumpkin_stem)$/.test(name)) return 'farmland'
  if (/^(cactus|dead_bush|sugar_cane)$/.test(name)) return 'sand'
  if (/_sapling$|^(grass|fern|tall_grass|large_fern|dandelion|poppy|blue_orchid|allium|azure_bluet|oxeye_daisy|cornflower|lily_of_the_valley|sweet_berry_bush)$|_tulip$/.test(name)) return 'grass_block'
  return 'stone'
}

// The orders that put it there, with what it stands on or hangs from.
function orders (kind) {
  const put = (dx, up, dz, block, properties) => ({ do: 'set', x: X + dx, y: FLOOR + up, z: dz, block, properties })
  const { name } = kind
  const list = [put(0, -1, 0, 'stone'), put(0, 0, 0, groundFor(name))] // sand falls
  if (name === 'sugar_cane') list.push(put(1, 0, 0, 'water'))
  if (/wall_(torch|sign)$|^ladder$/.test(name)) list.push(put(0, 1, 1, 'stone'))
  if (name.endsWith('_door') || /^(tall_grass|large_fern|sunflower|lilac|rose_bush|peony|tall_seagrass)$/.test(name)) list.push(put(0, 1, 0, name, { half: 'lower' }), put(0, 2, 0, name, { half: 'upper' }))
  else if (name.endsWith('_bed')) list.push(put(0, 1, 0, name, { part: 'foot', facing: 'east' }), put(1, 1, 0, name, { part: 'head', facing: 'east' }))
  else list.push(put(0, 1, 0, name, { waterlogged: false }))
  return list
}

// What may fall, by minecraft-data: its drops, and what its loot tables give without silk touch.
function allowed (registry, kind) {
  const loot = (registry.blockLoot[kind.name]?.drops ?? []).filter(({ silkTouch }) => !silkTouch).map(({ item }) => item)
  return new Set([...kind.drops.map(id => registry.items[id].name), ...loot])
}

// Falls by chance, or by age: nothing is right, too.
const byChance = /_leaves$|^(grass|fern|tall_grass|large_fern|dead_bush|sweet_berry_bush|brown_mushroom_block|red_mushroom_block|chorus_plant|weeping_vines|twisting_vines|.*_stem|cocoa|nether_sprouts|vine|seagrass|tall_seagrass|glow_lichen|hanging_roots|small_dripleaf|mangrove_propagule)$/

function leastTool (registry, kind) {
  const fits = name => registry.itemsByName[name] && kind.harvestTools[registry.itemsByName[name].id]
  for (const tier of tiers) for (const tool of tools) if (fits(`${tier}_${tool}`)) return { tier, tool }
  return undefined
}

function quickTool (registry, kind) {
  const speeds = registry.materials[kind.material] ?? {}
  const best = tools.map(tool => `netherite_${tool}`).sort((a, b) => (speeds[registry.itemsByName[b].id] ?? 1) - (speeds[registry.itemsByName[a].id] ?? 1))[0]
  return speeds[registry.itemsByName[best].id] ? best : undefined
}

// Breaks it with the tool; what it left, as a map of counts.
async function broken (arena, kind, tool) {
  const { bot, world } = arena
  const player = arena.name
  await world.ask('all', { orders: [{ do: 'sweep' }, { do: 'clear', player }, { do: 'fill', from: [X, FLOOR, -1], to: [X + 1, FLOOR, 1], block: 'stone' }, { do: 'fill', from: [X, FLOOR + 1, -1], to: [X + 1, FLOOR + 2, 1], block: 'air' }] })
  await world.ticks(1) // what lay there is gone
  await world.ask('all', { orders: [{ do: 'sweep' }, ...orders(kind), ...(tool ? [{ do: 'give', player, item: tool, slot: 36 }] : [])] })
  const at = arena.at(X, 1, 0)
  for (let i = 0; i < 100 && !(bot.blockAt(at)?.name === kind.name && bot.heldItem?.name === tool); i++) await pause(5)
  if (bot.blockAt(at)?.name !== kind.name) throw new Error('it cannot be put there')
  await bot.dig(bot.blockAt(at), true)
  for (let i = 0; (await world.ask('block', { x: X, y: FLOOR + 1, z: 0 })).block === kind.name; i++) {
    if (i === 400) throw new Error('it does not break')
    await pause(3)
  }
  await world.ticks(1)
  // Water that was put here may have washed away what grows far below.
  const drops = (await world.ask('drops')).drops.filter(({ y }) => y > FLOOR - 10)
  const sums = new Map()
  for (const { item, count } of drops) sums.set(item, (sums.get(item) ?? 0) + count)
  return sums
}

const shown = sums => [...sums].map(([item, count]) => `${count} ${item}`).join(', ') || 'nothing'

// `told` hears of each that does not hold, when it is found.
async function checkDrops (arena, step = 1, told = () => {}) {
  const { bot } = arena
  const { registry } = bot
  await arena.reset()
  bot.setQuickBarSlot(0)
  const kinds = registry.blocksArray.filter(kind => kind.diggable && kind.hardness >= 0 && !odd.test(kind.name)).filter((_, i) => i % step === 0)
  const drops = { what: 'drops', of: 0, failures: [] }
  const tools = { what: 'tool tiers', of: 0, failures: [] }
  const fails = (row, name, why) => {
    row.failures.push([name, why])
    told(`${row.what}: ${name}: ${why} (${drops.of} of ${kinds.length} tried)`)
  }
  for (const kind of kinds) {
    const least = kind.harvestTools && leastTool(registry, kind)
    const tool = least ? `${least.tier}_${least.tool}` : kind.harvestTools ? 'shears' : quickTool(registry, kind)
    const may = allowed(registry, kind)
    const must = !byChance.test(kind.name) && kind.drops.some(id => registry.items[id].name !== 'air')
    drops.of++
    try {
      const sums = await broken(arena, kind, tool)
      if ([...sums.keys()].some(item => !may.has(item)) || (must && sums.size === 0)) fails(drops, kind.name, `${shown(sums)} where it may be ${[...may]}`)
    } catch (error) {
      fails(drops, kind.name, error.message)
    }
    if (!least) continue
    const lesser = least.tier === 'wooden' ? undefined : `${tiers[tiers.indexOf(least.tier) - 1]}_${least.tool}`
    if (digTicks(registry, kind, lesser) > SLOWEST) continue
    tools.of++
    try {
      const sums = await broken(arena, kind, lesser)
      if (sums.size > 0) fails(tools, kind.name, `${lesser ?? 'a hand'} brings ${shown(sums)}`)
    } catch (error) {
      fails(tools, kind.name, error.message)
    }
  }
  return [drops, tools]
}

module.exports = { checkDrops }
