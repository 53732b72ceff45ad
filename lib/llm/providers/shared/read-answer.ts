import { COMMA, QUOTE } from '../../../json-codes.ts'
import { inTurns, type Steps } from '../../../loop-turns.ts'
import { endOfString } from '../../../raw-json.ts'
import type { ResponseBody } from './body.ts'
import { type Received, readText, receivedText } from './upstream.ts'

/** As much as a request may have. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** In UTF-16 units. A shorter answer is parsed whatever it holds. */
const LONG = 8 * 1024 * 1024
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

/**
 * Reads a whole answer as text: of up to 32 MiB, or 8 MiB where it was encoded, which costs its sender nothing. Beyond
 * 8 MiB it has up to 500,000 values, as texts and images have.
 * Rejects with a RangeError for a longer one.
 *
 * @param onFailed called where it rejects
 */
export const readAnswer = async (
  body: ResponseBody,
  isEncoded: boolean,
  onFailed: (received: Received) => void,
): Promise<string> => {
  const text = await readText(body, isEncoded ? LONG : MAX_ANSWER_BYTES, onFailed)
  if (text.length <= LONG) return text
  try {
    await inTurns(assertFewValues(text))
    return text
  } catch (thrown) {
    onFailed(receivedText(text))
    throw thrown
  }
}
