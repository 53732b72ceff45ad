import type { Handler } from '../../compose.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import { type Finish, unfinished, type WholeReply } from '../../llm/events.ts'
import type { Call, EventGroup, Message, Reply, ReplyEvent, ToolCall, Usage } from '../../llm/types.ts'
import { usageSum } from '../../llm/usage-sum.ts'
import { AttemptBudget, waited } from '../../request-context.ts'
import type { Tool } from '../types.ts'
import type { KeptTurns } from './kept-turns.ts'
import { type EndedCall, type OwnCallsDeps, runCalls } from './own-calls.ts'
import { roundParameters } from './request.ts'
import { Round } from './round.ts'

export type LoopDeps = OwnCallsDeps &
  Readonly<{
    turns: KeptTurns
    /** Adds its cost to the usage of a round whose attempt began at that time. */
    priced: (usage: Usage, target: Reply['head']['target'], at: number) => Usage
    /** How often a model is asked within one call. */
    mostRounds: number
  }>

const isText = (value: string): boolean => {
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}

/** A call as it can be repeated to every vendor: some refuse arguments that are not JSON. */
const repeatable = (call: ToolCall): ToolCall =>
  call.isCustom || isText(call.arguments) ? call : { ...call, arguments: '{}' }

const assistantMessage = ({ text, refusal, reasoning, toolCalls }: WholeReply): Message => ({
  role: 'assistant',
  content: text,
  toolCalls: toolCalls.map(repeatable),
  ...(reasoning.length > 0 && { reasoning }),
  ...(refusal !== '' && { refusal }),
})

const tooMuch = (rounds: number): string =>
  `The model still called tools after ${rounds} rounds: the answer ends here.`
const SPENT = 'The budget does not suffice for another round of tools: the answer ends here.'

/**
 * The rounds of one call: the model is asked, its calls of the gateway's tools are run, and it is asked again with their
 * results, until it answers, calls a tool of the client, or has been asked often enough.
 */
export class ToolLoop {
  readonly #call: Call
  readonly #tools: readonly Tool[]
  readonly #next: Handler<Call, Reply>
  readonly #deps: LoopDeps
  readonly #usages: Promise<Usage>[] = []
  readonly #usage = Promise.withResolvers<Usage>()
  readonly #running = new AbortController()
  /** What was said in this turn. */
  readonly #turn: Message[] = []
  #rounds = 0
  #freshUntil = Number.POSITIVE_INFINITY

  constructor(call: Call, tools: readonly Tool[], next: Handler<Call, Reply>, deps: LoopDeps) {
    this.#call = call
    this.#tools = tools
    this.#next = next
    this.#deps = deps
  }

  /** The usage of all rounds together; settles when the events have ended. */
  get usage(): Promise<Usage> {
    return this.#usage.promise
  }

  /** Asks the model for the next round. Rejects as the pipeline does. */
  async ask(): Promise<Reply> {
    this.#rounds += 1
    const { clock } = this.#deps
    const call = this.#call
    const isFirst = this.#rounds === 1
    const isLast = this.#isLast
    const reply = await this.#next({
      ...call,
      messages: [...call.messages, ...this.#turn],
      parameters: roundParameters(call, this.#tools, { number: this.#rounds, isLast }),
      gatewayTools: undefined,
      ...(!isFirst && { attempts: new AttemptBudget() }),
      // A stream's first round has begun in time; each further one gets as much.
      ...(!isFirst && call.stream && { deadlineAt: clock.now() + call.deadlineAt - call.startedAt }),
    })
    const at = reply.attempt?.startedAt ?? clock.now()
    this.#usages.push(reply.usage.then(usage => this.#deps.priced(usage, reply.head.target, at)))
    return reply
  }

