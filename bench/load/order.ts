/** The order to the load process: keep `connections` requests in progress, for a duration or a number of requests. */
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

/** Its report: every request that was started is awaited and counted. */
export type LoadResult = {
  requests: number
  failures: number
  firstFailure?: string
  elapsedMs: number
  p50Ms: number
  p99Ms: number
}
