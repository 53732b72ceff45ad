import { withoutUsage } from '../../../llm/hidden-usage.ts'
import type { ReplyEvent } from '../../../llm/types.ts'
import { isObject, memberOf } from '../../../raw-json.ts'

export type WireEvent = Extract<ReplyEvent, { type: 'wire' }>

/** The members that all chunks of an answer share. */
const SHARED = ['id', 'created', 'model', 'system_fingerprint'] as const

const FINISH_REASON = /"finish_reason"\s*:\s*"/
const USAGE = /"usage"\s*:\s*\{/
/** An id, which the chunks of an answer have, but not Azure's first one, which is about the prompt. */
const ID = /"id"\s*:\s*"[^"]/

const frame = (json: string): string => `data: ${json}\n\n`

const sharedIn = (json: string): object => {
  const chunk: unknown = JSON.parse(json)
  if (!isObject(chunk) || typeof chunk.id !== 'string' || chunk.id === '') return {}
  return Object.fromEntries(SHARED.filter(name => chunk[name] !== undefined).map(name => [name, chunk[name]]))
}

/**
 * Writes the chunks of an upstream of the same format as they come, without a usage that the client did not ask for. A
 * usage beside the last choices waits for what follows: it gets a chunk of its own at the end where there is no other.
 */
export class PassedChunks {
  readonly #wantsUsage: boolean
  #isFinished = false
  #hasUsage = false
  #held: string | undefined
  #first: string | undefined

  constructor(wantsUsage: boolean) {
    this.#wantsUsage = wantsUsage
  }

  /** The members that the chunks share, as far as these have them. */
  get shared(): object {
    return this.#first === undefined ? {} : sharedIn(this.#first)
  }

  write({ json, isUsage }: WireEvent): string {
    if (this.#first === undefined && ID.test(json)) this.#first = json
    if (!this.#wantsUsage) return isUsage ? '' : frame(withoutUsage(json))
    const before = this.#released()
    if (isUsage) this.#hasUsage = true
    else if (this.#isLastUsage(json)) {
      this.#held = json
      return before
    }
    return before + frame(json)
  }

  /** Whether the usage has been written in a chunk of its own. */
  get hasUsage(): boolean {
    return this.#hasUsage
  }

  /** What is left where the answer has failed. */
  fail(): string {
    return this.#released()
  }

  /** What is left of a complete answer: frames, and the usage that is to follow in a chunk of its own, as it is written. */
  end(): Readonly<{ frames: string; usage?: string | undefined }> {
    const held = this.#held
    return held === undefined
      ? { frames: '' }
      : { frames: frame(withoutUsage(held)), usage: memberOf(held, 'usage') }
  }

  #isLastUsage(json: string): boolean {
    this.#isFinished ||= FINISH_REASON.test(json)
    if (!this.#isFinished || this.#hasUsage) return false
    return USAGE.test(json) && memberOf(json, 'usage') !== undefined
  }

  #released(): string {
    const held = this.#held
    this.#held = undefined
    return held === undefined ? '' : frame(held)
  }
}
