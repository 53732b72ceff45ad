const MOST_NAMES = 10
const LONGEST_NAME = 60
const MOST_NOTICES = 20
const LONGEST_NOTICE = 1_000

/** Names from the client, quoted and shortened, the first ten of them: `columns "a", "b" and 3 more`. */
export const namesInWords = (names: readonly string[], noun = ''): string => {
  const shown = names
    .slice(0, MOST_NAMES)
    .map(name => JSON.stringify(name.slice(0, LONGEST_NAME).toWellFormed()))
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  const what = noun === '' ? '' : `${noun}${names.length > 1 ? 's' : ''} `
  return `${what}${shown.join(', ')}${more}`
}

/** The warnings of an accepted upload: at most twenty sentences, each once, of at most 1,000 characters. */
export class Notices {
  readonly #said = new Set<string>()
  #isFull = false

  add(file: string, notice: string): void {
    const text = `${file}: ${notice}`.slice(0, LONGEST_NOTICE)
    if (this.#said.size < MOST_NOTICES) this.#said.add(text)
    else if (!this.#said.has(text)) this.#isFull = true
  }

  get all(): readonly string[] {
    return this.#isFull ? [...this.#said, 'There are more warnings than these.'] : [...this.#said]
  }
}
