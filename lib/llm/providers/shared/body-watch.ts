import { SseParser } from '../../../sse-parser.ts'
import { withoutUsage } from '../../hidden-usage.ts'
import { tierIn, usageInTail } from './body-usage.ts'
import { type Fields, fieldsOf, listIn, parseJson } from './lenient.ts'
import { MaskedLines } from './masked-lines.ts'
import { isEndMark } from './stream-event.ts'

/** What is learned of a body as it passes. */
export type BodyWatch = Readonly<{
  /** Takes the next piece, and returns what to pass on. */
  push: (bytes: Uint8Array) => Uint8Array
  /** What remains to be sent after the last piece of a body that ended without an error. */
  end: () => Uint8Array | undefined
  /** The `usage` of it, once it has passed. */
  usage: () => Fields | undefined
  /** The service tier that it names, once it has passed. */
  tier: () => string | undefined
  /** UTF-8 bytes of the text that has passed, as far as it is known; at most those of the body. */
  textBytes: () => number
  /** How many images have passed; undefined where it is not known. */
  images: () => number | undefined
  /** The error that it holds. */
  error: () => unknown
  /** Whether something that must come before its end is missing. */
  isCut: () => boolean
}>

const NOTHING = () => undefined
const TAIL_BYTES = 8_192

/** A body that is not looked into: audio, or text. */
export const watchNothing = (): BodyWatch => ({
  push: bytes => bytes,
  end: NOTHING,
  usage: NOTHING,
  tier: NOTHING,
  textBytes: () => 0,
  images: NOTHING,
  error: NOTHING,
  isCut: () => false,
})

/** The name of the member that holds an image. Inside a string its quotes have a backslash before them. */
const IMAGE = Buffer.from('"b64_json"')

const imagesIn = (bytes: Buffer): number => {
  let images = 0
  for (let at = bytes.indexOf(IMAGE); at !== -1; at = bytes.indexOf(IMAGE, at + IMAGE.length)) images += 1
  return images
}

/** A long JSON document: its images are counted, and its end is kept, where its usage stands. */
export const watchJson = (): BodyWatch => {
  let tail = Buffer.alloc(0)
  let [passed, images] = [0, 0]
  const isCut = () => !tail.toString('latin1').trimEnd().endsWith('}')
  return {
    ...watchNothing(),
    textBytes: () => passed,
    push: bytes => {
      passed += bytes.length
      const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      const seam = [tail.subarray(1 - IMAGE.length), piece.subarray(0, IMAGE.length - 1)]
      images += imagesIn(Buffer.concat(seam)) + imagesIn(piece)
      tail = Buffer.concat([tail, bytes.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES)
      return bytes
    },
    usage: () => usageInTail(tail.toString('latin1')),
    tier: () => tierIn(tail.toString('latin1')),
    images: () => (images === 0 || isCut() ? undefined : images),
    isCut,
  }
}

/** Images come whole, each in one event. */
const MOST_EVENT_BYTES = 64 * 1024 * 1024
/** Longer events hold media, and no error. */
const MOST_ERROR_CHARACTERS = 65_536
const FINISHED = /"finish_reason"\s*:\s*"/
const END_MARK = 'data: [DONE]\n\n'

const TEXT = /"text"\s*:\s*("(?:[^"\\]|\\.)*")/g

/** UTF-8 bytes of the text that a chunk of a completion adds, without parsing the rest of it. */
const textBytesIn = (data: string): number => {
  let bytes = 0
  for (const [, written = '""'] of data.matchAll(TEXT)) {
    const text = written.includes('\\') ? parseJson(written) : written.slice(1, -1)
    if (typeof text === 'string') bytes += Buffer.byteLength(text)
  }
  return bytes
}

const errorIn = (event: string, data: string): unknown => {
  if (data.length > MOST_ERROR_CHARACTERS || (event !== 'error' && !data.includes('"error"')))
    return undefined
  const value = parseJson(data)
  const error = fieldsOf(value)?.error
  return event === 'error' ? (error ?? value ?? data) : (error ?? undefined)
}

const frame = (event: string, data: string): string =>
  `${event === '' ? '' : `event: ${event}\n`}${data
    .split('\n')
    .map(line => `data: ${line}\n`)
    .join('')}\n`

/** An event without its usage; empty where it says nothing else. */
const shownOf = (event: string, data: string): string => {
  const chunk = data.includes('"usage"') ? fieldsOf(parseJson(data)) : undefined
  if (!chunk) return frame(event, data)
  const isAlone = listIn(chunk.choices).length === 0 && fieldsOf(chunk.usage) && chunk.error === undefined
  return isAlone ? '' : frame(event, withoutUsage(data))
}

type SseWatchOptions = Readonly<{
  /** It ends with `[DONE]`, and with a reason before that. */
  hasEndMark: boolean
  /** Leaves out the usage, which the client did not ask for. */
  hidesUsage: boolean
  /** Masks secrets, which an error may repeat. */
  redact: (text: string) => string
}>

/** Events of a stream, which pass as they are unless their usage is hidden. */
export const watchEvents = ({ hasEndMark, hidesUsage, redact }: SseWatchOptions): BodyWatch => {
  const lines = new MaskedLines(redact)
  const parser = new SseParser(MOST_EVENT_BYTES)
  let [hasEnded, isFinished] = [false, false]
  let usage: Fields | undefined
  let tier: string | undefined
  let textBytes = 0
  let error: unknown
  const take = (event: string, data: string): string => {
    hasEnded ||= isEndMark(data)
    isFinished ||= hasEndMark && FINISHED.test(data)
    const found = usageInTail(data)
    usage = found ?? usage
    if (hasEndMark) {
      textBytes += textBytesIn(data)
      tier = tierIn(data) ?? tier
    }
    error ??= errorIn(event, data)
    if (!hidesUsage) return ''
    return shownOf(event, data)
  }
  return {
    push: bytes => {
      let text = ''
      for (const { event, data } of parser.push(bytes)) text += take(event, data)
      if (!hidesUsage) return lines.push(bytes)
      return text === '' ? Buffer.alloc(0) : lines.push(Buffer.from(text))
    },
    end: () => Buffer.concat([lines.rest(), Buffer.from(hasEndMark && !hasEnded ? END_MARK : '')]),
    usage: () => usage,
    tier: () => tier,
    textBytes: () => textBytes,
    images: NOTHING,
    error: () => error,
    isCut: () => hasEndMark && !hasEnded && !isFinished,
  }
}
