// When flying-squid makes its first server, it takes stdin for its console, draws a prompt on stdout, and moves the
// cursor there before every line of its log, printed or not. Stdin and stdout belong to whoever started this process,
// so meanwhile it finds a readline that does nothing.
const readline = require('node:readline')
const squid = require('flying-squid')

function createServer (options) {
  const { createInterface, cursorTo } = readline
  readline.createInterface = () => ({ setPrompt () {}, prompt () {}, on () {} })
  readline.cursorTo = (stream, ...rest) => stream === process.stdout || cursorTo(stream, ...rest)
  try {
    return squid.createMCServer(options)
  } finally {
    readline.createInterface = createInterface
  }
}

module.exports = { createServer }
