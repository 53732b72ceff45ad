import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { oneOf } from './load.ts'
import { type Asked, type Behaviour, chunk, completion, sse, write } from './upstream-behaviour.ts'

const FAULTS = [
  'error',
  'busy',
  'cut',
  'stall',
  'late usage',
  'malformed',
  'malformed after content',
] as const
type Shape = 'whole' | (typeof FAULTS)[number]

/** What the upstream's books say of one call. */
export type Booked = {
  /** The id of the client's call, from the question. */
  readonly id: string
  readonly shape: Shape
  /** What the whole answer costs, in nanodollars. */
  readonly nano: number
  /** UTF-8 bytes of the text that was written. */
  textBytes: number
  /** When the whole answer was taken, and when its caller left before that: times of `performance.now`. */
  finishedAt?: number
  abandonedAt?: number
}

/** US dollars a million tokens. */
export const PRICE = { input: 2.5, cachedInput: 1.25, output: 10 }
export const MODELS = Array.from({ length: 10 }, (_, number) => `booked-${number}`)

const WORD = 'word '
const WORDS = 8
const PACE_MS = 10
const LATE_MS = 300

type Usage = Readonly<{ input: number; cached: number; output: number }>
const usageOf = (call: number): Usage => ({
  input: 20 + (call % 50),
  cached: call % 17,
  output: 8 + (call % 23),
})
const nanoOf = ({ input, cached, output }: Usage): number =>
  (input - cached) * 2_500 + cached * 1_250 + output * 10_000
const usageJson = ({ input, cached, output }: Usage) => ({
  prompt_tokens: input,
  completion_tokens: output,
  total_tokens: input + output,
  prompt_tokens_details: { cached_tokens: cached },
})

type Answer = Readonly<{
  response: ServerResponse
  asked: Asked
  signal: AbortSignal
  entry: Booked
  usage: Usage
}>

const refuse = ({ response }: Answer, status: number): void => {
  const error = { message: 'No.', type: 'fake_error', param: null, code: null }
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
}

const whole = async ({ response, asked, signal, entry, usage }: Answer): Promise<void> => {
  await sleep(3 * PACE_MS)
  const body = JSON.stringify({ ...completion(asked.model, WORD.repeat(WORDS)), usage: usageJson(usage) })
  response.writeHead(200, { 'content-type': 'application/json' })
  switch (entry.shape) {
    case 'cut':
      response.write(body.slice(0, body.length / 2), () => response.socket?.resetAndDestroy())
      return
    case 'stall':
      await write(response, body.slice(0, body.length / 2), signal)
      return
    case 'malformed':
    case 'malformed after content':
      response.end(`<${body}`)
      return
    default:
      entry.textBytes = WORD.length * WORDS
      response.end(body)
  }
}

const stream = async (answer: Answer): Promise<void> => {
  const { response, signal, entry, usage } = answer
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  if (entry.shape === 'malformed') return void response.end(sse('{"choices": none}'))
  for (let word = 0; word < WORDS; word += 1) {
    if (signal.aborted) return
    await write(response, sse(chunk({ content: WORD })), signal)
    entry.textBytes += WORD.length
    await sleep(PACE_MS)
    if (word < WORDS / 2) continue
    if (entry.shape === 'cut') return void response.socket?.resetAndDestroy()
    if (entry.shape === 'stall') return
    if (entry.shape === 'malformed after content') return void response.end(sse('{"choices": none}'))
  }
  await write(response, sse(chunk({}, 'stop')), signal)
  if (entry.shape === 'late usage') await sleep(LATE_MS)
  response.end(sse({ ...chunk({}), choices: [], usage: usageJson(usage) }) + sse('[DONE]'))
}

/** An upstream that fails one call of ten, in seven ways, and books what it has completed. */
export class FaultBooks {
  readonly #byId = new Map<string, Booked[]>()
  readonly #random: () => number
  #calls = 0

  constructor(random: () => number) {
    this.#random = random
  }

  get count(): number {
    return this.#calls
  }

  of(id: string): readonly Booked[] {
    return this.#byId.get(id) ?? []
  }

  readonly answers: Behaviour = async (response, asked, signal) => {
    this.#calls += 1
    const usage = usageOf(this.#calls)
    const fault = this.#random() < 0.1 ? oneOf(FAULTS, this.#random()) : undefined
    const [id = ''] = /call-\d+/.exec(asked.messages.at(-1)?.content ?? '') ?? []
    const entry: Booked = { id, shape: fault ?? 'whole', nano: nanoOf(usage), textBytes: 0 }
    this.#byId.set(id, [...this.of(id), entry])
    response.once('finish', () => {
      if (entry.shape === 'whole' || entry.shape === 'late usage') entry.finishedAt = performance.now()
    })
    signal.addEventListener('abort', () => {
      entry.abandonedAt = performance.now()
    })
    const answer = { response, asked, signal, entry, usage }
    if (fault === 'error') return refuse(answer, 500)
    if (fault === 'busy') return refuse(answer, 429)
    return asked.stream ? stream(answer) : whole(answer)
  }
}
