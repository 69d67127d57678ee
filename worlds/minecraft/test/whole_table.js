// The world's rules against minecraft-data, all of them, by a bot over the protocol: how many hold, and which do not.
// Some minutes. Ends with 1 where one does not hold. node test/whole_table.js [recipes] [smelting] [blocks]: those alone.
const { World } = require('./world')
const { Arena } = require('./arena')
const { checkRecipes } = require('./table/recipes')
const { checkSmelting } = require('./table/smelting')
const { checkDrops } = require('./table/blocks')

const parts = { recipes: checkRecipes, smelting: checkSmelting, blocks: checkDrops }

function report ({ what, of, failures }) {
  console.log(`| ${what} | ${of - failures.length} | ${of} |`)
  for (const [name, why] of failures) console.log(`${what}: ${name}: ${why}`)
  if (failures.length > 0) process.exitCode = 1
}

async function main () {
  const asked = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)
  const unknown = asked.find(part => !Object.hasOwn(parts, part))
  if (unknown) {
    process.stderr.write(`whole_table: ${unknown}: one of ${Object.keys(parts).join(', ')}\n`)
    process.exit(2)
  }
  const world = await World.start({ seed: 3, clock: 20 })
  const arena = await Arena.build(world, await world.join())
  console.log('| rules | hold | of |\n| --- | --- | --- |')
  for (const part of asked) for (const row of [await parts[part](arena, 1, why => console.error(why))].flat()) report(row)
  await world.stop()
}

main()
