import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Call, Reply } from '../llm/types.ts'

/** The outcome of one attempt. */
export type Outcome = Readonly<{ reply: Reply }> | Readonly<{ error: unknown }>

/** The reply of an outcome; throws its error. */
export const replyOf = (outcome: Outcome): Reply => {
  if ('error' in outcome) throw outcome.error
  return outcome.reply
}

const OUTPACED = 'Another attempt was faster.'

/** One of two attempts at a call, with a signal of its own below the call's. */
export class RacedAttempt {
  readonly outcome: Promise<Outcome>
  readonly #controller = new AbortController()

  constructor(call: Call, next: Handler<Call, Reply>) {
    const signal = AbortSignal.any([call.signal, this.#controller.signal])
    this.outcome = next({ ...call, signal }).then(
      reply => ({ reply }),
      error => ({ error }),
    )
  }

  /** Not a failure of the target: the circuit and the health of providers do not count it. */
  abort(): void {
    this.#controller.abort(new GatewayError('CLIENT_GONE', OUTPACED, { cancelsUpstream: true }))
  }
}

/** The outcome, if it is known within the time. */
export const within = (leg: RacedAttempt, milliseconds: number, clock: Clock): Promise<Outcome | undefined> =>
  new Promise(resolve => {
    const timer = clock.timer(milliseconds, () => resolve(undefined))
    void leg.outcome.then(outcome => {
      timer.cancel()
      resolve(outcome)
    })
  })

const close = ({ events }: Reply): void => {
  void events[Symbol.asyncIterator]().return?.()
}

/**
 * The leg whose content arrives first, and its reply. The other one is aborted in the same tick; `onWon` is called just
 * before. Undefined where both fail.
 */
export const firstOf = (
  legs: readonly [RacedAttempt, RacedAttempt],
  onWon: (leg: RacedAttempt, reply: Reply) => void,
): Promise<Readonly<{ leg: RacedAttempt; reply: Reply }> | undefined> =>
  new Promise(resolve => {
    let isWon = false
    let failures = 0
    const [first, second] = legs
    for (const [leg, other] of [
      [first, second],
      [second, first],
    ] as const) {
      void leg.outcome.then(outcome => {
        if ('error' in outcome) {
          failures += 1
          if (failures === legs.length) resolve(undefined)
        } else if (isWon) close(outcome.reply)
        else {
          isWon = true
          onWon(leg, outcome.reply)
          other.abort()
          resolve({ leg, reply: outcome.reply })
        }
      })
    }
  })
