import { COMMA, QUOTE } from '../../../json-codes.ts'
import { inTurns, type Steps } from '../../../loop-turns.ts'
import { endOfString } from '../../../raw-json.ts'

/** Parsing texts is fast, however long they are; this many values block the event loop for a quarter of a second. */
const MOST_VALUES = 500_000
const PORTION = 262_144

/** Counts the commas outside of strings, in portions. @throws RangeError */
function* assertFewValues(json: string): Steps<void> {
  let commas = 0
  let yieldsAt = PORTION
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) {
      at = endOfString(json, at + 1)
      if (at === -1) return
    } else if (code === COMMA) commas += 1
    if (at < yieldsAt) continue
    if (commas > MOST_VALUES) throw new RangeError(`the body has more than ${MOST_VALUES} values`)
    yieldsAt = at + PORTION
    yield
  }
}

/** Rejects with a RangeError for an answer that has more values than can be parsed at once. */
export const assertParsable = (text: string): Promise<void> => inTurns(assertFewValues(text))
