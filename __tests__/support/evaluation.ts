import { setTimeout as sleep } from 'node:timers/promises'
import type { Json } from './chat.ts'
import type { Asked, Behaviour } from './upstream-behaviour.ts'
import { says } from './upstream-behaviour.ts'

const WITHIN_MS = 120_000
const POLL_MS = 50

/** A client of one gateway's evaluations; `headers` say who it is. */
export class EvaluationClient {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(gateway: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = gateway
    this.#headers = headers
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#url}/api/${path}`, { ...init, headers: { ...this.#headers, ...init.headers } })
  }

  post(path: string, body?: object): Promise<Response> {
    return this.ask(path, {
      method: 'POST',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
  }

  async made(path: string, body: object): Promise<Json> {
    const answer = await this.post(path, body)
    const made: Json = await answer.json()
    if (!answer.ok) throw new Error(`not accepted: ${JSON.stringify(made)}`)
    return made
  }

  async json(path: string): Promise<Json> {
    return (await this.ask(path)).json()
  }

  /** The run once it has come to what is asked for. */
  async until(id: string, isSo: (run: Json) => boolean): Promise<Json> {
    const deadline = performance.now() + WITHIN_MS
    for (;;) {
      const run = await this.json(`evaluations/${id}`)
      if (isSo(run)) return run
      const isOver = run.state !== 'queued' && run.state !== 'running'
      if (isOver || performance.now() > deadline)
        throw new Error(`it did not come to that: ${JSON.stringify(run)}`)
      await sleep(POLL_MS)
    }
  }

  ended(id: string): Promise<Json> {
    return this.until(id, ({ state }) => state !== 'queued' && state !== 'running')
  }
}

const section = (text: string, name: string): string =>
  new RegExp(`<${name} \\w+>\\n([\\s\\S]*?)\\n</${name} `).exec(text)?.[1] ?? ''

/** The answers that a grading model is shown, in their order. */
export const shownIn = ({ messages }: Asked): readonly string[] => {
  const text = messages.at(-1)?.content ?? ''
  return text.includes('<answer-A ')
    ? [section(text, 'answer-A'), section(text, 'answer-B')]
    : [section(text, 'answer')]
}

/** A model that grades answers by a function of those that it is shown. */
export const grades =
  (scoresOf: (shown: readonly string[]) => readonly number[], reason = 'As scripted.'): Behaviour =>
  (response, asked, signal) => {
    const [first, second] = scoresOf(shownIn(asked))
    const scores = second === undefined ? { score: first } : { scoreA: first, scoreB: second }
    return says([`Here it is:\n\`\`\`json\n${JSON.stringify({ reason, ...scores })}\n\`\`\``])(
      response,
      asked,
      signal,
    )
  }
