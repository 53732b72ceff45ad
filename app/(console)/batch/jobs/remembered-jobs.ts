import type { Job } from '../../gateway/job-wire.ts'
import { parsedJson } from '../../gateway/parsed-json.ts'

const KEY = 'parley-batches'
const MOST = 50
/** Batches that ended longer ago may have been deleted by the gateway. */
const DAY_MS = 86_400_000

/** A batch that this browser has seen. */
export type Remembered = { id: string; name: string; endedAt: string | null }

type Memory = Pick<Storage, 'getItem' | 'setItem'>

/** This browser's storage; undefined where it is refused. */
export function browserMemory(): Memory | undefined {
  try {
    return localStorage
  } catch {
    return undefined
  }
}

/** The batches that this browser has seen and that are not in a complete list of its session's batches. */
export function missingJobs(
  listed: readonly Pick<Job, 'id'>[],
  now: number,
  memory: Memory | undefined,
): readonly Remembered[] {
  const ids = new Set(listed.map(({ id }) => id))
  return remembered(memory).filter(
    ({ id, endedAt }) => !ids.has(id) && (endedAt === null || now - Date.parse(endedAt) < DAY_MS),
  )
}

export function rememberJobs(jobs: readonly Job[], memory: Memory | undefined): void {
  const known = remembered(memory)
  const seen = new Set(jobs.map(({ id }) => id))
  const others = known.filter(({ id }) => !seen.has(id))
  const own = jobs.map(({ id, name, endedAt }) => ({ id, name, endedAt }))
  store([...own, ...others].slice(0, MOST), known, memory)
}

export function forgetJobs(ids: readonly string[], memory: Memory | undefined): void {
  const known = remembered(memory)
  const left = known.filter(({ id }) => !ids.includes(id))
  store(left, known, memory)
}

function remembered(memory: Memory | undefined): readonly Remembered[] {
  const stored = parsedJson(memory?.getItem(KEY) ?? '[]')
  return Array.isArray(stored) ? stored.filter(isRemembered) : []
}

function store(jobs: readonly Remembered[], before: readonly Remembered[], memory: Memory | undefined): void {
  const text = JSON.stringify(jobs)
  if (text === JSON.stringify(before)) return
  try {
    memory?.setItem(KEY, text)
  } catch {}
}

function isRemembered(value: unknown): value is Remembered {
  const { id, name, endedAt } = (value ?? {}) as Partial<Remembered>
  return (
    typeof id === 'string' && typeof name === 'string' && (endedAt === null || typeof endedAt === 'string')
  )
}
