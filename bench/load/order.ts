/** What the load process is told: keep `connections` requests under way, for so long or for so many. */
export type LoadOrder = {
  port: number
  /** The whole HTTP request, head and body. */
  request: string
  /** An answer counts as complete when its body holds all of these. */
  expected: readonly string[]
  connections: number
  atMostMs: number
  /** Without it, time alone ends the load. */
  atMostRequests?: number
}

/** What it reports: every request that was begun is waited for and counted. */
export type LoadResult = {
  requests: number
  failures: number
  firstFailure?: string
  elapsedMs: number
  p50Ms: number
  p99Ms: number
}
