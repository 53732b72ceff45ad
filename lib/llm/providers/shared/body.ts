/** The bytes of a response, read once and in order. */
export type ResponseBody = AsyncIterator<Uint8Array> & Readonly<{ destroy: () => void }>

/** A complete text as a body. */
export const bodyOf = (text: string): ResponseBody => {
  const chunks = [Buffer.from(text)].values()
  return { next: async () => chunks.next(), destroy: () => {} }
}

/** A body's format by its first bytes; `unknown` where they match neither. */
export type BodyStart = 'events' | 'json' | 'unknown'

const MAX_BLANK_BYTES = 1024 * 1024
/** Enough for a byte order mark, some white space and the longest field name. */
const WINDOW_BYTES = 64
const EVENT_FIELDS = ['data', 'event', 'id', 'retry', ''].map(name => `${name}:`)
const BLANK_BYTES: ReadonlySet<number> = new Set(Buffer.from(' \t\r\n'))
const FIRST_BYTE_OF_MARK = 0xef
const BYTES_OF_MARK = 3
const OPENING_BRACE = 0x7b

/** The format of a body's beginning; undefined where more bytes are needed. */
const startOf = (bytes: Uint8Array): BodyStart | undefined => {
  if (bytes[0] === OPENING_BRACE) return 'json'
  if (bytes[0] === FIRST_BYTE_OF_MARK && bytes.length < BYTES_OF_MARK) return undefined
  const text = Buffer.from(bytes.subarray(0, WINDOW_BYTES)).toString()
  // Removes a byte order mark too.
  const start = text.trimStart()
  if (/^[[{]/.test(start)) return 'json'
  if (EVENT_FIELDS.some(field => start.startsWith(field))) return 'events'
  const isOpen = EVENT_FIELDS.some(field => field.startsWith(start)) && bytes.length < WINDOW_BYTES
  return isOpen ? undefined : 'unknown'
}

/** A body whose first bytes can be inspected before it is read. Leading blank bytes are skipped. */
export class PeekedBody implements ResponseBody {
  readonly #source: ResponseBody
  #held: Uint8Array | undefined

  constructor(source: ResponseBody) {
    this.#source = source
  }

  /** Waits for enough bytes to decide. @throws RangeError after a mebibyte of nothing but white space. */
  async start(): Promise<BodyStart> {
    let blankBytes = 0
    for (;;) {
      const step = await this.#source.next()
      if (step.done) return 'unknown'
      const bytes = this.#held ? Buffer.concat([this.#held, step.value]) : step.value
      const first = bytes.findIndex(byte => !BLANK_BYTES.has(byte))
      this.#held = first === -1 ? undefined : bytes.subarray(first)
      if (!this.#held) {
        blankBytes += bytes.length
        if (blankBytes > MAX_BLANK_BYTES) throw new RangeError('it begins with endless white space')
        continue
      }
      const start = startOf(this.#held)
      if (start) return start
    }
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const held = this.#held
    if (!held) return this.#source.next()
    this.#held = undefined
    return Promise.resolve({ done: false, value: held })
  }

  /** Once it has started: whether it holds nothing but white space. */
  get isEmpty(): boolean {
    return !this.#held
  }

  readonly destroy = (): void => this.#source.destroy()
}
