import { hash } from 'node:crypto'
import { type Caller, ownerOf } from '../../caller.ts'
import type { Message, ToolCall } from '../../llm/types.ts'
import type { KeyValue } from '../../storage/types.ts'

type AssistantMessage = Extract<Message, { role: 'assistant' }>

const PREFIX = 'tool-turn:'
/** How long a client may take to answer with the results of its own tools. */
const KEPT_MS = 2 * 3_600_000

/** Arguments as their value: a client may write them differently. */
const canonical = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    )
  } catch {
    return text
  }
}

const keyOf = (...parts: readonly string[]): string =>
  PREFIX + hash('sha256', JSON.stringify(parts), 'base64url')

/** The key of a turn in which a client's tool was called with these arguments. */
const turnKey = (owner: string, { id, name, arguments: text }: ToolCall): string =>
  keyOf(owner, id, name, canonical(text))

/** The key of the last turn with a call of that id and name, whatever its arguments are. */
const callKey = (owner: string, { id, name }: ToolCall): string => keyOf(owner, id, name)

/** What guardrails put in place of a value: the client may have got, or sent, these arguments with it. */
const PLACEHOLDER = /"?\[[A-Z][A-Z0-9_]*\]"?/

/** Whether arguments are others with placeholders in place of some of their values. */
const isRedactionOf = (redacted: string, original: string): boolean => {
  const pieces = canonical(redacted).split(PLACEHOLDER)
  const text = canonical(original)
  let from = 0
  for (const [index, piece] of pieces.entries()) {
    const isLast = index === pieces.length - 1
    const at = isLast ? text.length - piece.length : text.indexOf(piece, from)
    if (at < from || !text.startsWith(piece, at) || (index === 0 && at > 0)) return false
    from = at + piece.length
  }
  return pieces.length > 1
}

const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && 'role' in value && 'content' in value

const messagesIn = (text: string): readonly Message[] | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every(isMessage) ? value : undefined
  } catch {
    return undefined
  }
}

/**
 * Turns in which a model called tools of the client beside the gateway's own. The client knows of its calls alone: when
 * it comes back with their results, ours are put back in their place. Only the same caller finds them.
 */
export class KeptTurns {
  readonly #store: KeyValue

  constructor(store: KeyValue) {
    this.#store = store
  }

  /**
   * Keeps the messages of a turn.
   * @param clientCalls the calls of the client's own tools, the last thing that the client sees
   */
  async keep(caller: Caller, clientCalls: readonly ToolCall[], messages: readonly Message[]): Promise<void> {
    const owner = ownerOf(caller)
    const [first] = clientCalls
    if (owner === undefined || !first) return
    const key = turnKey(owner, first)
    await Promise.all([
      this.#store.set(key, JSON.stringify(messages), KEPT_MS),
      this.#store.set(callKey(owner, first), key, KEPT_MS),
    ]).catch(() => {})
  }

  /** A conversation with the messages of kept turns in place of what the client knows of them. */
  async resumed(caller: Caller, messages: readonly Message[]): Promise<readonly Message[]> {
    const owner = ownerOf(caller)
    if (owner === undefined) return messages
    const found = await Promise.all(
      messages.map(message =>
        message.role === 'assistant' && message.toolCalls ? this.#found(owner, message) : undefined,
      ),
    )
    // A format may have the text of a turn before its calls, as a message of its own.
    return messages.flatMap((message, index) => {
      const isTextOfKept = found[index + 1] && message.role === 'assistant' && !message.toolCalls
      return isTextOfKept ? [] : (found[index] ?? [message])
    })
  }

  async #found(owner: string, { toolCalls = [] }: AssistantMessage): Promise<readonly Message[] | undefined> {
    for (const call of toolCalls) {
      const messages = (await this.#read(turnKey(owner, call))) ?? (await this.#redacted(owner, call))
      if (messages) return messages
    }
    return undefined
  }

  async #read(key: string): Promise<readonly Message[] | undefined> {
    const text = await this.#store.get(key).catch(() => undefined)
    return text === undefined ? undefined : messagesIn(text)
  }

  /**
   * The turn of a call whose arguments the client knows with placeholders. Some vendors use an id again, for a call with
   * other arguments.
   */
  async #redacted(owner: string, call: ToolCall): Promise<readonly Message[] | undefined> {
    if (!PLACEHOLDER.test(call.arguments)) return undefined
    const key = await this.#store.get(callKey(owner, call)).catch(() => undefined)
    const messages = key === undefined ? undefined : await this.#read(key)
    const isOfCall = messages?.some(
      message =>
        message.role === 'assistant' &&
        message.toolCalls?.some(
          ({ id, arguments: text }) => id === call.id && isRedactionOf(call.arguments, text),
        ),
    )
    return isOfCall ? messages : undefined
  }
}
