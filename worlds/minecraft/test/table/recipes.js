// Every recipe of minecraft-data, made by a bot at a crafting table: its ingredients laid into the grid one by one,
// its result taken out.
const { pause } = require('../world')
const { idOf } = require('../../rules/recipes')

const WIDTH = 3
const FIRST_OF_BAG = 9
const WAITS = 400 // times 5 ms

async function until (test) {
  for (let i = 0; i < WAITS; i++) {
    if (test()) return true
    await pause(5)
  }
  return false
}

// Where each ingredient goes: id -> slots of the grid.
function placed (recipe) {
  const cells = recipe.inShape
    ? recipe.inShape.flatMap((row, y) => row.map((entry, x) => [1 + x + WIDTH * y, idOf(entry)]))
    : recipe.ingredients.map((entry, i) => [1 + i, idOf(entry)])
  const slots = new Map()
  for (const [slot, id] of cells) if (id !== -1) slots.set(id, [...(slots.get(id) ?? []), slot])
  return slots
}

async function lay (arena, window, recipe) {
  const { bot, world } = arena
  const slots = placed(recipe)
  const stacks = [...slots].flatMap(([id, cells]) => {
    const { name, stackSize } = bot.registry.items[id]
    const piles = []
    for (let i = 0; i < cells.length; i += stackSize) piles.push({ name, cells: cells.slice(i, i + stackSize) })
    return piles
  })
  const give = stacks.map(({ name, cells }, i) => ({ do: 'give', player: arena.name, item: name, count: cells.length, slot: FIRST_OF_BAG + i }))
  await world.ask('all', { orders: [{ do: 'clear', player: arena.name }, ...give] })
  const seen = await until(() => stacks.every(({ name, cells }, i) => {
    const item = window.slots[window.inventoryStart + i]
    return item?.name === name && item.count === cells.length
  }))
  if (!seen) return 'its ingredients did not come'
  for (const [i, { cells }] of stacks.entries()) {
    await bot.clickWindow(window.inventoryStart + i, 0, 0)
    for (const cell of cells) await bot.clickWindow(cell, 1, 0)
  }
  return undefined
}

// Why it does not hold; undefined where it does.
async function tryRecipe (arena, window, recipe) {
  const { bot, world } = arena
  const failed = await lay(arena, window, recipe)
  if (failed) return failed
  const wanted = { name: bot.registry.items[idOf(recipe.result)].name, count: recipe.result.count ?? 1 }
  const isMade = () => window.slots[0]?.name === wanted.name && window.slots[0].count === wanted.count
  const made = await until(isMade) ? window.slots[0] : undefined
  if (!made) return `the grid shows ${window.slots[0] ? `${window.slots[0].count} ${window.slots[0].name}` : 'nothing'}`
  await bot.clickWindow(0, 0, 0)
  await bot.clickWindow(window.inventoryStart + 20, 0, 0)
  await bot._syncWindow(window)
  const { slots } = await world.ask('player', { player: arena.name })
  const kept = slots.filter(({ item, count }) => item === wanted.name && count === wanted.count)
  return kept.length === 1 ? undefined : `it has ${JSON.stringify(slots)}`
}

// { held, failures: [[name, why]] } of every `step`th recipe.
async function checkRecipes (arena, step = 1) {
  const { bot } = arena
  await arena.reset()
  const table = await arena.set(2, 1, 0, 'crafting_table')
  const all = Object.values(bot.registry.recipes).flat().filter((_, i) => i % step === 0)
  const failures = []
  let window = await bot.openBlock(table)
  for (const recipe of all) {
    const why = await tryRecipe(arena, window, recipe).catch(error => error.message)
    if (!why) continue
    failures.push([bot.registry.items[idOf(recipe.result)].name, why])
    bot.closeWindow(window)
    await pause(50)
    window = await bot.openBlock(table)
  }
  bot.closeWindow(window)
  return { what: 'recipes', of: all.length, failures }
}

module.exports = { checkRecipes }
