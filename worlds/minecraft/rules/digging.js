// How long a block takes to break, by Minecraft's own rule: the block's hardness, the tool's speed for its material,
// five times slower under water and in the air. In ticks; Infinity where it cannot be broken.

function digTicks (registry, block, tool, { underWater = false, inAir = false } = {}) {
  if (!block.diggable || block.hardness === null || block.hardness < 0) return Infinity
  const toolId = tool === undefined ? undefined : registry.itemsByName[tool].id
  let speed = registry.materials[block.material]?.[toolId] ?? 1
  if (underWater) speed /= 5
  if (inAir) speed /= 5
  const fits = !block.harvestTools || block.harvestTools[toolId]
  const share = speed / block.hardness / (fits ? 30 : 100)
  return share >= 1 ? 0 : Math.ceil(1 / share)
}

// By how much a tool wears when it breaks a block or hits a creature: swords are no tools, tools no swords.
function wear (tool, deed) {
  const match = tool.match(/_(sword|pickaxe|axe|shovel|hoe)$/)
  if (!match) return tool === 'shears' && deed === 'dig' ? 1 : 0
  if (match[1] === 'sword') return deed === 'hit' ? 1 : 2
  return deed === 'hit' ? 2 : 1
}

module.exports = { digTicks, wear }
