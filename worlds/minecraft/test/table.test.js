// Some of the rules against minecraft-data; test/whole_table.js takes all of them.
const test = require('node:test')
const assert = require('node:assert')
const { World } = require('./world')
const { Arena } = require('./arena')
const { checkRecipes } = require('./table/recipes')
const { checkSmelting } = require('./table/smelting')
const { checkDrops } = require('./table/blocks')

let world, arena
test.before(async () => {
  world = await World.start({ seed: 3, clock: 20 })
  arena = await Arena.build(world, await world.join())
})
test.after(() => world.stop())

// Steps that share no factor with how the lists repeat, by colour and by wood.
test('recipes', async () => {
  const { of, failures } = await checkRecipes(arena, 61)
  assert.ok(of > 20)
  assert.deepEqual(failures, [])
})

test('smelting', async () => {
  const { of, failures } = await checkSmelting(arena, 11)
  assert.ok(of > 8)
  assert.deepEqual(failures, [])
})

test('drops and tool tiers', async () => {
  for (const { of, failures } of await checkDrops(arena, 83)) {
    assert.ok(of > 2)
    assert.deepEqual(failures, [])
  }
})
