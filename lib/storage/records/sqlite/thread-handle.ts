import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../../clock.ts'
import { inTurns } from '../../../loop-turns.ts'
import { threadProgram } from '../../../thread-program.ts'
import { hasLongText, type Packed, pack, unpack } from './long-texts.ts'
import {
  type FromThread,
  type GroupResult,
  type GroupsRequest,
  receivedError,
  type StatementResult,
  type StatementsRequest,
  type ThreadData,
  type ThreadReply,
  type ThreadRequest,
} from './messages.ts'

export type ThreadOptions = Readonly<{
  path: string
  clock: Clock
  /** Called with why the thread was lost; it is started again for the next request. */
  onLost?: (error: Error) => void
  /** The thread's program; the project's own when absent. */
  program?: string
}>

const PROGRAM = threadProgram(import.meta.url)
/** A request without a reply for this long, such as on a hung disk, fails, and the thread is ended. */
const REPLY_MS = 15_000
const MONITOR_MS = 1_000
/** A thread that cannot open the file is not started again before this time. */
const RESTART_MS = 1_000

/** What a request that did not fail as a whole resolves to. */
type Outcome = Exclude<ThreadReply, { error: unknown }>
type Pending = Readonly<{
  resolve: (outcome: Outcome | Promise<Outcome>) => void
  reject: (error: Error) => void
  askedAt: number
}>

/** The database is temporarily unavailable. `recordsError` maps its code to a lost store. */
export class ThreadLost extends Error {
  override readonly name = 'ThreadLost'
  readonly code = 'ETHREAD'
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** One run of the thread's program, with its pending requests. */
class ThreadRun {
  readonly opened = Promise.withResolvers<void>()
  readonly ended = Promise.withResolvers<void>()
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #clock: Clock
  readonly #data: ThreadData
  readonly #onLost: (error: Error) => void
  #lastId = 0
  #lost: Error | undefined

  constructor(data: ThreadData, program: string, clock: Clock, onLost: (error: Error) => void) {
    this.#data = data
    this.#clock = clock
    this.#onLost = onLost
    this.opened.promise.catch(() => {})
    // It needs neither the process's options nor its environment.
    this.#worker = new Worker(program, { workerData: data, execArgv: [], env: {}, name: 'parley-records' })
    this.#worker.on('message', (message: FromThread) => this.#receive(message))
    this.#worker.on('error', error => this.lose(new ThreadLost(messageOf(error), { cause: error })))
    this.#worker.on('exit', code => {
      this.lose(new ThreadLost(`the database's thread ended (${code})`))
      this.ended.resolve()
    })
  }

  get lost(): Error | undefined {
    return this.#lost
  }

  /** How long the oldest request has been pending, in ms. */
  get oldestMs(): number {
    const [oldest] = this.#pending.values()
    return oldest ? this.#clock.now() - oldest.askedAt : 0
  }

  async ask(request: ThreadRequest): Promise<Outcome> {
    return this.send(hasLongText(request) ? await inTurns(pack(request)) : { packed: request, buffers: [] })
  }

  /** Sends a request whose long texts are encoded already. */
  send({ packed: request, buffers }: Packed<ThreadRequest>): Promise<Outcome> {
    if (this.#lost) return Promise.reject(this.#lost)
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, askedAt: this.#clock.now() })
      // It keeps the process alive only while requests are pending.
      if (this.#pending.size === 1) this.#worker.ref()
      const isPacked = buffers.length > 0 && { isPacked: true }
      this.#worker.postMessage({ ...request, ...isPacked, id }, buffers)
    })
  }

  /** Fails all pending requests. It gets no further ones. */
  lose(error: Error): void {
    if (this.#lost) return
    this.#lost = error
    this.opened.reject(error)
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
    this.#worker.unref()
    this.#onLost(error)
  }

  /** If it hangs in a system call, it ends when that returns. */
  terminate(): void {
    void this.#worker.terminate()
  }

  /** Lets it finish pending requests, close the file and end. */
  close(): Promise<void> {
    this.#worker.ref()
    this.#worker.postMessage({ type: 'close' })
    return this.ended.promise
  }

  #receive(message: FromThread): void {
    switch (message.type) {
      case 'open':
        this.opened.resolve()
        if (this.#pending.size === 0) this.#worker.unref()
        return
      case 'unusable':
        this.lose(this.#openingError(receivedError(message.error)))
        return
      case 'reply':
        this.#settle(message.reply)
    }
  }

  /** At the first start an operator has to fix it; later the store counts as lost until it can be opened again. */
  #openingError(error: Error): Error {
    return this.#data.reopens ? new ThreadLost(error.message, { cause: error }) : error
  }

  #settle({ id, ...reply }: Extract<FromThread, { type: 'reply' }>['reply']): void {
    const asked = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) this.#worker.unref()
    if ('error' in reply) asked?.reject(receivedError(reply.error))
    else asked?.resolve(reply.isPacked ? inTurns(unpack(reply)) : reply)
  }
}

