// Says by bot.chat why `name` cannot be crafted: what is missing for the recipe that lacks least, or a crafting_table.
function failedCraftFeedback (bot, name, item, craftingTable) {
  const recipes = bot.recipesAll(item.id, null, true)
  if (recipes.length === 0) {
    bot.chat(`Could not craft ${name}: it is not made by crafting.`)
    return
  }
  const missingFor = recipe => {
    const missing = new Map()
    for (const { id, count } of recipe.delta) {
      const lack = -count - bot.inventory.count(id, null)
      if (count < 0 && lack > 0) missing.set(mcData.items[id].name, lack)
    }
    return missing
  }
  const total = missing => [...missing.values()].reduce((sum, lack) => sum + lack, 0)
  const least = recipes.map(missingFor).reduce((a, b) => total(b) < total(a) ? b : a)
  if (least.size === 0) {
    bot.chat(`Could not craft ${name}: it needs a crafting_table within 32 blocks; place one first.`)
    return
  }
  bot.chat(`Could not craft ${name}: ${[...least].map(([kind, lack]) => `${lack} more ${kind}`).join(', ')} needed.`)
}
