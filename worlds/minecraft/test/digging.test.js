// Breaking blocks over the real protocol: what may be broken with what, for how long, and what is left.
const test = require('node:test')
const assert = require('node:assert')
const { World, pause } = require('./world')
const { Arena } = require('./arena')

let world, bot, arena
test.before(async () => {
  world = await World.start({ seed: 3, clock: 10 })
  bot = await world.join()
  arena = await Arena.build(world, bot)
})
test.after(() => world.stop())
test.beforeEach(() => arena.reset())

async function leaves (block, tool, properties) {
  await arena.reset()
  await arena.set(2, 1, 0, block, properties)
  if (tool) await arena.hold(tool)
  await arena.dig(2, 1, 0)
  await world.ticks(1)
  return (await arena.gains()).filter(([item]) => item !== tool)
}

test('a tool of the right tier brings the ore, one below brings nothing', async () => {
  assert.deepEqual(await leaves('iron_ore', 'wooden_pickaxe'), [])
  assert.deepEqual(await leaves('iron_ore', 'stone_pickaxe'), [['raw_iron', 1]])
  assert.deepEqual(await leaves('diamond_ore', 'stone_pickaxe'), [])
  assert.deepEqual(await leaves('diamond_ore', 'iron_pickaxe'), [['diamond', 1]])
  assert.deepEqual(await leaves('stone', undefined), [])
  assert.deepEqual(await leaves('stone', 'wooden_pickaxe'), [['cobblestone', 1]])
})

test('what is broken by hand, by halves, by age', async () => {
  assert.deepEqual(await leaves('oak_log', undefined), [['oak_log', 1]])
  assert.deepEqual(await leaves('glass', undefined), [])
  assert.deepEqual(await leaves('tinted_glass', undefined), [['tinted_glass', 1]])
  assert.deepEqual(await leaves('oak_leaves', 'shears'), [['oak_leaves', 1]])
  assert.deepEqual(await leaves('clay', 'wooden_shovel'), [['clay_ball', 4]])
  assert.deepEqual(await leaves('oak_slab', 'wooden_axe', { type: 'double' }), [['oak_slab', 2]])
})

test('a block takes its time: a client that says "done" at once has to wait', async () => {
  await arena.set(2, 1, 0, 'stone')
  await arena.hold('wooden_pickaxe')
  const location = arena.at(2, 1, 0)
  const { tick } = await world.ask('time')
  bot._client.write('block_dig', { status: 0, location, face: 1, sequence: 0 })
  bot._client.write('block_dig', { status: 2, location, face: 1, sequence: 0 })
  while ((await world.ask('block', { x: 2, y: 201, z: 0 })).block !== 'air') await pause(2)
  const took = (await world.ask('time')).tick - tick
  // Hardness 1.5, speed 2: 23 ticks.
  assert.ok(took >= 23, `${took} ticks`)
})

test('a better tool taken in the hand at the end does not make it faster', async () => {
  await arena.set(2, 1, 0, 'obsidian')
  await arena.give('diamond_pickaxe')
  await bot.unequip('hand')
  const location = arena.at(2, 1, 0)
  bot.setQuickBarSlot(8)
  bot._client.write('block_dig', { status: 0, location, face: 1, sequence: 0 })
  await world.ticks(200)
  await bot.equip(bot.registry.itemsByName.diamond_pickaxe.id, 'hand')
  bot._client.write('block_dig', { status: 2, location, face: 1, sequence: 0 })
  await world.ticks(20)
  assert.equal((await world.ask('block', { x: 2, y: 201, z: 0 })).block, 'obsidian')
})

test('nothing is broken out of reach, and bedrock never', async () => {
  const far = await arena.set(9, 1, 0, 'dirt')
  bot._client.write('block_dig', { status: 0, location: far.position, face: 1, sequence: 0 })
  await world.ticks(20)
  bot._client.write('block_dig', { status: 2, location: far.position, face: 1, sequence: 0 })
  const rock = await arena.set(2, 1, 0, 'bedrock')
  bot._client.write('block_dig', { status: 0, location: rock.position, face: 1, sequence: 0 })
  bot._client.write('block_dig', { status: 2, location: rock.position, face: 1, sequence: 0 })
  await world.ticks(40)
  assert.equal((await world.ask('block', { x: 9, y: 201, z: 0 })).block, 'dirt')
  assert.equal((await world.ask('block', { x: 2, y: 201, z: 0 })).block, 'bedrock')
})

test('tools wear by one a block, and break', async () => {
  await arena.hold('wooden_pickaxe', { used: 57 })
  for (const up of [1, 2]) await arena.set(2, up, 0, 'stone')
  await arena.dig(2, 2, 0)
  const [tool] = (await world.ask('player', { player: 'bot' })).slots.filter(({ item }) => item === 'wooden_pickaxe')
  assert.equal(tool.used, 58)
  assert.equal(bot.heldItem.durabilityUsed, 58)
  await arena.dig(2, 1, 0)
  await world.ticks(2)
  assert.equal(await arena.has('wooden_pickaxe'), 0)
  assert.equal(bot.heldItem, null)
})

test('what lies near is picked up, as many as there are', async () => {
  await arena.set(1, 1, 0, 'oak_log')
  await arena.set(1, 2, 0, 'oak_log')
  await arena.dig(1, 2, 0)
  await arena.dig(1, 1, 0)
  await arena.stand(1, 0)
  await world.until(state => state.slots.some(({ item, count }) => item === 'oak_log' && count === 2))
  while (!(bot.inventory.count(bot.registry.itemsByName.oak_log.id, null) === 2)) await pause(5)
})

test('sand falls, a torch without a wall breaks, a door goes as a whole', async () => {
  await arena.set(2, 1, 0, 'dirt')
  await arena.set(2, 2, 0, 'sand')
  await arena.set(3, 1, 0, 'dirt')
  await arena.set(3, 1, 1, 'wall_torch', { facing: 'south' })
  await bot.dig(bot.blockAt(arena.at(2, 1, 0)), true)
  for (let i = 0; i < 500 && (await world.ask('block', { x: 2, y: 201, z: 0 })).block !== 'sand'; i++) await pause(5)
  assert.equal((await world.ask('block', { x: 2, y: 201, z: 0 })).block, 'sand')
  assert.equal((await world.ask('block', { x: 2, y: 202, z: 0 })).block, 'air')
  await arena.dig(3, 1, 0)
  await world.ticks(3)
  assert.equal((await world.ask('block', { x: 3, y: 201, z: 1 })).block, 'air')
  await world.ask('all', { orders: ['lower', 'upper'].map((half, up) => ({ do: 'set', x: 0, y: 201 + up, z: 2, block: 'oak_door', properties: { half } })) })
  await arena.seen(0, 202, 2, name => name === 'oak_door')
  await arena.dig(0, 2, 2)
  await world.ticks(3)
  assert.equal((await world.ask('block', { x: 0, y: 201, z: 2 })).block, 'air')
  assert.deepEqual((await arena.gains()).filter(([item]) => item === 'oak_door' || item === 'torch'), [['oak_door', 1], ['torch', 1]])
})
