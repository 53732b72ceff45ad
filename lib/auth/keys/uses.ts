import { LRUCache } from 'lru-cache'
import type { Clock, Timer } from '../../clock.ts'
import type { KeyUse } from './types.ts'

const MOST_KEYS = 10_000
/** Uses of different keys are written together. */
const GROUPED_MS = 1_000
/** How often the uses of one key are written, at most. */
const WRITTEN_EVERY_MS = 60_000
const NEVER = Number.NEGATIVE_INFINITY

type Latest = {
  usedAt: number
  /** The latest use that is in the database. */
  storedAt: number
  /** When it was last written, or that was tried. */
  triedAt: number
}

type Entry = readonly [id: string, latest: Latest]

export type KeyUsesDeps = Readonly<{
  write: (uses: readonly KeyUse[]) => Promise<void>
  /** The clock that all processes on the database share. */
  clock: Clock
  onError: (error: unknown) => void
}>

/**
 * When keys were last used. Nothing waits for the database: uses are written in groups in the background, those of one
 * key at most once a minute.
 */
export class KeyUses {
  readonly #deps: KeyUsesDeps
  readonly #keys = new LRUCache<string, Latest>({ maxSize: MOST_KEYS, sizeCalculation: () => 1 })
  #timer: Timer | undefined
  #writing: Promise<void> | undefined

  constructor(deps: KeyUsesDeps) {
    this.#deps = deps
  }

  used(id: string): void {
    const now = this.#deps.clock.now()
    const latest = this.#keys.get(id)
    if (latest) latest.usedAt = now
    else this.#keys.set(id, { usedAt: now, storedAt: NEVER, triedAt: NEVER })
    this.#writeLater()
  }

  /** The latest use by this process; undefined where that is not known. */
  latest(id: string): number | undefined {
    return this.#keys.peek(id)?.usedAt
  }

  /** Writes what has not been written yet. Called before the database is closed. */
  async close(): Promise<void> {
    await this.#writing
    this.#timer?.cancel()
    await this.#write(this.#unwritten())
  }

  #unwritten(): readonly Entry[] {
    return [...this.#keys.entries()].filter(([, { usedAt, storedAt }]) => usedAt > storedAt)
  }

  #writeLater(): void {
    this.#timer ??= this.#deps.clock.timer(GROUPED_MS, () => {
      this.#writing = this.#writeDue().finally(() => {
        this.#writing = undefined
      })
    })
  }

  async #writeDue(): Promise<void> {
    const dueBefore = this.#deps.clock.now() - WRITTEN_EVERY_MS
    await this.#write(this.#unwritten().filter(([, { triedAt }]) => triedAt <= dueBefore))
    this.#timer = undefined
    if (this.#unwritten().length > 0) this.#writeLater()
  }

  /** Never rejects: what cannot be written is tried again. */
  async #write(due: readonly Entry[]): Promise<void> {
    if (due.length === 0) return
    const { write, clock, onError } = this.#deps
    const now = clock.now()
    const uses = due.map(([id, { usedAt }]) => ({ id, usedAt }))
    for (const [, latest] of due) latest.triedAt = now
    try {
      await write(uses)
      for (const [at, [, latest]] of due.entries()) latest.storedAt = uses[at]?.usedAt ?? NEVER
    } catch (error) {
      onError(error)
    }
  }
}
