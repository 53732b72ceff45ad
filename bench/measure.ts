import type { ChildProcess } from 'node:child_process'
import type { LoadOrder, LoadResult } from './load/order.ts'
import type { Options } from './options.ts'
import { canReadProcesses, readProcessGroup } from './process-group.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import type { ChatRequest, Target, TargetName } from './targets/target.ts'
import { askWorker } from './worker.ts'
import type { Workload, WorkloadName } from './workloads.ts'

/** The result of one workload on one target. CPU and memory are unknown where there is no /proc. */
export type Figures = {
  target: TargetName
  workload: WorkloadName
  /** Whether every warm-up finished within its time limit; false on a machine too slow for a measurement. */
  warm: boolean
  requests: number
  failures: number
  firstFailure?: string
  requestsPerSecond: number
  p50Ms: number
  p99Ms: number
  cpuMicrosPerRequest?: number
  peakMemoryMiB?: number
}

/** The figures of one round. */
export type Measurement = Figures & { round: number }

export type Surroundings = {
  upstreamPort: number
  load: ChildProcess
  options: Options
  profileDirectory: string
}

const warmupAtMostMs = 30_000

/** Restarts the target, warms it up, measures it under load, and stops it. Throws when it does not start. */
export async function measure(
  target: Target,
  workload: Workload,
  round: number,
  { upstreamPort, load, options, profileDirectory }: Surroundings,
): Promise<Measurement> {
  const upstreamUrl = `http://127.0.0.1:${upstreamPort}${workload.upstreamPath}`
  const profiled = options.profiledTarget === target.name
  const server = await startServer(target, { upstreamUrl, ...(profiled ? { profileDirectory } : {}) })
  try {
    const request = target.request(workload, upstreamUrl)
    const order = loadOrder(request, server.port, options)
    const atMostRequests = Math.ceil(workload.warmupRequests * options.warmup)
    const warmup = await askWorker<LoadResult>(load, { ...order, atMostMs: warmupAtMostMs, atMostRequests })
    const counts = warmup.failures > 0 ? fromLoad(warmup) : await underLoad(load, order, server)
    const warm = warmup.requests >= atMostRequests
    return { target: target.name, workload: workload.name, round, warm, ...counts }
  } finally {
    await server.stop()
  }
}

function loadOrder(request: ChatRequest, port: number, options: Options): LoadOrder {
  const body = JSON.stringify(request.body)
  const headers = {
    host: `127.0.0.1:${port}`,
    accept: '*/*',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...request.headers,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return {
    port,
    request: `POST ${request.path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`,
    expected: request.expected,
    connections: options.connections,
    atMostMs: options.measureMs,
  }
}

async function underLoad(load: ChildProcess, order: LoadOrder, server: ServerProcess) {
  if (!canReadProcesses) return fromLoad(await askWorker<LoadResult>(load, order))
  const before = readProcessGroup(server.pid)
  const result = await askWorker<LoadResult>(load, order)
  const after = readProcessGroup(server.pid)
  if (result.requests === 0) return fromLoad(result)
  return {
    ...fromLoad(result),
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / result.requests,
    peakMemoryMiB: after.peakMemoryMiB,
  }
}

const fromLoad = ({ elapsedMs, ...result }: LoadResult) => ({
  ...result,
  requestsPerSecond: (result.requests / elapsedMs) * 1000,
})
