// Functions that code can call by their bare names: each entry, { name, code, functions }, is compiled and run when one
// of its functions is first asked for, so that an entry which cannot be loaded harms nobody but who calls it. What an
// entry defines at its top hides what others have under that name; nobody else sees it.
const vm = require('node:vm')

class Library {
  constructor (scope) {
    this.scope = Object.assign(Object.create(null), scope)
  }

  // The values of `names`, which `code` defines. `file` is what errors name as the place.
  load (file, code, names) {
    const ends = `\n;return { ${names.join(', ')} }`
    return vm.compileFunction(code + ends, [], { filename: file, contextExtensions: [this.scope] })()
  }

  // A later entry does not take the name of an earlier one.
  add ({ name, code, functions = [name] }, file) {
    let loaded
    const names = functions.filter(called => !(called in this.scope))
    for (const called of names) {
      Object.defineProperty(this.scope, called, {
        get: () => {
          loaded ??= this.load(file, code, functions)
          return loaded[called]
        }
      })
    }
  }
}

module.exports = { Library }
