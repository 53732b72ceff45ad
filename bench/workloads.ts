export type WorkloadName = 'json' | 'stream' | 'stream-paced'

export type Workload = {
  name: WorkloadName
  title: string
  stream: boolean
  /** The fake upstream's path for this workload; becomes the target's base URL. */
  upstreamPath: string
  /** How many requests warm a server up, so that all are equally compiled when measured. */
  warmupRequests: number
}

export const workloads: readonly Workload[] = [
  { name: 'json', title: 'JSON answer', stream: false, upstreamPath: '/v1', warmupRequests: 15_000 },
  {
    name: 'stream',
    title: '50-chunk stream, written in one go',
    stream: true,
    upstreamPath: '/v1',
    warmupRequests: 6_000,
  },
  {
    name: 'stream-paced',
    title: '50-chunk stream, 1 ms apart',
    stream: true,
    upstreamPath: '/paced/v1',
    warmupRequests: 500,
  },
]
