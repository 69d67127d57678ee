// What a player has open: the slots of a window as the protocol numbers them, and what each of them takes.
// The player's own slots: 0 the result of the small grid, 1-4 that grid, 5-8 armour, 9-35 the bag, 36-44 the bar, 45
// the other hand. A window of a container has its own slots first, then the bag and the bar.
const { fuelTicks } = require('../../rules/fuels')
const { smeltedIn } = require('../../rules/smelting')
const { Slots } = require('./slots')

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)
const OWN_FROM = 9
const OWN_TO = 45
const armourSlots = { 5: /_helmet$|_head$|_skull$|^carved_pumpkin$/, 6: /_chestplate$|^elytra$/, 7: /_leggings$/, 8: /_boots$/ }

class View {
  constructor (survivor, id, own) {
    this.survivor = survivor
    this.id = id
    this.own = own
  }

  get size () { return this.own.length + OWN_TO - OWN_FROM }
  get (i) { return i < this.own.length ? this.own.get(i) : this.survivor.slots.get(i - this.own.length + OWN_FROM) }
  set (i, item) { if (i < this.own.length) this.own.set(i, item); else this.survivor.slots.set(i - this.own.length + OWN_FROM, item) }
  has (i) { return Number.isInteger(i) && i >= 0 && i < this.size }

  get bag () { return range(this.own.length, this.own.length + 27) }
  get bar () { return range(this.own.length + 27, this.own.length + 36) }

  // Nothing can be put there, and taking from it may use something up.
  isResult () { return false }
  takes (i) { return !this.isResult(i) }
  // What an item that is shifted out of the player's slots goes to, in order.
  shiftTargets (i) { return i < this.own.length ? [...this.bar, ...this.bag] : range(0, this.own.length) }
  tookResult () {} // given what was taken
  refresh () {}
  // Slots to be told again after a click in `slot`, whatever the client believes.
  retold () { return [] }
  // What falls out when it is closed.
  leftOver () { return [] }
}

// Adds a crafting grid of width x width, whose result is slot 0.
const withGrid = Base => class extends Base {
  get grid () { return range(1, 1 + this.width * this.width) }
  isResult (i) { return i === 0 }

  refresh () {
    const match = this.recipes.match(this.grid.map(i => this.get(i)?.type ?? -1), this.width)
    const Item = this.recipes.Item
    this.set(0, match ? new Item(match.id, match.count) : null)
  }

  // The client waits for the result after every click in the grid.
  retold (slot) { return slot >= 0 && slot <= this.width * this.width ? [0] : [] }

  tookResult (result) {
    this.survivor.did('crafted', result.name, result.count)
    for (const i of this.grid) {
      const item = this.get(i)
      if (!item) continue
      const remainder = this.recipes.remainderOf(item)
      if (item.count === 1 && remainder) this.set(i, remainder)
      else { item.count--; this.set(i, item) }
    }
    this.refresh()
  }

  leftOver () {
    const items = this.grid.map(i => this.get(i)).filter(item => item)
    for (const i of [0, ...this.grid]) this.set(i, null)
    return items
  }
}

class InventoryView extends withGrid(View) {
  constructor (survivor, recipes) {
    super(survivor, 0, survivor.slots)
    this.recipes = recipes
    this.width = 2
  }

  get size () { return this.own.length }
  get (i) { return this.own.get(i) }
  set (i, item) { this.own.set(i, item) }
  get bag () { return range(OWN_FROM, OWN_FROM + 27) }
  get bar () { return range(OWN_FROM + 27, OWN_TO) }
  takes (i, item) { return i !== 0 && (!armourSlots[i] || armourSlots[i].test(item.name)) }

  shiftTargets (i) {
    const worn = Object.keys(armourSlots).map(Number).filter(slot => i >= OWN_FROM && armourSlots[slot].test(this.get(i).name) && !this.get(slot))
    if (i < OWN_FROM || i === 45) return [...this.bag, ...this.bar]
    return [...worn, ...(i < 36 ? this.bar : this.bag)]
  }
}

class CraftingView extends withGrid(View) {
  constructor (survivor, id, recipes) {
    super(survivor, id, new Slots(10))
    this.recipes = recipes
    this.width = 3
  }

  shiftTargets (i) {
    if (i < this.own.length) return [...this.bag, ...this.bar]
    return this.bag.includes(i) ? this.bar : this.bag
  }
}

class FurnaceView extends View {
  constructor (survivor, id, furnace) {
    super(survivor, id, furnace.slots)
    this.furnace = furnace
  }

  isResult (i) { return i === 2 }
  tookResult (result) { this.survivor.did('smelted', result.name, result.count) }
  takes (i, item) { return i !== 2 && (i !== 1 || fuelTicks(item.name) > 0 || item.name === 'bucket') }

  shiftTargets (i) {
    if (i < 3) return [...this.bag, ...this.bar]
    const { name } = this.get(i)
    if (smeltedIn(this.furnace.kind, name)) return [0]
    return fuelTicks(name) > 0 ? [1] : this.bag.includes(i) ? this.bar : this.bag
  }
}

module.exports = { View, InventoryView, CraftingView, FurnaceView, OWN_FROM, OWN_TO }
