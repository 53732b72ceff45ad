import { createHash } from 'node:crypto'

/** Lua that Redis runs as one step. Its name is what metrics and faults call it. */
export type Script = Readonly<{ name: string; source: string; sha1: string }>

export const script = (name: string, source: string): Script => ({
  name,
  source,
  sha1: createHash('sha1').update(source).digest('hex'),
})

/**
 * The little that Parley needs of a Redis. Every method rejects when Redis does not do what it is asked; none
 * waits for a connection that is not there.
 */
export interface RedisClient {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string, ttlMs: number): Promise<void>
  delete(key: string): Promise<void>
  /** Runs a script by its digest, and by its source where Redis does not know it yet. */
  run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  /** Resolves, and never rejects, once the first try to connect has succeeded or failed. */
  opened(): Promise<void>
  close(): void
}
