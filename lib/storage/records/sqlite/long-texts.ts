import { portionEnd } from '../../../long-json.ts'
import { LONG_STEP, type Steps } from '../../../loop-turns.ts'

/**
 * A text of a message between the event loop and SQLite's thread, as UTF-8 in portions that move without being copied:
 * to copy a string of 30 MB takes V8 one step of 60 ms.
 */
type LongText = Readonly<{ portions: readonly Uint8Array<ArrayBuffer>[] }>

/** Shorter texts are copied with their message. */
const LONG = 1_048_576
const PORTION = 262_144

type Branch = readonly unknown[] | Readonly<Record<string, unknown>>

const isBranch = (value: unknown): value is Branch =>
  typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)

const isLongText = (value: Branch): value is LongText => 'portions' in value

/** Whether a message, made of plain objects and lists, holds a text that is not copied with it. */
export const hasLongText = (value: unknown): boolean => {
  if (typeof value === 'string') return value.length > LONG
  return isBranch(value) && Object.values(value).some(hasLongText)
}

/** A text that was put together of others becomes one in memory when it is first read: one of 30 MB in 25 ms. */
function* madeWhole(text: string): Steps<void> {
  yield LONG_STEP
  text.charCodeAt(0)
  yield
}

function* encoded(text: string): Steps<LongText> {
  yield* madeWhole(text)
  const encoder = new TextEncoder()
  const portions: Uint8Array<ArrayBuffer>[] = []
  for (let from = 0; from < text.length; ) {
    const end = portionEnd(text, from, PORTION)
    portions.push(encoder.encode(text.slice(from, end)))
    from = end
    yield
  }
  return { portions }
}

function* decoded({ portions }: LongText): Steps<string> {
  // A byte order mark within a text is one of its characters.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const pieces: string[] = []
  for (const portion of portions) {
    pieces.push(decoder.decode(portion))
    yield
  }
  yield LONG_STEP
  return pieces.join('')
}

function* mapped(branch: Branch, map: (value: unknown) => Steps<unknown>): Steps<Branch> {
  const values: unknown[] = []
  for (const value of Object.values(branch)) values.push(yield* map(value))
  return Array.isArray(branch)
    ? values
    : Object.fromEntries(Object.keys(branch).map((key, index) => [key, values[index]]))
}

/** The message with its long texts encoded, in steps. */
function* packedValue(value: unknown): Steps<unknown> {
  if (!hasLongText(value)) return value
  if (typeof value === 'string') return yield* encoded(value)
  return isBranch(value) ? yield* mapped(value, packedValue) : value
}

function* unpackedValue(value: unknown): Steps<unknown> {
  if (!isBranch(value)) return value
  return isLongText(value) ? yield* decoded(value) : yield* mapped(value, unpackedValue)
}

const buffersIn = (value: unknown): readonly ArrayBuffer[] => {
  if (!isBranch(value)) return []
  if (isLongText(value)) return value.portions.map(({ buffer }) => buffer)
  return Object.values(value).flatMap(buffersIn)
}

/** A message as it is sent, and the memory that moves with it. */
export type Packed<Message> = Readonly<{ packed: Message; buffers: readonly ArrayBuffer[] }>

/** Encodes the long texts of a message, in steps between which other work can run. */
export function* pack<Message>(message: Message): Steps<Packed<Message>> {
  const packed = (yield* packedValue(message)) as Message
  return { packed, buffers: buffersIn(packed) }
}

/** A message as it was before it was packed, in steps between which other work can run. */
export function* unpack<Message>(message: Message): Steps<Message> {
  return (yield* unpackedValue(message)) as Message
}
