// Everything that a furnace, a smoker or a blast furnace takes, smelted by a bot. minecraft-data has no such recipes:
// that a name is one of its items is all that it says of them.
const { pause } = require('../world')
const { smeltedIn, kinds } = require('../../rules/smelting')

async function trySmelting (arena, furnace, name, wanted) {
  const { bot, world } = arena
  const idOf = item => bot.registry.itemsByName[item].id
  await world.ask('all', { orders: [{ do: 'clear', player: arena.name }, { do: 'give', player: arena.name, item: name, count: 1, slot: 9 }, { do: 'give', player: arena.name, item: 'coal', count: 1, slot: 10 }] })
  for (let i = 0; i < 400 && furnace.slots[furnace.inventoryStart + 1]?.name !== 'coal'; i++) await pause(5)
  if (!furnace.fuelItem()) await furnace.putFuel(idOf('coal'), null, 1)
  await furnace.putInput(idOf(name), null, 1)
  for (let i = 0; i < 1000 && !furnace.outputItem(); i++) await pause(5)
  const made = furnace.outputItem()
  if (made?.name !== wanted) return `it shows ${made?.name ?? 'nothing'}`
  await furnace.takeOutput()
  return undefined
}

async function checkSmelting (arena, step = 1) {
  const { bot } = arena
  const failures = []
  let of = 0
  for (const kind of Object.keys(kinds)) {
    await arena.reset()
    const names = bot.registry.itemsArray.map(({ name }) => name).filter(name => smeltedIn(kind, name)).filter((_, i) => i % step === 0)
    const furnace = await bot.openFurnace(await arena.set(2, 1, 0, kind))
    for (const name of names) {
      of++
      const why = await trySmelting(arena, furnace, name, smeltedIn(kind, name)).catch(error => error.message)
      if (why) failures.push([`${kind}: ${name}`, why])
    }
    furnace.close()
  }
  return { what: 'smelting', of, failures }
}

module.exports = { checkSmelting }
