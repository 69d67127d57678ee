// Stacks of items in numbered slots.

const alike = (Item, a, b) => Item.equal(a, b, false, true)

// Adds as much of `item` as fits to slots[indices], first to stacks that are begun; returns how many are left over.
// `changed` is called with every index that was touched.
function pour (Item, slots, indices, item, changed = () => {}) {
  let left = item.count
  for (const i of indices) {
    const there = slots.get(i)
    if (left === 0) break
    if (!there || !alike(Item, there, item) || there.count >= there.stackSize) continue
    const moved = Math.min(left, there.stackSize - there.count)
    there.count += moved
    left -= moved
    changed(i)
  }
  for (const i of indices) {
    if (left === 0) break
    if (slots.get(i)) continue
    const moved = Math.min(left, item.stackSize)
    slots.set(i, new Item(item.type, moved, item.metadata, item.nbt))
    left -= moved
    changed(i)
  }
  return left
}

module.exports = { alike, pour }
