// The world's rules against minecraft-data, all of them, by a bot over the protocol: how many hold, and which do not.
// Some minutes. Ends with 1 where one does not hold.
const { World } = require('./world')
const { Arena } = require('./arena')
const { checkRecipes } = require('./table/recipes')
const { checkSmelting } = require('./table/smelting')
const { checkDrops } = require('./table/blocks')

function report ({ what, of, failures }) {
  console.log(`| ${what} | ${of - failures.length} | ${of} |`)
  for (const [name, why] of failures) console.log(`${what}: ${name}: ${why}`)
  if (failures.length > 0) process.exitCode = 1
}

async function main () {
  const world = await World.start({ seed: 3, clock: 20 })
  const arena = await Arena.build(world, await world.join())
  console.log('| rules | hold | of |\n| --- | --- | --- |')
  report(await checkRecipes(arena))
  report(await checkSmelting(arena))
  for (const row of await checkDrops(arena)) report(row)
  await world.stop()
}

main()
