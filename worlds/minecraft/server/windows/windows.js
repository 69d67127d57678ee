// Opens, answers and closes the windows of a player. The server alone decides: a click is done on its own slots, and
// the client is told every slot in which its claim differs from what is so.
const { Recipes, remainders } = require('../../rules/recipes')
const { View, InventoryView, CraftingView, FurnaceView, OWN_FROM } = require('./views')
const { Click } = require('./clicks')

// Numbers of the protocol's kinds of windows.
const types = { chest: 2, double_chest: 5, blast_furnace: 9, crafting: 11, furnace: 13, smoker: 21 }
const HIGHEST_ID = 100

class Windows {
  constructor (game) {
    this.game = game
    const recipes = new Recipes(game.registry)
    this.recipes = {
      Item: game.Item,
      match: (ids, width) => recipes.match(ids, width),
      remainderOf: item => Object.hasOwn(remainders, item.name) ? game.item(remainders[item.name]) : undefined
    }
  }

  inventoryOf (survivor) {
    return new InventoryView(survivor, this.recipes)
  }

  // `make` is given the window's id.
  open (survivor, type, title, make) {
    this.close(survivor)
    survivor.lastWindow = survivor.lastWindow % HIGHEST_ID + 1
    survivor.view = make(survivor.lastWindow)
    survivor.send('open_window', { windowId: survivor.view.id, inventoryType: types[type], windowTitle: JSON.stringify({ text: title }) })
    this.tellAll(survivor)
  }

  openCrafting (survivor, position) {
    this.open(survivor, 'crafting', 'Crafting', id => new CraftingView(survivor, id, this.recipes))
    survivor.view.position = position
  }

  openFurnace (survivor, furnace, position) {
    this.open(survivor, furnace.kind, 'Furnace', id => new FurnaceView(survivor, id, furnace))
    survivor.view.position = position
    furnace.tell(survivor)
  }

  openChest (survivor, slots, position) {
    this.open(survivor, slots.length > 27 ? 'double_chest' : 'chest', 'Chest', id => new View(survivor, id, slots))
    survivor.view.position = position
  }

  tellAll (survivor) {
    const { view } = survivor
    view.refresh()
    const items = Array.from({ length: view.size }, (_, i) => this.game.Item.toNotch(view.get(i)))
    survivor.send('window_items', { windowId: view.id, stateId: 1, items, carriedItem: this.game.Item.toNotch(survivor.cursor) })
  }

  tellSlot (survivor, i) {
    survivor.send('set_slot', { windowId: survivor.view.id, stateId: 1, slot: i, item: this.game.Item.toNotch(survivor.view.get(i)) })
  }

  // One of the player's own slots has changed, by whatever cause; it is told in the window that is open, too.
  tellOwn (survivor, slot) {
    const item = this.game.Item.toNotch(survivor.slots.get(slot))
    survivor.send('set_slot', { windowId: 0, stateId: 1, slot, item })
    if (survivor.view.id !== 0 && slot >= OWN_FROM && slot < 45) this.tellSlot(survivor, slot - OWN_FROM + survivor.view.own.length)
  }

  // The slots of a container have changed, by `but` or by themselves.
  tellViewers (slots, but) {
    for (const other of this.game.connected()) {
      const own = other.view.own
      if (other === but || other.view.id === 0 || !(own === slots || own.first === slots || own.second === slots || (own.first && own.first === slots.first))) continue
      for (let i = 0; i < own.length; i++) this.tellSlot(other, i)
    }
  }

  click (survivor, packet) {
    const { game } = this
    const { Item } = game
    const { view } = survivor
    if (packet.windowId !== view.id) return
    // Dragging is not taken, and -1 says that the client has lost track.
    if (packet.stateId === -1 || packet.mode === 5 || packet.mode === 3) { this.tellAll(survivor); return }
    const before = Array.from({ length: view.size }, (_, i) => view.get(i) && game.copy(view.get(i)))
    const thrown = new Click(game, view).run(packet)
    const believed = new Map(packet.changedSlots.map(({ location, item }) => [location, Item.fromNotch(item)]))
    const retold = view.retold(packet.slot)
    for (let i = 0; i < view.size; i++) {
      const claim = believed.has(i) ? believed.get(i) : before[i]
      if (!retold.includes(i) && !Item.equal(claim, view.get(i))) this.tellSlot(survivor, i)
    }
    for (const i of retold) this.tellSlot(survivor, i)
    if (!Item.equal(Item.fromNotch(packet.cursorItem), survivor.cursor)) {
      survivor.send('set_slot', { windowId: -1, stateId: 1, slot: -1, item: Item.toNotch(survivor.cursor) })
    }
    if (view.id !== 0) this.tellViewers(view.own, survivor)
    for (const item of thrown) game.drops.throwFrom(survivor, item)
    survivor.gearChanged()
  }

  // What lies in a grid or at the cursor goes back to the bag, or to the ground where that is full.
  close (survivor) {
    const { view } = survivor
    const items = view.leftOver()
    if (survivor.cursor) items.push(survivor.cursor)
    survivor.cursor = null
    survivor.view = survivor.inventory
    for (const item of items) survivor.receiveOrDrop(item)
    if (view.id !== 0 || items.length > 0) this.tellAll(survivor)
  }

  // By the server: the container is gone, or out of reach.
  shut (survivor) {
    if (survivor.view.id === 0) return
    survivor.send('close_window', { windowId: survivor.view.id })
    this.close(survivor)
  }
}

module.exports = { Windows }
