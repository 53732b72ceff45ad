/**
 * Small documents by key, each for a time. What is written may be gone at any moment, and a store that is out
 * of order answers as an empty one: nothing that must not be lost belongs here.
 */
export interface KeyValue {
  get(key: string): Promise<string | undefined>
  /** Replaces what was there. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  delete(key: string): Promise<void>
  /** What it holds now; absent where that is not known without asking. */
  readonly holds?: () => Readonly<{ entries: number; bytes: number }>
}
