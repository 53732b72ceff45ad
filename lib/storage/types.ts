/**
 * Small documents by key, each with a lifetime. Values may vanish at any moment, and a failing store behaves like an
 * empty one: nothing that must not be lost belongs here.
 */
export interface KeyValue {
  get(key: string): Promise<string | undefined>
  /** Replaces an existing value. */
  set(key: string, value: string, ttlMs: number): Promise<void>
  /** Sets a value where there is none, and returns the one that is there then: of concurrent callers, all get the same. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<string>
  delete(key: string): Promise<void>
  /** Its current size; absent where it is not known without a query. */
  readonly holds?: () => Readonly<{ entries: number; bytes: number }>
}
