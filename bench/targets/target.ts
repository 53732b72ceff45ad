import type { Workload } from '../workloads.ts'

export type TargetName = 'bare' | 'parley-off' | 'parley-on' | 'parley-v1' | 'parley-next' | 'portkey'

export type ChatRequest = {
  path: string
  headers: Record<string, string>
  body: object
  /** Texts a complete answer holds. */
  expected: readonly string[]
}

/** A server that can be started and measured. */
export type Target = {
  name: TargetName
  title: string
  /** Script and arguments, run by the Node that runs the benchmark. */
  command(port: number): readonly string[]
  env: Record<string, string>
  /** Answers 200 once the server is ready; without it, an open port is enough. */
  readyPath?: string
  request(workload: Workload, upstreamUrl: string): ChatRequest
}

/** A target before it is known whether it can run here. */
export type Candidate = {
  name: TargetName
  title: string
  find(): Promise<Target | { unavailable: string }>
}
