// Shoots at the nearest creature called `target` with `weapon` (bow, crossbow, snowball, egg, ender_pearl,
// splash_potion, trident), until it is gone, there is nothing more to shoot with, or a minute has passed.
async function shoot (bot, weapon, target) {
  if (!['bow', 'crossbow', 'snowball', 'egg', 'ender_pearl', 'splash_potion', 'trident'].includes(weapon)) {
    bot.chat(`Could not shoot: ${weapon} is nothing to shoot with.`)
    return
  }
  const item = bot.inventory.items().find(({ name }) => name === weapon)
  if (!item) {
    bot.chat(`Could not shoot: there is no ${weapon} in the inventory.`)
    return
  }
  const entity = bot.nearestEntity(({ name }) => name === target)
  if (!entity) {
    bot.chat(`No ${target} is near, explore first.`)
    return
  }
  const isDrawn = ['bow', 'crossbow', 'trident'].includes(weapon)
  await bot.equip(item, 'hand')
  for (let shots = 0; shots < 30 && bot.entities[entity.id] && entity.isValid && bot.heldItem?.name === weapon; shots++) {
    // An arrow falls as it flies.
    const far = bot.entity.position.distanceTo(entity.position)
    await bot.lookAt(entity.position.offset(0, entity.height * 0.7 + far * far * 0.006, 0), true)
    bot.activateItem()
    await bot.waitForTicks(isDrawn ? 25 : 10)
    if (isDrawn) bot.deactivateItem()
    await bot.waitForTicks(15)
  }
  bot.chat(bot.entities[entity.id] && entity.isValid ? `The ${target} is still there.` : `Shot a ${target}.`)
}
