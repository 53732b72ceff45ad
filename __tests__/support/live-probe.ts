import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const PERIOD_MS = 25
/** Milliseconds of a unit of /proc/stat, which counts in hundredths of a second. */
const MS_PER_TICK = 10

/**
 * How long each thread of a process was ready to run without getting a CPU: a main thread waits for its helpers while
 * garbage is collected. Empty where the system does not say.
 */
const runQueues = (pid: number | 'self'): ReadonlyMap<string, number> => {
  const times = new Map<string, number>()
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')
      times.set(thread, Number(waited) / 1e6)
    }
  } catch {
    // Not Linux, or a thread has ended meanwhile.
  }
  return times
}

type Queues = ReturnType<typeof runQueues>

/** The longest time that one of the threads has waited for a CPU since `before`. */
const longestWaitMs = (before: Queues, now: Queues): number =>
  Math.max(0, ...[...now].map(([thread, ms]) => ms - (before.get(thread) ?? ms)))

/** CPU time that the host below this virtual machine gave to others. */
const stolenMs = (): number => {
  try {
    const [total = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
    return Number(total.split(/\s+/)[8] ?? 0) * MS_PER_TICK
  } catch {
    return 0
  }
}

/** Asks a gateway again and again whether it lives, as a load balancer would, only more often. */
export class LiveProbe {
  readonly #url: string
  readonly #pid: number
  readonly #ended: Promise<void>
  #isGoing = true
  #longestMs = 0

  constructor(gateway: Readonly<{ url: string; pid: number }>) {
    this.#url = `${gateway.url}/api/health/live`
    this.#pid = gateway.pid
    this.#ended = this.#probe()
  }

  /** The longest time that an answer took, in ms. What the machine withheld from the two processes is taken off. */
  async stop(): Promise<number> {
    this.#isGoing = false
    await this.#ended
    return this.#longestMs
  }

  async #probe(): Promise<void> {
    while (this.#isGoing) {
      const before = this.#machine()
      const askedAt = performance.now()
      const answer = await fetch(this.#url)
      await answer.text()
      if (answer.status !== 200) throw new Error(`/api/health/live answered ${answer.status}`)
      const ms = performance.now() - askedAt
      const now = this.#machine()
      const withheldMs =
        longestWaitMs(before.own, now.own) +
        longestWaitMs(before.gateways, now.gateways) +
        (now.stolenMs - before.stolenMs)
      this.#longestMs = Math.max(this.#longestMs, ms - withheldMs)
      await sleep(PERIOD_MS)
    }
  }

  #machine() {
    return { own: runQueues('self'), gateways: runQueues(this.#pid), stolenMs: stolenMs() }
  }
}
