// Takes up again what was placed: digs the block called `name` at `position`, a Vec3, and picks it up.
async function givePlacedItemBack (bot, name, position) {
  if (typeof name !== 'string') throw new Error('givePlacedItemBack: name must be the name of a block')
  if (!(position instanceof Vec3)) throw new Error('givePlacedItemBack: position must be a Vec3')
  const block = bot.blockAt(position.floored())
  if (block?.name !== name) {
    bot.chat(`Could not take up the ${name}: there is ${block?.name ?? 'nothing that is seen'}.`)
    return
  }
  try {
    await bot.collectBlock.collect(block)
    bot.chat(`Took up the ${name}.`)
  } catch (error) {
    bot.chat(`Could not take up the ${name}: ${error.message}.`)
  }
}
