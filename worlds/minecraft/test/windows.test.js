// Windows over the real protocol: grids, furnaces, chests. The server's word counts, never the client's.
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

const idOf = name => bot.registry.itemsByName[name].id
const craft = (name, times, table) => bot.craft(bot.recipesFor(idOf(name), null, 1, table)[0], times, table)

test('the small grid makes planks, sticks and a table, and uses up what it took', async () => {
  await arena.give('oak_log', 3)
  await craft('oak_planks', 3)
  await craft('stick', 1)
  await craft('crafting_table', 1)
  assert.deepEqual([await arena.has('oak_log'), await arena.has('oak_planks'), await arena.has('stick'), await arena.has('crafting_table')], [0, 6, 4, 1])
})

test('the large grid makes a pickaxe, and only at a table within reach', async () => {
  const table = await arena.set(2, 1, 0, 'crafting_table')
  await arena.give('cobblestone', 3)
  await arena.give('stick', 2)
  await craft('stone_pickaxe', 1, table)
  assert.equal(await arena.has('stone_pickaxe'), 1)
  assert.equal(await arena.has('cobblestone') + await arena.has('stick'), 0)
  const far = await arena.set(10, 1, 0, 'crafting_table')
  let opened = false
  bot.once('windowOpen', () => { opened = true })
  await bot.activateBlock(far)
  await world.ticks(20)
  bot.removeAllListeners('windowOpen')
  assert.equal(opened, false)
})

test('a client that claims items gets none, and is told what is so', async () => {
  await arena.give('oak_planks', 1)
  const before = await world.ask('player', { player: 'bot' })
  const diamonds = { present: true, itemId: idOf('diamond'), itemCount: 64 }
  bot._client.write('window_click', { windowId: 0, stateId: 1, slot: 20, mouseButton: 0, mode: 0, changedSlots: [{ location: 20, item: diamonds }], cursorItem: diamonds })
  await pause(100)
  assert.deepEqual((await world.ask('player', { player: 'bot' })).slots, before.slots)
  assert.equal(bot.inventory.slots[20], null)
})

test('clicks that no window has are taken for nothing', async () => {
  await arena.give('oak_planks', 5)
  for (const click of [{ slot: 500, mode: 0 }, { slot: -1, mode: 0 }, { slot: 9, mode: 2, mouseButton: 99 }, { slot: 0, mode: 4 }, { slot: 9, mode: 5 }, { slot: 40, mode: 1, windowId: 77 }]) {
    bot._client.write('window_click', { windowId: 0, stateId: 1, mouseButton: 0, changedSlots: [], cursorItem: { present: false }, ...click })
  }
  await pause(100)
  assert.equal(await arena.has('oak_planks'), 5)
  assert.equal((await world.ask('player', { player: 'bot' })).connected, true)
})

test('what lies in a grid comes back when its window is closed', async () => {
  const table = await arena.set(2, 1, 0, 'crafting_table')
  await arena.give('cobblestone', 5)
  const window = await bot.openBlock(table)
  const slot = window.slots.findIndex(item => item?.name === 'cobblestone')
  await bot.clickWindow(slot, 0, 0)
  await bot.clickWindow(1, 1, 0)
  await bot.clickWindow(5, 1, 0)
  bot.closeWindow(window)
  await world.until(state => state.slots.some(({ item, count }) => item === 'cobblestone' && count === 5))
})

test('a furnace smelts with fuel, in its time, one by one', async () => {
  const block = await arena.set(2, 1, 0, 'furnace')
  await arena.give('raw_iron', 3)
  await arena.give('coal', 2)
  const furnace = await bot.openFurnace(block)
  await furnace.putFuel(idOf('coal'), null, 1)
  await furnace.putInput(idOf('raw_iron'), null, 3)
  const { tick } = await world.ask('time')
  while (!(furnace.outputItem()?.count === 3)) await pause(10)
  const took = (await world.ask('time')).tick - tick
  assert.ok(took >= 590 && took < 700, `${took} ticks`)
  assert.equal(furnace.inputItem(), null)
  assert.equal((await world.ask('block', { x: 2, y: 201, z: 0 })).properties.lit, true)
  await furnace.takeOutput()
  furnace.close()
  await world.until(state => state.slots.some(({ item, count }) => item === 'iron_ingot' && count === 3))
  assert.deepEqual([await arena.has('raw_iron'), await arena.has('coal')], [0, 1])
})

test('a furnace without fuel makes nothing, and takes no result back', async () => {
  const block = await arena.set(2, 1, 0, 'furnace')
  await arena.give('sand', 1)
  const furnace = await bot.openFurnace(block)
  await furnace.putInput(idOf('sand'), null, 1)
  await world.ticks(260)
  assert.equal(furnace.outputItem(), null)
  assert.equal(furnace.inputItem().name, 'sand')
  await furnace.takeInput()
  await bot.clickWindow(furnace.slots.findIndex(item => item?.name === 'sand'), 0, 0)
  await bot.clickWindow(2, 0, 0)
  await bot._syncWindow(furnace)
  assert.equal(furnace.outputItem(), null)
  furnace.close()
  await world.until(state => state.slots.some(({ item }) => item === 'sand'))
})

test('a chest keeps what is put in, for who comes later, and spills it when it is broken', async () => {
  const block = await arena.set(2, 1, 0, 'chest')
  await arena.give('oak_log', 10)
  let chest = await bot.openContainer(block)
  await chest.deposit(idOf('oak_log'), null, 7)
  chest.close()
  assert.equal(await arena.has('oak_log'), 3)
  const other = await world.join('other')
  await world.ask('teleport', { player: 'other', x: 3.5, y: 201, z: 1.5 })
  while (!other.blockAt(block.position)) await pause(10)
  chest = await other.openContainer(other.blockAt(block.position))
  assert.equal(chest.containerItems().reduce((sum, item) => sum + item.count, 0), 7)
  await chest.withdraw(idOf('oak_log'), null, 2)
  chest.close()
  other.end()
  await arena.dig(2, 1, 0)
  assert.deepEqual(await arena.gains(), [['chest', 1], ['oak_log', 3 + 5]])
})

test('two chests side by side are one of 54 slots, until one is broken', async () => {
  await arena.give('chest', 2)
  await arena.give('cobblestone', 1)
  await bot.equip(idOf('chest'), 'hand')
  await bot.lookAt(arena.at(0, 1, 5), true)
  const { Vec3 } = require('vec3')
  await bot.placeBlock(bot.blockAt(arena.at(0, 0, 2)), new Vec3(0, 1, 0))
  await bot.placeBlock(bot.blockAt(arena.at(1, 0, 2)), new Vec3(0, 1, 0))
  const sides = await Promise.all([0, 1].map(x => world.ask('block', { x, y: 201, z: 2 })))
  assert.deepEqual(sides.map(({ properties }) => properties.type).sort(), ['left', 'right'])
  const chest = await bot.openContainer(bot.blockAt(arena.at(0, 1, 2)))
  assert.equal(chest.inventoryStart, 54)
  await chest.deposit(idOf('cobblestone'), null, 1)
  chest.close()
  const again = await bot.openContainer(bot.blockAt(arena.at(1, 1, 2)))
  assert.equal(again.containerItems().length, 1)
  again.close()
  await arena.dig(1, 1, 2)
  assert.equal((await world.ask('block', { x: 0, y: 201, z: 2 })).properties.type, 'single')
})
