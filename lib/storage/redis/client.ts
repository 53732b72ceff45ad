import { createHash } from 'node:crypto'

/** Lua that Redis runs atomically. Metrics and faults use its name. */
export type Script = Readonly<{ name: string; source: string; sha1: string }>

export const script = (name: string, source: string): Script => ({
  name,
  source,
  sha1: createHash('sha1').update(source).digest('hex'),
})

/**
 * The operations that Parley needs of Redis. Every method rejects when the command fails; none waits for a missing
 * connection.
 */
export interface RedisClient {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, ttlMs: number): Promise<void>
  delete(key: string): Promise<void>
  /** Runs a script by its digest, and by its source where Redis has not cached it. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  /** Resolves, and never rejects, once the first attempt to connect has succeeded or failed. */
  opened(): Promise<void>
  close(): void
}
