/** The types of `/api/evaluations`, as their public contract defines them. */

export type Interval = { value: number; low: number; high: number }

export type Run = {
  id: string
  name: string
  state: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled'
  dataset: { id: string; name: string; rows: number }
  counts: { total: number; succeeded: number; failed: number }
  progress: number
  variants: { name: string; model: string }[]
  threshold: number | null
  costUsd: number
  createdAt: string
}

export type VariantReport = {
  name: string
  model: string
  rows: number
  failures: number
  score: Interval | null
  passRate: Interval | null
  graders: { name: string; score: Interval | null }[]
  costUsd: number | null
  latencyMs: { p50: number | null; p95: number | null }
  wins: number
  ties: number
  losses: number
}

export type Report = { passed: boolean | null; threshold: number | null; variants: VariantReport[] }

export const isOpen = ({ state }: Run): boolean => state === 'queued' || state === 'running'
