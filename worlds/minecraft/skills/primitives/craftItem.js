// Crafts by the recipe of the item called `name`, `count` times (1 if left out): each time gives as many as the recipe
// makes. Goes to a crafting_table within 32 blocks; without one, only what the player's own grid has room for.
async function craftItem (bot, name, count = 1) {
  if (typeof name !== 'string') throw new Error('craftItem: name must be the name of an item')
  if (!(count >= 1)) throw new Error('craftItem: count must be 1 or more')
  const item = mcData.itemsByName[name]
  if (!item) throw new Error(`craftItem: there is no item called ${name}`)
  let table = bot.findBlock({ matching: mcData.blocksByName.crafting_table.id, maxDistance: 32 })
  const byHand = bot.recipesFor(item.id, null, 1, null)[0]
  if (table && !byHand) {
    try {
      await bot.pathfinder.goto(new GoalNear(table.position.x, table.position.y, table.position.z, 2))
    } catch (error) {
      bot.chat(`No way leads to the crafting table at ${table.position}.`)
      table = null
    }
  }
  const recipe = byHand ?? bot.recipesFor(item.id, null, 1, table)[0]
  if (!recipe) {
    failedCraftFeedback(bot, name, item, table)
    return
  }
  let times = 0
  let lost = 0 // times that the server did not give what the bot took
  let why = 'there is no more to make it of'
  try {
    while (times < count) {
      const next = bot.recipesFor(item.id, null, 1, table)[0]
      if (!next) break
      const had = bot.inventory.count(item.id, null)
      await bot.craft(next, 1, next.requiresTable ? table : null)
      await bot.waitForTicks(6)
      if (bot.inventory.count(item.id, null) > had) {
        times++
      } else if (++lost === 3) {
        why = 'the server did not give it'
        break
      }
    }
  } catch (error) {
    why = error.message
  }
  bot.chat(times >= count
    ? `Did the recipe of ${name} ${times} times: ${times * recipe.result.count} made.`
    : `Did the recipe of ${name} ${times} of ${count} times: ${why}.`)
}
