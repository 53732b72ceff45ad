import { createHmac } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { PlacedText } from '../types.ts'
import type { Finding } from './types.ts'

/** Findings, with one for each piece itself. */
const MOST_STORED = 100_000

type Stored = Readonly<{ findings: readonly Finding[]; expiresAt: number }>

/**
 * Findings in memory, by a keyed hash of the piece and of the judge's settings: neither a text nor who sent it is
 * stored, and without the key, which never leaves the process, no text can be tried. Bounded; the findings unused for
 * the longest time go first.
 */
export class StoredFindings {
  readonly #key: Uint8Array
  readonly #now: () => number
  readonly #stored = new LRUCache<string, Stored>({
    maxSize: MOST_STORED,
    sizeCalculation: ({ findings }) => 1 + findings.length,
  })

  /** @param key random bytes @param now in milliseconds */
  constructor(key: Uint8Array, now: () => number) {
    this.#key = key
    this.#now = now
  }

  /** @param version of the judge's settings */
  keyOf(version: string, { text, place }: PlacedText, dependsOnPlace: boolean): string {
    const settings = JSON.stringify([version, dependsOnPlace ? place : ''])
    return createHmac('sha256', this.#key).update(settings).update(text, 'utf16le').digest('base64url')
  }

  find(key: string): readonly Finding[] | undefined {
    const stored = this.#stored.get(key)
    if (!stored) return undefined
    if (this.#now() < stored.expiresAt) return stored.findings
    this.#stored.delete(key)
    return undefined
  }

  store(key: string, findings: readonly Finding[], lifeMs: number): void {
    if (lifeMs > 0) this.#stored.set(key, { findings, expiresAt: this.#now() + lifeMs })
  }
}
