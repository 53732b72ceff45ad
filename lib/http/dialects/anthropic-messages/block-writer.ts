import type { Tool } from '../../../llm/message.ts'
import type { ReplyEvent } from '../../../llm/types.ts'
import { sseEvent } from '../../sse.ts'

type Fragment = Extract<ReplyEvent, { type: 'tool-call-delta' }>
type ToolCall = { readonly id: string; readonly name: string; readonly isCustom: boolean; json: string }

/** The block that is being written: one at a time, as Anthropic's clients expect. */
type Open =
  | Readonly<{ kind: 'text' }>
  | { readonly kind: 'thinking'; isSigned: boolean }
  | Readonly<{ kind: 'tool'; call: number }>
  /** It comes as a whole. */
  | Readonly<{ kind: 'redacted' }>

const isWholeJson = (json: string): boolean => {
  if (!json.trimEnd().endsWith('}')) return false
  try {
    JSON.parse(json)
    return true
  } catch {
    return false
  }
}

/** The names of the tools of a call that take no arguments: models leave theirs empty. */
export const toolsWithoutArguments = (tools: readonly Tool[] = []): ReadonlySet<string> =>
  new Set(
    tools.filter(({ parameters, custom }) => !custom && takesNothing(parameters)).map(({ name }) => name),
  )

const takesNothing = (schema: unknown): boolean => {
  if (schema === undefined) return true
  const { properties = {}, additionalProperties: others = false } = Object(schema)
  return Object.keys(properties).length === 0 && others === false
}

/** Free text of a custom tool as the input that its only parameter stands for. */
const inputJson = ({ json, isCustom }: ToolCall): string =>
  isCustom ? JSON.stringify({ input: json }) : json

/**
 * Writes a reply's deltas as the events of Anthropic's content blocks, one after another and with rising index. The
 * fragments of parallel tool calls may alternate, also with text: a later call or text waits until the arguments before
 * it are complete.
 */
export class BlockWriter {
  #index = -1
  #open: Open | undefined
  readonly #calls: ToolCall[] = []
  /** How many calls have been begun. */
  #begun = 0
  /** What came while the arguments of a call were incomplete. */
  #held: ReplyEvent[] = []
  readonly #withoutArguments: ReadonlySet<string>

  /** @param withoutArguments the names of tools whose arguments are complete while they are empty */
  constructor(withoutArguments: ReadonlySet<string> = new Set()) {
    this.#withoutArguments = withoutArguments
  }

  get callsTools(): boolean {
    return this.#calls.length > 0
  }

  write(event: ReplyEvent): string {
    if (event.type === 'tool-call-delta') {
      const written = this.#fragment(event)
      return this.#held.length > 0 && !this.#isIncomplete ? written + this.#releaseHeld() : written
    }
    if (!this.#isIncomplete) return this.#write(event)
    this.#held.push(event)
    return ''
  }

  get #isIncomplete(): boolean {
    return this.#calls.some(call => !call.isCustom && !this.#isWhole(call))
  }

  #isWhole({ name, json }: ToolCall): boolean {
    return json === '' ? this.#withoutArguments.has(name) : isWholeJson(json)
  }

  #releaseHeld(): string {
    const held = this.#held
    this.#held = []
    return held.map(event => this.#write(event)).join('')
  }

  #write(event: ReplyEvent): string {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        return this.#text(event.text)
      case 'reasoning-delta':
        return event.redacted === undefined
          ? this.#thinking(event.text, event.signature)
          : this.#redacted(event.redacted)
      default:
        return ''
    }
  }

  /** What is still to be written once the last delta is known. */
  end(): string {
    return this.#waitingCalls() + this.#releaseHeld() + this.#close()
  }

  #text(text: string): string {
    let written = ''
    if (this.#open?.kind !== 'text') {
      written = this.#waitingCalls() + this.#begin({ type: 'text', text: '' })
      this.#open = { kind: 'text' }
    }
    return written + this.#delta({ type: 'text_delta', text })
  }

  #thinking(text: string, signature: string | undefined): string {
    let written = ''
    if (this.#open?.kind !== 'thinking' || this.#open.isSigned) {
      written = this.#waitingCalls() + this.#begin({ type: 'thinking', thinking: '', signature: '' })
    }
    this.#open = { kind: 'thinking', isSigned: signature !== undefined }
    if (text !== '') written += this.#delta({ type: 'thinking_delta', thinking: text })
    return signature === undefined ? written : written + this.#delta({ type: 'signature_delta', signature })
  }

  #redacted(data: string): string {
    const written = this.#waitingCalls() + this.#begin({ type: 'redacted_thinking', data })
    this.#open = { kind: 'redacted' }
    return written
  }

  #fragment({ index, id = '', name = '', arguments: json, isCustom }: Fragment): string {
    const known = this.#calls[index]
    if (known) known.json += json
    else this.#calls[index] = { id, name, isCustom: isCustom === true, json }
    if (this.#open?.kind === 'tool' && this.#open.call === index)
      return json === '' || known?.isCustom ? '' : this.#input(json)
    return index < this.#begun ? '' : this.#nextCalls()
  }

  /** Begins the calls whose turn has come. */
  #nextCalls(): string {
    let written = ''
    while (this.#begun < this.#calls.length) {
      const before = this.#open?.kind === 'tool' ? this.#calls[this.#open.call] : undefined
      if (before && !this.#isWhole(before)) break
      written += this.#beginCall(this.#begun)
    }
    return written
  }

  /** Begins all others, since no more of their fragments come. */
  #waitingCalls(): string {
    let written = ''
    while (this.#begun < this.#calls.length) written += this.#beginCall(this.#begun)
    return written
  }

  #beginCall(index: number): string {
    const call = this.#calls[index]
    this.#begun = index + 1
    if (!call) return ''
    const begun = this.#begin({ type: 'tool_use', id: call.id, name: call.name, input: {} })
    this.#open = { kind: 'tool', call: index }
    return call.json === '' || call.isCustom ? begun : begun + this.#input(call.json)
  }

  #input(json: string): string {
    return this.#delta({ type: 'input_json_delta', partial_json: json })
  }

  #begin(block: object): string {
    const closed = this.#close()
    this.#index += 1
    return (
      closed +
      sseEvent('content_block_start', {
        type: 'content_block_start',
        index: this.#index,
        content_block: block,
      })
    )
  }

  #delta(delta: object): string {
    return sseEvent('content_block_delta', { type: 'content_block_delta', index: this.#index, delta })
  }

  #close(): string {
    const open = this.#open
    if (!open) return ''
    this.#open = undefined
    const call = open.kind === 'tool' ? this.#calls[open.call] : undefined
    const input = call?.isCustom ? this.#input(inputJson(call)) : ''
    return input + sseEvent('content_block_stop', { type: 'content_block_stop', index: this.#index })
  }
}
