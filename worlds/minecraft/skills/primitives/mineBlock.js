// Mines `count` blocks (1 if left out) called `name`, the nearest within 32 blocks, with the best tool, and picks up
// what they leave. None in sight: explore first.
async function mineBlock (bot, name, count = 1) {
  if (typeof name !== 'string') throw new Error('mineBlock: name must be the name of a block')
  if (!(count >= 1)) throw new Error('mineBlock: count must be 1 or more')
  const kind = mcData.blocksByName[name]
  if (!kind) throw new Error(`mineBlock: there is no block called ${name}`)
  const places = bot.findBlocks({ matching: kind.id, maxDistance: 32, count: 1024 })
  if (places.length === 0) {
    bot.chat(`No ${name} is within 32 blocks, explore first.`)
    return
  }
  let mined = 0
  let why = 'no way leads to the others'
  try {
    while (mined < count && places.length > 0) {
      mined += await bot.collectBlock.collect(places.splice(0, 16).map(place => bot.blockAt(place)), { count: count - mined, ignoreNoPath: true })
    }
  } catch (error) {
    why = error.message
  }
  bot.chat(mined >= count ? `Mined ${mined} ${name}.` : `Mined ${mined} of ${count} ${name}: ${why}.`)
}
