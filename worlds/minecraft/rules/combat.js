// What a blow does, and what armour takes of it.
const weapons = {
  sword: { wooden: 4, golden: 4, stone: 5, iron: 6, diamond: 7, netherite: 8 },
  axe: { wooden: 7, golden: 7, stone: 9, iron: 9, diamond: 9, netherite: 10 },
  pickaxe: { wooden: 2, golden: 2, stone: 3, iron: 4, diamond: 5, netherite: 6 },
  shovel: { wooden: 2.5, golden: 2.5, stone: 3.5, iron: 4.5, diamond: 5.5, netherite: 6.5 }
}
const armour = {
  leather: { helmet: 1, chestplate: 3, leggings: 2, boots: 1 },
  golden: { helmet: 2, chestplate: 5, leggings: 3, boots: 1 },
  chainmail: { helmet: 2, chestplate: 5, leggings: 4, boots: 1 },
  iron: { helmet: 2, chestplate: 6, leggings: 5, boots: 2 },
  diamond: { helmet: 3, chestplate: 8, leggings: 6, boots: 3 },
  netherite: { helmet: 3, chestplate: 8, leggings: 6, boots: 3 },
  turtle: { helmet: 2 }
}
// Ticks until a blow has its whole strength again.
const pauses = { sword: 13, axe: 20, pickaxe: 17, shovel: 20, hoe: 10 }

const split = name => name?.match(/^(\w+?)_(sword|axe|pickaxe|shovel|hoe|helmet|chestplate|leggings|boots)$/) ?? []

function blowDamage (tool, ticksSinceLast) {
  const [, material, kind] = split(tool)
  const whole = weapons[kind]?.[material] ?? 1
  const strength = Math.min(1, (ticksSinceLast + 0.5) / (pauses[kind] ?? 5))
  return whole * (0.2 + 0.8 * strength * strength)
}

const armourPoints = name => {
  const [, material, kind] = split(name)
  return armour[material]?.[kind] ?? 0
}

// What of `damage` reaches who wears armour of so many points (four hundredths each, as without toughness).
const afterArmour = (damage, points) => damage * (1 - Math.min(20, Math.max(points / 5, points - damage / 2)) / 25)

module.exports = { blowDamage, armourPoints, afterArmour }
