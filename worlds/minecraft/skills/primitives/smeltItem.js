// Smelts `count` items (1 if left out) called `itemName` with the fuel `fuelName`, in a furnace within 32 blocks, and
// takes what comes out. Takes ten seconds an item.
async function smeltItem (bot, itemName, fuelName, count = 1) {
  if (typeof itemName !== 'string' || typeof fuelName !== 'string') throw new Error('smeltItem: itemName and fuelName must be names of items')
  if (!(count >= 1)) throw new Error('smeltItem: count must be 1 or more')
  const item = mcData.itemsByName[itemName]
  const fuel = mcData.itemsByName[fuelName]
  if (!item) throw new Error(`smeltItem: there is no item called ${itemName}`)
  if (!fuel) throw new Error(`smeltItem: there is no item called ${fuelName}`)
  const block = bot.findBlock({ matching: mcData.blocksByName.furnace.id, maxDistance: 32 })
  if (!block) {
    bot.chat('Could not smelt: there is no furnace within 32 blocks; place one first.')
    return
  }
  await bot.pathfinder.goto(new GoalNear(block.position.x, block.position.y, block.position.z, 2))
  const furnace = await bot.openFurnace(block)
  let made = 0
  let what
  let why = `there is no more ${itemName}`
  const takeOutput = async () => {
    const output = furnace.outputItem()
    if (!output) return
    what = output.name
    made += output.count
    await furnace.takeOutput()
  }
  try {
    if (furnace.outputItem()) await furnace.takeOutput()
    if (furnace.inputItem()) await furnace.takeInput()
    while (made < count) {
      const batch = Math.min(count - made, furnace.count(item.id, null), 64)
      if (batch === 0) break
      await furnace.putInput(item.id, null, batch)
      let seconds = 0 // since the last one was done, or fuel was put in
      for (let left = batch, fed = false; furnace.inputItem() && seconds < 15; seconds++) {
        // Fuel that lies ready is lit when the last goes out: what is half done cools in between.
        const burns = furnace.fuelSeconds ?? 0
        const needs = (left - 1) * 10 + (furnace.progressSeconds ?? 10)
        if (!furnace.fuelItem() && (!fed || burns < needs - 1)) {
          if (furnace.count(fuel.id, null) > 0) {
            await furnace.putFuel(fuel.id, null, 1)
            fed = true
            seconds = 0
          } else if (burns <= 0 && seconds >= 3) {
            why = `there is no more ${fuelName} to burn`
            break
          }
        }
        await bot.waitForTicks(20)
        if ((furnace.inputItem()?.count ?? 0) < left) seconds = 0
        left = furnace.inputItem()?.count ?? 0
      }
      await bot.waitForTicks(5) // what came of the last one is told after it is gone
      await takeOutput()
      if (!furnace.inputItem()) continue
      if (seconds >= 15) why = `the furnace makes nothing of ${itemName} and ${fuelName}`
      await furnace.takeInput()
      break
    }
  } catch (error) {
    why = error.message
  }
  furnace.close()
  bot.chat(made >= count ? `Smelted ${made} ${itemName} into ${what}.` : `Smelted ${made} of ${count} ${itemName}: ${why}.`)
}
