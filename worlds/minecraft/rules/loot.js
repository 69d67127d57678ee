// What creatures leave when they die: minecraft-data's items, in release 1.19's amounts.
const amounts = {
  cow: [['beef', 1, 3], ['leather', 0, 2]],
  pig: [['porkchop', 1, 3]],
  sheep: [['mutton', 1, 2], ['white_wool', 1, 1]],
  chicken: [['chicken', 1, 1], ['feather', 0, 2]],
  zombie: [['rotten_flesh', 0, 2]],
  skeleton: [['bone', 0, 2], ['arrow', 0, 2]],
  spider: [['string', 0, 2]],
  creeper: [['gunpowder', 0, 2]],
  enderman: [['ender_pearl', 0, 1]]
}
const cooked = { beef: 'cooked_beef', porkchop: 'cooked_porkchop', mutton: 'cooked_mutton', chicken: 'cooked_chicken' }

// [[name, count], ...]; what was burning is cooked.
function lootOf (kind, burning, draw) {
  return (amounts[kind] ?? [])
    .map(([item, low, high]) => [burning ? cooked[item] ?? item : item, low + Math.floor(draw() * (high - low + 1))])
    .filter(([, count]) => count > 0)
}

module.exports = { lootOf }
