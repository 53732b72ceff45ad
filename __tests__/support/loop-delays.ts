import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Block } from './loop-monitor.ts'

/** The longest time for which nothing may keep a warm gateway's event loop to itself. */
export const LONGEST_BLOCK_MS = 50

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

  /** Forgets what came before: a process that starts, loads its modules and compiles them is not warm. */
  startOver(): void {
    this.#since = Date.now()
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
   * @throws when the event loop was blocked for longer than `mostMs`, 50 when absent
   */
  expectBelow(mostMs = LONGEST_BLOCK_MS): void {
    const longer = this.blocks().filter(({ blockedMs }) => blockedMs > mostMs)
    this.startOver()
    if (longer.length > 0)
      throw new Error(`The event loop was blocked for more than ${mostMs} ms: ${JSON.stringify(longer)}`)
  }

  #lines(): string[] {
    try {
      return readFileSync(this.#file, 'utf8').split('\n').filter(Boolean)
    } catch {
      return []
    }
  }
}
