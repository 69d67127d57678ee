// Places for stacks, by number: those of one container, or of two that are one (a double chest).

class Slots {
  constructor (length) {
    this.items = new Array(length).fill(null)
  }

  get length () { return this.items.length }
  get (i) { return this.items[i] }
  set (i, item) { this.items[i] = item && item.count > 0 ? item : null }
  whole () { return this.items.filter(item => item) }
}

class JoinedSlots {
  constructor (first, second) {
    this.first = first
    this.second = second
  }

  get length () { return this.first.length + this.second.length }
  part (i) { return i < this.first.length ? [this.first, i] : [this.second, i - this.first.length] }
  get (i) { const [slots, at] = this.part(i); return slots.get(at) }
  set (i, item) { const [slots, at] = this.part(i); slots.set(at, item) }
}

module.exports = { Slots, JoinedSlots }
