// A world saved and put back, in the same process and in another.
const test = require('node:test')
const assert = require('node:assert')
const { World, count } = require('./world')
const { Arena } = require('./arena')

test('what was saved goes on from there, in another process too', async () => {
  const world = await World.start({ seed: 3, clock: 10, difficulty: 'easy' })
  let bot = await world.join()
  const arena = await Arena.build(world, bot)
  await arena.set(2, 1, 0, 'furnace')
  await arena.set(3, 1, 3, 'chest')
  await arena.give('raw_iron', 5)
  await arena.give('coal', 2)
  await arena.give('stone_pickaxe', 1, { used: 9 })
  const idOf = name => bot.registry.itemsByName[name].id
  const furnace = await bot.openFurnace(bot.blockAt(arena.at(2, 1, 0)))
  await furnace.putFuel(idOf('coal'), null, 1)
  await furnace.putInput(idOf('raw_iron'), null, 2)
  furnace.close()
  await world.until(state => count(state, 'raw_iron') === 3)
  await world.ask('mob', { mob: 'cow', x: -3.5, y: 201, z: 0.5 })
  await arena.set(6, 1, 0, 'dirt')
  await world.ask('change', { player: 'bot', health: 11, food: 7 })
  const { saved } = await world.ask('save')

  await world.ask('clear', { player: 'bot' })
  await world.ask('set', { x: 6, y: 201, z: 0, block: 'stone' })
  await world.ask('set', { x: 2, y: 201, z: 0, block: 'air' })
  await world.ask('sweep')
  const sentAway = new Promise(resolve => bot.once('end', resolve))
  const restored = (await world.ask('all', { orders: [{ do: 'restore', saved }, { do: 'save' }] })).answers[1].saved
  assert.equal(JSON.stringify(restored), JSON.stringify(saved))
  await sentAway

  const other = await World.start({ seed: 3, clock: 10 })
  await other.ask('restore', { saved })
  for (const one of [world, other]) {
    bot = await one.join()
    const state = await one.ask('player', { player: 'bot' })
    assert.deepEqual([state.health, state.food, count(state, 'raw_iron')], [11, 7, 3])
    assert.equal(state.slots.find(({ item }) => item === 'stone_pickaxe').used, 9)
    assert.deepEqual((await one.ask('mobs')).mobs.map(({ name }) => name), ['cow'])
    assert.equal((await one.ask('block', { x: 6, y: 201, z: 0 })).block, 'dirt')
    const again = await bot.openFurnace(bot.blockAt(arena.at(2, 1, 0)))
    while (again.outputItem()?.count !== 2) await one.ticks(5)
    assert.equal(again.outputItem().name, 'iron_ingot')
    await one.stop()
  }
})

test('what was saved from another world, or is none, is refused and changes nothing', async () => {
  const [first, second] = [await World.start({ seed: 3 }), await World.start({ seed: 4 })]
  const { saved } = await first.ask('save')
  const { tick } = await second.ask('time')
  await assert.rejects(second.ask('restore', { saved }), /another seed/)
  await assert.rejects(second.ask('restore', { saved: { format: 9 } }), /format 9/)
  await assert.rejects(second.ask('restore', {}), /format undefined/)
  assert.ok((await second.ask('time')).tick >= tick)
  await first.stop()
  await second.stop()
})
