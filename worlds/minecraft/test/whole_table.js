// The world's rules against minecraft-data, all of them, by a bot over the protocol: how many hold, and which do not.
// Some minutes. Ends with 1 where one does not hold.
const { World } = require('./world')
const { Arena } = require('./arena')
const { checkRecipes } = require('./table/recipes')
const { checkSmelting } = require('./table/smelting')
const { checkDrops } = require('./table/blocks')

async function main () {
  const world = await World.start({ seed: 3, clock: 20 })
  const arena = await Arena.build(world, await world.join())
  const rows = [await checkRecipes(arena), await checkSmelting(arena), ...await checkDrops(arena)]
  await world.stop()
  console.log('| rules | hold | of |\n| --- | --- | --- |')
  for (const { what, of, failures } of rows) console.log(`| ${what} | ${of - failures.length} | ${of} |`)
  for (const { what, failures } of rows) for (const [name, why] of failures) console.log(`${what}: ${name}: ${why}`)
  process.exitCode = rows.some(({ failures }) => failures.length > 0) ? 1 : 0
}

main()
