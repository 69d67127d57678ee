// bot.tool, as mineflayer's plugin of that name has it: equipForBlock(block, { requireHarvest }) holds what digs this
// block fastest.
function inject (bot) {
  const ticksWith = (block, item) => block.digTime(item?.type ?? null, false, false, false, item?.enchants ?? [], bot.entity.effects)

  async function equipForBlock (block, { requireHarvest = false } = {}) {
    if (!block) throw new Error('equipForBlock: there is no such block')
    const harvests = item => block.canHarvest(item?.type ?? null)
    const held = bot.heldItem
    const all = [held, ...bot.inventory.items()].filter(item => !requireHarvest || harvests(item))
    if (all.length === 0) {
      const tools = Object.keys(block.harvestTools ?? {}).map(id => bot.registry.items[id].name)
      throw new Error(`${block.name} gives nothing without one of ${tools.join(', ')}`)
    }
    // What is held stays where nothing is better.
    const best = all.reduce((a, b) => ticksWith(block, b) < ticksWith(block, a) ? b : a)
    if (best && best !== held) await bot.equip(best, 'hand')
  }

  bot.tool = { equipForBlock }
}

module.exports = inject