/**
 * The thread that SQLite runs on: the event loop only sends it statements and gets their results. When it ends or
 * hangs, its pending requests fail, and the next request starts another one.
 */
export class RecordsThread {
  readonly #options: ThreadOptions
  readonly #monitor: Timer
  #run: ThreadRun
  #startedAt: number
  #isOpen = false
  #isClosed = false

  constructor(options: ThreadOptions) {
    this.#options = options
    this.#startedAt = options.clock.now()
    this.#run = this.#start(false)
    this.#monitor = options.clock.timer(MONITOR_MS, () => this.#look())
  }

  /** Resolves once the file is open. @throws RecordsUnusable, or the system's error */
  async opened(): Promise<void> {
    await this.#run.opened.promise
  }

  /** From now on a request must be answered within 15 s; before, the file may be brought up to date for longer. */
  expectReplies(): void {
    this.#isOpen = true
  }

  /** The current run of the thread: a transaction ends with the run in which it started. */
  get run(): object {
    this.#restart()
    return this.#run
  }

  /**
   * Runs statements.
   * @param run the run that must execute them; the current one when absent
   * @throws ThreadLost, or SQLite's error
   */
  async ask(request: StatementsRequest, run = this.run): Promise<readonly StatementResult[]> {
    if (run !== this.#run) throw new ThreadLost('the database’s thread was started again')
    const reply = await this.#run.ask(request)
    return 'results' in reply ? reply.results : []
  }

  /** Commits groups of statements together. @throws ThreadLost, or SQLite's error where it concerns all of them */
  async commit({
    packed: groups,
    buffers,
  }: Packed<GroupsRequest['groups']>): Promise<readonly GroupResult[]> {
    this.#restart()
    const reply = await this.#run.send({ packed: { connection: 'write', groups }, buffers })
    return 'groups' in reply ? reply.groups : []
  }

  /** Waits for pending requests, closes the file and ends the thread. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#monitor.cancel()
    if (!this.#run.lost) await this.#run.close()
  }

  #start(reopens: boolean): ThreadRun {
    const { path, clock, onLost, program = PROGRAM } = this.#options
    return new ThreadRun({ path, reopens }, program, clock, error => {
      if (this.#isOpen && !this.#isClosed) onLost?.(error)
    })
  }

  #restart(): void {
    const now = this.#options.clock.now()
    if (!this.#run.lost || !this.#isOpen || this.#isClosed || now - this.#startedAt < RESTART_MS) return
    this.#startedAt = now
    this.#run = this.#start(true)
  }

  #look(): void {
    if (this.#isOpen && this.#run.oldestMs > REPLY_MS) {
      this.#run.lose(new ThreadLost(`the database has not answered for ${REPLY_MS / 1000} seconds`))
      this.#run.terminate()
    }
    this.#monitor.refresh()
  }
}
