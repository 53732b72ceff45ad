export type WorkloadName = 'json' | 'stream' | 'stream-paced'

export type Workload = {
  name: WorkloadName
  title: string
  stream: boolean
  /** Where the fake upstream speaks this way; becomes the base URL a target is given. */
  upstreamPath: string
  /** How many requests a server gets before it is measured, so that all are compiled as far when it counts. */
  warmupRequests: number
}

export const workloads: readonly Workload[] = [
  { name: 'json', title: 'JSON answer', stream: false, upstreamPath: '/v1', warmupRequests: 5000 },
  {
    name: 'stream',
    title: '50-chunk stream, written in one go',
    stream: true,
    upstreamPath: '/v1',
    warmupRequests: 2000,
  },
  {
    name: 'stream-paced',
    title: '50-chunk stream, 1 ms apart',
    stream: true,
    upstreamPath: '/paced/v1',
    warmupRequests: 500,
  },
]
