import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../clock.ts'
import { turn } from '../loop-turns.ts'
import { threadProgram } from '../thread-program.ts'
import type { ThreadCount, ThreadTexts } from './messages.ts'

const PROGRAM = threadProgram(import.meta.url)
/** The thread ends, and its 100 MB of tables with it, after this long without a text. */
const IDLE_MS = 60_000
/** The longest piece that is counted at once: others' texts are counted between two of them. */
const LONGEST_PIECE = 16_384
const LOOKED_BACK = 256

/** The end of the piece from `start`: after a space where there is one near, since tokens rarely span one. */
const endOfPiece = (text: string, start: number): number => {
  const end = start + LONGEST_PIECE
  if (end >= text.length) return text.length
  const space = text.lastIndexOf(' ', end)
  return space > end - LOOKED_BACK ? space : end
}

function* piecesOf(texts: Iterable<string>): Generator<string> {
  for (const text of texts)
    for (let start = 0, end = 0; start < text.length; start = end) {
      end = endOfPiece(text, start)
      yield text.slice(start, end)
    }
}

/** Pieces that are counted at once, as many as are together no longer than the longest one. */
function* groupsOf(texts: Iterable<string>): Generator<readonly string[]> {
  let group: string[] = []
  let length = 0
  for (const piece of piecesOf(texts)) {
    if (length + piece.length > LONGEST_PIECE) {
      yield group
      group = []
      length = 0
    }
    group.push(piece)
    length += piece.length
  }
  if (group.length > 0) yield group
}

type Waiting = Readonly<{ resolve: (tokens: number) => void; reject: (error: Error) => void }>

/** One run of the thread. */
class TokenThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  constructor(program: string, onEnd: () => void) {
    this.#worker = new Worker(program, { execArgv: [], env: {}, name: 'parley-tokenizer' })
    this.#worker.on('message', ({ id, tokens }: ThreadCount) => {
      this.#waiting.get(id)?.resolve(tokens)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#worker.unref()
    })
    const lose = (error: Error) => {
      onEnd()
      for (const { reject } of this.#waiting.values()) reject(error)
      this.#waiting.clear()
    }
    this.#worker.on('error', lose)
    this.#worker.on('exit', code => lose(new Error(`The tokenizer's thread ended (${code}).`)))
    this.#worker.unref()
  }

  count(texts: readonly string[]): Promise<number> {
    this.#lastId += 1
    const message: ThreadTexts = { id: this.#lastId, texts }
    this.#worker.ref()
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject })
      this.#worker.postMessage(message)
    })
  }

  get isIdle(): boolean {
    return this.#waiting.size === 0
  }

  end(): void {
    void this.#worker.terminate()
  }
}

/**
 * Counts tokens as OpenAI's models have had them since GPT-4o (o200k_base), which is near enough for others'. On a
 * thread of its own, which starts with the first text: loading its tables alone would block the event loop for a fifth
 * of a second.
 */
export class Tokenizer {
  readonly #clock: Clock
  #thread: TokenThread | undefined
  #idle: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Rejects with an Error when the thread ends, and with the reason of a signal that aborts, between two pieces. */
  async count(texts: Iterable<string>, signal?: AbortSignal): Promise<number> {
    let tokens = 0
    for (const group of groupsOf(texts)) {
      const wait = turn()
      if (wait) await wait
      signal?.throwIfAborted()
      tokens += await this.#running().count(group)
    }
    signal?.throwIfAborted()
    return tokens
  }

  /** Whether its thread is there. */
  get isRunning(): boolean {
    return this.#thread !== undefined
  }

  #running(): TokenThread {
    this.#idle?.cancel()
    this.#idle = this.#clock.timer(IDLE_MS, () => this.#endIfIdle())
    if (this.#thread) return this.#thread
    const thread = new TokenThread(PROGRAM, () => {
      if (this.#thread === thread) this.#thread = undefined
    })
    this.#thread = thread
    return thread
  }

  #endIfIdle(): void {
    if (!this.#thread?.isIdle) return
    this.#thread.end()
    this.#thread = undefined
  }
}
