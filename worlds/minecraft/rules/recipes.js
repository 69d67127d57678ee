// Which item a grid of ingredients makes, from the recipes of minecraft-data: shaped ones wherever they fit and
// mirrored, shapeless ones in any order.

const idOf = entry => entry === null || entry === undefined ? -1 : typeof entry === 'object' ? (Array.isArray(entry) ? entry[0] : entry.id) : entry

// Rows of one width, without empty rows and columns at the edges.
function trimmed (rows) {
  const used = rows.flatMap((row, y) => row.flatMap((id, x) => id === -1 ? [] : [[x, y]]))
  if (used.length === 0) return []
  const xs = used.map(([x]) => x)
  const ys = used.map(([, y]) => y)
  const width = Math.max(...xs) + 1
  return rows.slice(Math.min(...ys), Math.max(...ys) + 1)
    .map(row => Array.from({ length: width }, (_, x) => row[x] ?? -1).slice(Math.min(...xs)))
}

const shapeKey = rows => rows.map(row => row.join(',')).join(';')
const heapKey = ids => [...ids].sort((a, b) => a - b).join(',')

class Recipes {
  constructor (registry) {
    this.shaped = new Map()
    this.shapeless = new Map()
    for (const recipe of Object.values(registry.recipes).flat()) {
      const result = { id: idOf(recipe.result), count: recipe.result.count ?? 1 }
      if (recipe.inShape) {
        const rows = trimmed(recipe.inShape.map(row => row.map(idOf)))
        for (const shape of [rows, rows.map(row => [...row].reverse())]) {
          if (!this.shaped.has(shapeKey(shape))) this.shaped.set(shapeKey(shape), result)
        }
      } else if (recipe.ingredients) {
        const key = heapKey(recipe.ingredients.map(idOf))
        if (!this.shapeless.has(key)) this.shapeless.set(key, result)
      }
    }
  }

  // `ids`: of a grid, row by row, -1 where it is empty. { id, count }, or undefined.
  match (ids, width) {
    const rows = []
    for (let i = 0; i < ids.length; i += width) rows.push(ids.slice(i, i + width))
    const shape = trimmed(rows)
    if (shape.length === 0) return undefined
    return this.shaped.get(shapeKey(shape)) ?? this.shapeless.get(heapKey(ids.filter(id => id !== -1)))
  }
}

// What stays in the grid of an ingredient that was used up.
const remainders = {
  water_bucket: 'bucket', lava_bucket: 'bucket', milk_bucket: 'bucket', honey_bottle: 'glass_bottle', dragon_breath: 'glass_bottle'
}

module.exports = { Recipes, remainders, idOf }
