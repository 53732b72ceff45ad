import { ask } from '../../gateway/chat.ts'
import { interrupted } from '../../gateway/failure.ts'
import { resumedStream, type StreamPosition } from '../../gateway/resumable-stream.ts'
import { sessionWithin } from '../../gateway/session.ts'
import { expenseOf, stopAnswer } from '../../gateway/stop.ts'
import type { ChatEvent, ChatRequest, Failure } from '../../gateway/wire.ts'
import type { Hold } from '../../hold-notice.tsx'
import { type Action, type Conversation, conversation, empty, type Question } from './conversation.ts'
import { toMessages } from './history.ts'
import { paced } from './pace.ts'
import { type Answer, isOpen, type StoppedEnd, type Turn, textOf } from './turn.ts'

const SESSION_WAIT_MS = 1_000
const PACE_MS = 50

/** An answer in progress. */
type Run = {
  controller: AbortController
  /** Shows received text that is not shown yet. */
  flush: () => void
  /** Where its stream can be resumed, once known. */
  position?: StreamPosition | undefined
}

type Arrival = { event: ChatEvent; position: StreamPosition | undefined }

type Source = (signal: AbortSignal, onPosition: (at: StreamPosition) => void) => AsyncIterable<ChatEvent[]>

export type LiveConversationEvents = {
  onChange: () => void
  /** A question is withdrawn when the gateway requires a wait; its text must not be lost. */
  onWithdrawn: (question: string) => void
}

/**
 * A conversation and its requests, apart from any page that shows it: an answer continues while other pages are looked
 * at. One question is in progress at a time.
 */
export class LiveConversation {
  readonly #events: LiveConversationEvents
  #state: Conversation = empty
  #run: Run | undefined

  constructor(events: LiveConversationEvents) {
    this.#events = events
  }

  get state(): Conversation {
    return this.#state
  }

  get answering(): boolean {
    return isOpen(this.#last?.answer)
  }

  get #last(): Turn | undefined {
    return this.#state.turns.at(-1)
  }

  /** Whether a question can be sent now. */
  get ready(): boolean {
    return !this.answering && this.#state.hold?.until === undefined
  }

  send(asked: Question): void {
    if (!this.ready) return
    const { question } = asked
    const messages = toMessages(this.#state.turns, question)
    this.#dispatch({ type: 'asked', ...asked })
    this.#ask({ messages, ...choicesOf(asked) }, () => this.#events.onWithdrawn(question))
  }

  retry(model: string | undefined, offered?: readonly string[]): void {
    if (!this.#last || !this.ready) return
    this.#dispatch({ type: 'asked-again', model, offered })
    this.#repeatLast('refresh')
  }

  async stop(): Promise<void> {
    if (!this.answering) return
    const run = this.#run
    run?.flush()
    run?.controller.abort()
    const { answer, previous } = this.#last ?? {}
    this.#dispatch({ type: 'stopped' })
    if (!run?.position) return
    const shown = !previous || (answer && textOf(answer) !== '')
    const learn = (end: StoppedEnd) =>
      shown && this.#run === run && this.#dispatch({ type: 'stopped-at', end })
    const text = await stopAnswer(run.position.streamId)
    if (text === undefined) return
    learn({ text })
    const expense = await expenseOf(run.position)
    if (expense) learn({ expense })
  }

  takeBack(): void {
    const last = this.#last
    if (!last || this.answering) return
    this.#dispatch({ type: 'taken-back' })
    this.#events.onWithdrawn(last.question)
  }

  endWait(): void {
    this.#dispatch({ type: 'wait-over' })
  }

  /**
   * Shows saved turns, and continues an answer that was in progress: its stream where it has one. Otherwise it is asked
   * for again with `askAgain`, and else marked as interrupted.
   */
  restore(turns: Turn[], { askAgain }: { askAgain: boolean }): void {
    this.#become({ turns })
    const last = this.#last
    if (!last || !isOpen(last.answer)) return
    const position = openPosition(last.answer)
    if (position) this.#resume(position)
    else if (askAgain && last.answer.state === 'waiting') this.#repeatLast(last.previous && 'refresh')
    else this.#dispatch({ type: 'received', events: [{ type: 'error', failure: interrupted() }] })
  }

  #repeatLast(cache: 'refresh' | undefined): void {
    const last = this.#last
    if (!last) return
    const messages = toMessages(this.#state.turns.slice(0, -1), last.question)
    const { question, previous } = last
    this.#ask({ messages, ...(cache && { cache }), ...choicesOf(last) }, () => {
      if (!previous) this.#events.onWithdrawn(question)
    })
  }

  #ask(request: ChatRequest, onWait: () => void): void {
    void this.#follow(async function* (signal, onPosition) {
      await sessionWithin(SESSION_WAIT_MS)
      if (!signal.aborted) yield* ask(request, signal, onPosition)
    }, onWait)
  }

  #resume(position: StreamPosition): void {
    const source: Source = (signal, onPosition) => resumedStream(position, signal, undefined, onPosition)
    void this.#follow(source, () => undefined, position)
  }

  async #follow(source: Source, onWait: () => void, start?: StreamPosition): Promise<void> {
    const controller = new AbortController()
    const { add, flush } = paced<Arrival>(arrivals => {
      if (controller.signal.aborted) return
      const events = arrivals.map(({ event }) => event)
      const hold = holdIn(events)
      if (hold) this.#dispatch({ type: 'wait-required', hold })
      else this.#dispatch({ type: 'received', events, position: arrivals.at(-1)?.position })
      if (hold) onWait()
    }, PACE_MS)
    const run: Run = { controller, flush, position: start }
    this.#run = run
    const onPosition = (position: StreamPosition) => {
      const first = run.position === undefined
      run.position = position
      // Known before the first text: a page that closes now can find the answer again.
      if (first && !controller.signal.aborted) this.#dispatch({ type: 'received', events: [], position })
    }
    for await (const events of source(controller.signal, onPosition))
      add(events.map(event => ({ event, position: run.position })))
    flush()
  }

  #dispatch(action: Action): void {
    this.#become(conversation(this.#state, action))
  }

  #become(state: Conversation): void {
    this.#state = state
    this.#events.onChange()
  }
}

/** What a question was asked with, as a request says it. */
function choicesOf({ model, tools = [] }: Question): Pick<ChatRequest, 'model' | 'tools'> {
  return { ...(model && { model }), ...(tools.length > 0 && { tools: [...tools] }) }
}

function openPosition(answer: Answer): StreamPosition | undefined {
  return answer.state === 'waiting' || answer.state === 'streaming' ? answer.position : undefined
}

/** A limit refuses before the answer begins, so it is always the only event. */
function holdIn([event]: ChatEvent[]): Hold | undefined {
  const failure = event?.type === 'error' ? event.failure : undefined
  return failure?.status === 429 ? { failure, until: waitUntil(failure) } : undefined
}

function waitUntil({ retryAfterSeconds }: Failure): number | undefined {
  return retryAfterSeconds ? Date.now() + retryAfterSeconds * 1_000 : undefined
}