  /** The events of all rounds. Never throws; closing them ends what is in progress. */
  async *events(first: Reply): AsyncGenerator<EventGroup> {
    const { signal } = this.#call
    const onAbort = () => this.#running.abort(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      let reply: Reply | undefined = first
      while (reply) reply = yield* this.#round(reply)
    } catch (thrown) {
      yield [this.#failure(thrown)]
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#running.abort(new GatewayError('CLIENT_GONE'))
      void Promise.all(this.#usages).then(usages => this.#usage.resolve(usageSum(usages)))
    }
  }

  get #isLast(): boolean {
    const { clock, mostRounds } = this.#deps
    return this.#rounds >= mostRounds || (this.#rounds > 1 && clock.now() >= this.#call.deadlineAt)
  }

  /** One round; returns the reply of the next one, where there is one. */
  async *#round(reply: Reply): AsyncGenerator<EventGroup, Reply | undefined> {
    const isLast = this.#isLast
    const round = new Round(name => this.#tools.some(tool => tool.name === name))
    for await (const group of reply.events) {
      const passed = round.take(group)
      if (passed.length > 0) yield passed
    }
    const { ending } = round
    const answer = round.answer()
    if (!ending || ending.type === 'error' || !answer) {
      yield [ending?.type === 'error' ? ending : { type: 'error', error: unfinished() }]
      return undefined
    }
    const own = round.ownCalls(answer)
    if (own.length > 0 && isLast) {
      yield [this.#finish({ type: 'finish', reason: 'length' }, tooMuch(this.#rounds))]
      return undefined
    }
    if (own.length > 0 && ending.reason !== 'length') {
      yield* this.#run(own, answer)
      if (!round.hasClientCalls) return this.ask()
    }
    yield [this.#finish(await this.#kept(round, ending, answer))]
    return undefined
  }

  /** Keeps what the client does not know of a turn that its own tools continue. */
  async #kept(round: Round, finish: Finish, answer: WholeReply): Promise<Finish> {
    if (!round.hasClientCalls || this.#turn.length === 0) return finish
    if (round.ownCalls(answer).length === 0) this.#turn.push(assistantMessage(answer))
    await this.#deps.turns.keep(this.#call.caller, round.clientCalls(answer), this.#turn)
    return { ...finish, reason: 'tool_calls' }
  }

  async *#run(calls: readonly ToolCall[], answer: WholeReply): AsyncGenerator<EventGroup> {
    const { clock } = this.#deps
    const { requestId, journal } = this.#call
    const context = { signal: this.#running.signal, requestId, request: this.#call }
    const checked = await Promise.all(calls.map(call => this.#deps.checks.call(call, this.#call)))
    yield checked.map(
      ({ call: { id, name, arguments: written } }): ReplyEvent => ({
        type: 'tool',
        id,
        name,
        state: 'running',
        arguments: written,
      }),
    )
    const startedAt = clock.now()
    const results = new Map<ToolCall, EndedCall>()
    for await (const ended of runCalls(checked, this.#deps, context)) {
      results.set(ended.call, ended)
      journal.tools ??= []
      journal.tools.push(ended.use)
      this.#freshUntil = Math.min(this.#freshUntil, ended.freshUntil ?? clock.now())
      yield [ended.event]
    }
    waited(journal, 'tool', clock.now() - startedAt)
    this.#turn.push(assistantMessage(answer))
    for (const { call } of checked)
      this.#turn.push({ role: 'tool', toolCallId: call.id, content: results.get(call)?.text ?? '' })
  }

  #finish(finish: Finish, warning?: string): Finish {
    const warnings = [...(finish.warnings ?? []), ...(warning === undefined ? [] : [warning])]
    return {
      ...finish,
      ...(warnings.length > 0 && { warnings }),
      ...(Number.isFinite(this.#freshUntil) && { freshUntil: this.#freshUntil }),
    }
  }

  /** A budget that is spent between two rounds ends the answer; all else is its error. */
  #failure(thrown: unknown): ReplyEvent {
    const error = toGatewayError(thrown)
    return this.#rounds > 1 && error.code === 'QUOTA_EXCEEDED'
      ? this.#finish({ type: 'finish', reason: 'length' }, SPENT)
      : { type: 'error', error }
  }
}
