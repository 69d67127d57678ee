// Every draw of a world is a function of its seed, of what it is for, and of where or when: there is no state that the
// order of events could change, and no clock.

function mix (h) {
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d)
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b)
  return (h ^ (h >>> 16)) >>> 0
}

function hash (seed, ...numbers) {
  let h = mix(seed ^ 0x9e3779b9)
  for (const n of numbers) h = mix(h ^ Math.imul(n | 0, 0x85ebca77))
  return h
}

// A number that stands for a word, to keep the draws of different purposes apart.
function purpose (word) {
  let h = 0x811c9dc5
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193)
  return h | 0
}

// In [0, 1).
const unit = (seed, ...numbers) => hash(seed, ...numbers) / 4294967296

// A seed of 53 bits as one of 32.
const foldSeed = seed => hash(Math.floor(seed / 4294967296), seed % 4294967296 | 0)

// Draws one after another, for loops that want many: () => [0, 1).
function stream (seed, ...numbers) {
  const start = hash(seed, ...numbers)
  let count = 0
  return () => unit(start, ++count)
}

module.exports = { hash, unit, purpose, foldSeed, stream }
