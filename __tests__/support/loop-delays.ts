import { appendFileSync, existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Block } from './loop-monitor.ts'

/**
 * The longest time for which nothing may keep a warm gateway's event loop to itself; more where the tests beside it
 * use the machine too (vitest.config.ts).
 */
const LONGEST_BLOCK_MS = Number(process.env.LONGEST_BLOCK_MS ?? 50)

/** Something was measured to take longer than is allowed: CPU time, or a time for which the event loop was blocked. */
export class TooLong extends Error {}

/**
 * Measures again, up to `most` times, when something took too long: whatever else the machine does can only lengthen
 * it, so that the shortest measurement is the nearest to the truth. Any other failure is final.
 *
 * @param most 3 when absent
 */
export const leastDisturbed = async (measure: () => Promise<void>, most = 3): Promise<void> => {
  for (let left = most - 1; ; left -= 1)
    try {
      return await measure()
    } catch (error) {
      if (!(error instanceof TooLong) || left === 0) throw error
    }
}

/** What `loop-monitor.ts` has measured inside a process that was started with `args` and `env`. */
export class LoopDelays {
  readonly #file = join(mkdtempSync(join(tmpdir(), 'parley-loop-')), 'blocks.jsonl')
  #since = 0

  get args(): readonly string[] {
    return ['--import', pathToFileURL(join(import.meta.dirname, 'loop-monitor.ts')).href]
  }

  get env(): Record<string, string> {
    return { LOOP_MONITOR_FILE: this.#file }
  }

  /**
   * Has the process measured from now on, and forgets what came before: one that starts, loads its modules and compiles
   * them is not warm.
   */
  startOver(): void {
    appendFileSync(this.#file, '')
    this.#since = Date.now()
  }

  /** Whether the process measures already. */
  get isMeasuring(): boolean {
    return existsSync(this.#file) && statSync(this.#file).size > 0
  }

  /** Blocks of at least 20 ms since `startOver`, the longest first. */
  blocks(): readonly Block[] {
    return this.#lines()
      .map((line): Block => JSON.parse(line))
      .filter(({ at, lateMs }) => at - lateMs >= this.#since)
      .toSorted((a, b) => b.blockedMs - a.blockedMs)
  }

  /** The longest of them in ms; 0 when there was none. */
  get longestMs(): number {
    return this.blocks()[0]?.blockedMs ?? 0
  }

  /**
   * Starts over.
   * @throws TooLong when the event loop was blocked for longer than `mostMs`, as a quiet machine would have been
   * @throws Error when it was not measured
   */
  expectBelow(mostMs = LONGEST_BLOCK_MS): void {
    if (!this.isMeasuring) throw new Error('This event loop has not been measured.')
    const longer = this.blocks().filter(({ blockedMs, slowness }) => blockedMs / slowness > mostMs)
    this.startOver()
    if (longer.length > 0)
      throw new TooLong(`The event loop was blocked for more than ${mostMs} ms: ${JSON.stringify(longer)}`)
  }

  #lines(): string[] {
    return readFileSync(this.#file, 'utf8').split('\n').filter(Boolean)
  }
}
