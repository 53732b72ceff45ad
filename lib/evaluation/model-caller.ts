import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError, toGatewayError } from '../errors.ts'
import { collect } from '../llm/events.ts'
import type {
  CacheMode,
  Call,
  FinishReason,
  Message,
  ModelParameters,
  Reply,
  ReplyHead,
  ResponseLimit,
  Target,
  Usage,
} from '../llm/types.ts'
import { AttemptBudget, type BackgroundEnd, newJournal, type RequestContext } from '../request-context.ts'

export type ModelCallerDeps = Readonly<{
  /** The pipeline of the evaluation's caller. */
  answer: Handler<Call, Reply>
  clock: Clock
  /** Records the end of each call. Never rejects. */
  onEnd: BackgroundEnd
  /** The model of calls that name none. */
  defaultModel: () => string
  /** The model of embeddings where none is named. */
  embeddingModel: () => string
  /** The gateway's name of a model. */
  modelNamed: (name: string) => string
  /** How long a call waits for the first content, or for a whole answer that is not streamed. */
  timeoutMs: number
  /** Clock time by which all calls together must have ended; undefined where each has its own time alone. */
  endAt: number | undefined
  maxResponseBytes: ResponseLimit
  /** Whether it is background work, which defers to live calls. */
  isBackground: boolean
}>

export type ChatRequest = Readonly<{
  /** Part of the call's request id. */
  label: string
  model: string | undefined
  messages: readonly Message[]
  temperature?: number | undefined
  maxOutputTokens?: number | undefined
  parameters?: ModelParameters | undefined
  cache: CacheMode
  cacheKind?: Call['cacheKind']
}>

export type ChatAnswer = Readonly<{
  text: string
  finishReason: FinishReason
  truncated: boolean
  target: Target
  usage: Usage
  cache: ReplyHead['cache']
  latencyMs: number
}>

type EmbedRequest = Readonly<{ label: string; model: string | undefined; texts: readonly string[] }>

const malformed = (): GatewayError =>
  new GatewayError('PROVIDER_ERROR', 'The provider returned malformed embeddings.')

const bodyOf = async ({ events }: Reply): Promise<string> => {
  const decoder = new TextDecoder()
  let text = ''
  for await (const group of events)
    for (const event of group) {
      if (event.type === 'error') throw event.error
      if (event.type === 'body-text') text += event.text
      else if (event.type === 'body-bytes') text += decoder.decode(event.bytes, { stream: true })
    }
  return text
}

const isVector = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every(one => typeof one === 'number')

/** The vectors of an answer in OpenAI's format, in the order of the texts. */
const vectorsOf = (text: string, count: number): readonly (readonly number[])[] => {
  let data: unknown
  try {
    data = (JSON.parse(text) as { data?: unknown } | null)?.data
  } catch {
    throw malformed()
  }
  const entries: readonly unknown[] = Array.isArray(data) ? data : []
  const vectors = entries.map(entry => (entry as { embedding?: unknown } | null)?.embedding)
  if (vectors.length !== count || !vectors.every(isVector)) throw malformed()
  return vectors
}

/** Calls models on behalf of one request, or one item: each call through the whole pipeline, with a record of its own. */
export class ModelCaller {
  readonly #context: RequestContext
  readonly #deps: ModelCallerDeps
  #calls = 0
  #costPicoUsd = 0
  #unpriced = 0
  #hasAsked = false

  constructor(context: RequestContext, deps: ModelCallerDeps) {
    this.#context = context
    this.#deps = deps
  }

  /** Whether any provider was called. */
  get hasAsked(): boolean {
    return this.#hasAsked
  }

  /** What all calls cost together, whole picodollars; undefined where the price of one is unknown. */
  get costPicoUsd(): number | undefined {
    return this.#unpriced > 0 ? undefined : this.#costPicoUsd
  }

  async chat(request: ChatRequest): Promise<ChatAnswer> {
    const { model, messages, temperature, maxOutputTokens, parameters, cache, cacheKind } = request
    const call: Call = {
      ...this.#common(request.label),
      model: model === undefined ? this.#deps.defaultModel() : this.#deps.modelNamed(model),
      messages,
      temperature,
      maxOutputTokens,
      parameters,
      maxResponseBytes: this.#deps.maxResponseBytes,
      cache,
      cacheKind,
    }
    return this.#run(call, async reply => {
      const { text, refusal, finish } = await collect(reply)
      return {
        text: text + refusal,
        finishReason: finish.reason,
        truncated: finish.truncated ?? false,
        target: reply.head.target,
        cache: reply.head.cache,
        usage: await reply.usage,
        latencyMs: this.#deps.clock.now() - call.startedAt,
      }
    })
  }

  /** The embeddings of texts, in their order. */
  async embed({ label, model: named, texts }: EmbedRequest): Promise<readonly (readonly number[])[]> {
    const model = named === undefined ? this.#deps.embeddingModel() : this.#deps.modelNamed(named)
    const call: Call = {
      ...this.#common(label),
      stream: false,
      model,
      messages: [],
      passthrough: {
        endpoint: 'embeddings',
        body: {
          kind: 'json',
          members: [
            ['model', JSON.stringify(model)],
            ['input', JSON.stringify(texts)],
            ['encoding_format', '"float"'],
          ],
        },
        namesModel: true,
        inputs: Math.max(1, texts.length),
      },
      cache: 'default',
    }
    return this.#run(call, async reply => vectorsOf(await bodyOf(reply), texts.length))
  }

  #common(label: string): Omit<Call, 'model' | 'messages' | 'cache'> {
    const { clock, timeoutMs, endAt = Number.POSITIVE_INFINITY, isBackground } = this.#deps
    const { caller, requestId } = this.#context
    const startedAt = clock.now()
    this.#calls += 1
    return {
      ...this.#context,
      requestId: `${requestId}:${label}-${this.#calls}`,
      startedAt,
      journal: { ...newJournal(), caller: caller.kind, identity: caller },
      // A stream shows when its provider has stopped responding.
      stream: isBackground,
      deadlineAt: Math.min(startedAt + timeoutMs, endAt),
      fallback: false,
      ...(isBackground && { background: true }),
      plan: [],
      attempts: new AttemptBudget(),
    }
  }

  async #run<Value>(call: Call, read: (reply: Reply) => Promise<Value>): Promise<Value> {
    const { answer, onEnd } = this.#deps
    try {
      const reply = await answer(call)
      const value = await read(reply)
      const { costPicoUsd } = await reply.usage
      if (costPicoUsd === undefined) this.#unpriced += 1
      else this.#costPicoUsd += costPicoUsd
      await onEnd(call, undefined)
      return value
    } catch (thrown) {
      const error = toGatewayError(thrown)
      await onEnd(call, error)
      throw error
    } finally {
      this.#hasAsked ||= call.attempts.made.length > 0
    }
  }
}
