// For the tests of the sandbox (tests/sandbox/node_child_test.cc): runs the one line of JavaScript that comes over
// descriptor 3, and answers there with what it gives or the code of its error.
const net = require('node:net')
const readline = require('node:readline')

const parent = new net.Socket({ fd: 3 })
readline.createInterface({ input: parent }).once('line', async line => {
  const say = value => parent.write(`${JSON.stringify(value)}\n`)
  try {
    say({ value: await new Function('load', 'parent', `return (async () => { ${line} })()`)(require, parent) ?? null })
  } catch (error) {
    say({ error: error.code ?? error.message })
  }
})
