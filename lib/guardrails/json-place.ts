import { isJson } from './json-strings.ts'

/** To make sure of a longer one would block the event loop. */
const LONGEST_PARSED = 65_536
const BEGINS_LIKE_JSON = /^\s*[[{]/

/** Whether a text is taken for an object or a list of JSON. */
export const looksLikeJson = (text: string): boolean =>
  BEGINS_LIKE_JSON.test(text) && (text.length > LONGEST_PARSED || isJson(text))

/** Where the end of a JSON text stands that is read in pieces. */
export class JsonPlace {
  #isInString = false
  #isEscaped = false
  #last = ''

  read(text: string): void {
    for (const character of text) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (character === '\\') this.#isEscaped = this.#isInString
      else if (character === '"') this.#isInString = !this.#isInString
      this.#last = character
    }
  }

  /** What is written here in place of a value: within a string the text itself, elsewhere a string; 0 within a number. */
  written(text: string): string {
    if (this.#isInString) return text
    return /[\d.eE+-]/.test(this.#last) ? '0' : JSON.stringify(text)
  }
}
