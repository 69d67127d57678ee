// Places the item called `name` at `position`, a Vec3, beside another block; goes near first. The place has to be free.
async function placeItem (bot, name, position) {
  if (typeof name !== 'string') throw new Error('placeItem: name must be the name of an item')
  if (!(position instanceof Vec3)) throw new Error('placeItem: position must be a Vec3')
  const kind = mcData.itemsByName[name]
  if (!kind) throw new Error(`placeItem: there is no item called ${name}`)
  const item = bot.inventory.findInventoryItem(kind.id, null)
  if (!item) {
    bot.chat(`Could not place ${name}: there is none in the inventory.`)
    return
  }
  const place = position.floored()
  const faces = [new Vec3(0, 1, 0), new Vec3(0, -1, 0), new Vec3(1, 0, 0), new Vec3(-1, 0, 0), new Vec3(0, 0, 1), new Vec3(0, 0, -1)]
  const isOpen = at => ['empty', undefined].includes(bot.blockAt(at)?.boundingBox)
  const sideOf = at => faces.find(face => bot.blockAt(at.minus(face))?.boundingBox === 'block')
  // Where it could stand in place of one that is taken.
  const free = () => {
    const here = bot.entity.position.floored()
    for (const dy of [0, -1, 1]) {
      for (const [dx, dz] of [[1, 0], [-1, 0], [0, 1], [0, -1], [2, 0], [-2, 0], [0, 2], [0, -2]]) {
        const at = here.offset(dx, dy, dz)
        if (isOpen(at) && sideOf(at)) return `; ${at} is free`
      }
    }
    return ''
  }
  const face = sideOf(place)
  if (!isOpen(place) || !face) {
    bot.chat(`Could not place ${name} at ${place}: there is ${isOpen(place) ? 'nothing to place it on' : bot.blockAt(place).name}${free()}.`)
    return
  }
  try {
    await bot.pathfinder.goto(new GoalPlaceBlock(place, bot.world, {}))
    await bot.equip(item, 'hand')
    await bot.placeBlock(bot.blockAt(place.minus(face)), face)
    bot.chat(`Placed ${name} at ${place}.`)
  } catch (error) {
    bot.chat(`Could not place ${name} at ${place}: ${error.message}${free()}.`)
  }
}
