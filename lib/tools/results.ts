import { hash } from 'node:crypto'
import type { KeyValue } from '../storage/types.ts'
import type { Tool, ToolResult } from './types.ts'

/** A result with the clock time of its retrieval, milliseconds. */
export type StoredResult = Readonly<{ storedAt: number; result: ToolResult }>

const PREFIX = 'tool:'
/** Changes whenever results of an older version must not be found. */
const VERSION = 2

const sorted = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

const isStored = (value: unknown): value is StoredResult =>
  typeof value === 'object' &&
  value !== null &&
  'storedAt' in value &&
  typeof value.storedAt === 'number' &&
  'result' in value

/** Results of tools, each kept for its lifetime and as long as it may replace a failure. */
export class StoredResults {
  readonly #store: KeyValue
  readonly #generation: () => string | Promise<string>

  /** @param generation changes whenever earlier results are invalidated */
  constructor(store: KeyValue, generation: () => string | Promise<string>) {
    this.#store = store
    this.#generation = generation
  }

  /** The key of a result: the same for the same arguments in any order, and for all callers. */
  async keyOf({ name, version }: Tool, input: unknown): Promise<string> {
    const all = [VERSION, await this.#generation(), name, version, input]
    return PREFIX + hash('sha256', JSON.stringify(all, sorted), 'base64url')
  }

  async find(key: string): Promise<StoredResult | undefined> {
    try {
      const value: unknown = JSON.parse((await this.#store.get(key)) ?? 'null')
      return isStored(value) ? value : undefined
    } catch {
      return undefined
    }
  }

  async keep(key: string, stored: StoredResult, { lifeMs, staleMs }: Tool): Promise<void> {
    await this.#store.set(key, JSON.stringify(stored), lifeMs + staleMs).catch(() => {})
  }
}
