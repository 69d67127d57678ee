// Takes `itemsToGet`, { name: count }, out of the chest at `chestPosition`, a Vec3.
async function getItemFromChest (bot, chestPosition, itemsToGet) {
  await withChest(bot, chestPosition, async chest => {
    for (const [name, count] of Object.entries(itemsToGet)) {
      const item = itemByName(chest, name)
      if (!item) {
        bot.chat(`There is no ${name} in the chest.`)
        continue
      }
      const there = chest.containerCount(item.type, null)
      await chest.withdraw(item.type, null, Math.min(count, there))
      bot.chat(there >= count ? `Took ${count} ${name} out of the chest.` : `There were ${there} of ${count} ${name} in the chest.`)
    }
  })
}

// Puts `itemsToDeposit`, { name: count }, into the chest at `chestPosition`, a Vec3.
async function depositItemIntoChest (bot, chestPosition, itemsToDeposit) {
  await withChest(bot, chestPosition, async chest => {
    for (const [name, count] of Object.entries(itemsToDeposit)) {
      const kind = mcData.itemsByName[name]
      const has = kind ? chest.count(kind.id, null) : 0
      if (has === 0) {
        bot.chat(`There is no ${name} in the inventory.`)
        continue
      }
      await chest.deposit(kind.id, null, Math.min(count, has))
      bot.chat(has >= count ? `Put ${count} ${name} into the chest.` : `There were ${has} of ${count} ${name} to put into the chest.`)
    }
  })
}

// Looks into the chest at `chestPosition`, a Vec3: what is in it is seen and remembered.
async function checkItemInsideChest (bot, chestPosition) {
  await withChest(bot, chestPosition, async () => {})
}

// Goes to the chest at `chestPosition`, a Vec3.
async function moveToChest (bot, chestPosition) {
  if (!(chestPosition instanceof Vec3)) throw new Error('chestPosition must be a Vec3')
  const name = bot.blockAt(chestPosition)?.name
  if (!['chest', 'trapped_chest', 'barrel'].includes(name)) throw new Error(`There is no chest at ${chestPosition}: there is ${name ?? 'nothing that is seen'}.`)
  if (bot.entity.position.distanceTo(chestPosition) > 3) await bot.pathfinder.goto(new GoalNear(chestPosition.x, chestPosition.y, chestPosition.z, 2))
}

// Goes to it, opens it for `use`, says what is in it then, and closes it.
async function withChest (bot, chestPosition, use) {
  await moveToChest(bot, chestPosition)
  const chest = await bot.openContainer(bot.blockAt(chestPosition))
  try {
    await use(chest)
    await listItemsInChest(bot, chest)
  } finally {
    await closeChest(bot, chest)
  }
}

// Says what is in a chest that is open.
async function listItemsInChest (bot, chest) {
  const sums = {}
  for (const { name, count } of chest.containerItems()) sums[name] = (sums[name] ?? 0) + count
  bot.chat(Object.keys(sums).length === 0 ? 'The chest is empty.' : `In the chest: ${Object.entries(sums).map(([name, count]) => `${count} ${name}`).join(', ')}.`)
  return sums
}

// Closes a chest that is open.
async function closeChest (bot, chest) {
  chest.close()
  await bot.waitForTicks(2)
}

// The first stack of this name in a chest that is open, or undefined.
function itemByName (chest, name) {
  return chest.containerItems().find(item => item.name === name)
}
