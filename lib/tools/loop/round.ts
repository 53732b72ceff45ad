import { answerOf, append, type Finish, type WholeReply } from '../../llm/events.ts'
import type { EventGroup, ReplyEvent, ToolCall } from '../../llm/types.ts'

type Fragment = Extract<ReplyEvent, { type: 'tool-call-delta' }>
type Ending = Finish | Extract<ReplyEvent, { type: 'error' }>

/**
 * One answer of the model within a call: what the client gets of it at once, and the calls of the gateway's own tools,
 * which it does not get.
 */
export class Round {
  readonly #isOwn: (name: string) => boolean
  readonly #events: ReplyEvent[] = []
  /** The client's index of each call of its own tools, by the model's; undefined for one of ours. */
  readonly #indices = new Map<number, number | undefined>()
  #clientCalls = 0
  #ending: Ending | undefined

  /** @param isOwn whether a tool is the gateway's own */
  constructor(isOwn: (name: string) => boolean) {
    this.#isOwn = isOwn
  }

  /** Its last event; undefined as long as it has not ended. */
  get ending(): Ending | undefined {
    return this.#ending
  }

  get hasClientCalls(): boolean {
    return this.#clientCalls > 0
  }

  /** The events that pass on to the client. */
  take(group: EventGroup): EventGroup {
    return group.flatMap(event => {
      if (event.type === 'wire') return []
      append(this.#events, event)
      if (event.type === 'finish' || event.type === 'error') {
        this.#ending = event
        return []
      }
      return event.type === 'tool-call-delta' ? this.#passed(event) : [event]
    })
  }

  /** The whole answer; undefined where it has not ended well. */
  answer(): WholeReply | undefined {
    return answerOf(this.#events)
  }

  ownCalls({ toolCalls }: WholeReply): readonly ToolCall[] {
    return toolCalls.filter(({ name }) => this.#isOwn(name))
  }

  clientCalls({ toolCalls }: WholeReply): readonly ToolCall[] {
    return toolCalls.filter(({ name }) => !this.#isOwn(name))
  }

  #passed(event: Fragment): readonly ReplyEvent[] {
    if (!this.#indices.has(event.index)) {
      const isOwn = this.#isOwn(event.name ?? '')
      this.#indices.set(event.index, isOwn ? undefined : this.#clientCalls)
      if (!isOwn) this.#clientCalls += 1
    }
    const index = this.#indices.get(event.index)
    return index === undefined ? [] : [{ ...event, index }]
  }
}
