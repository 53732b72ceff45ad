import { useEffect, useRef, useState } from 'react'
import { call } from '../../gateway/call.ts'
import type { Item, ItemState, Job } from '../../gateway/job-wire.ts'

const PAGE = 20
/** The minimum interval between requests for a batch's items. */
const LEAST_MS = 3_000
const NOT_FOUND = 404

export type ItemsPage = { items: Item[]; nextCursor: string | null }

/** One page of a batch's items, reloaded as the batch progresses; the previous page stays visible until then. */
export function useItems(
  { id, counts }: Job,
  state: ItemState | undefined,
  cursor: string | undefined,
  onMissing: () => void,
) {
  const [page, setPage] = useState<ItemsPage>()
  const [error, setError] = useState<string>()
  const askedAt = useRef({ query: '', at: 0 })

  const query = new URLSearchParams({ limit: `${PAGE}`, ...(state && { state }), ...(cursor && { cursor }) })
  const path = `/api/batch/jobs/${id}?${query}`
  const countsKey = Object.values(counts).join()

  // biome-ignore lint/correctness/useExhaustiveDependencies: the batch's state decides when to reload
  useEffect(() => {
    const outdated = new AbortController()
    const last = askedAt.current
    const waitMs = last.query === path ? Math.max(0, last.at + LEAST_MS - Date.now()) : 0
    const timer = setTimeout(async () => {
      askedAt.current = { query: path, at: Date.now() }
      const { value, failure } = await call<ItemsPage>(path, { signal: outdated.signal })
      if (outdated.signal.aborted) return
      setError(failure?.message)
      if (failure?.status === NOT_FOUND) onMissing()
      if (value) setPage(value)
    }, waitMs)
    return () => {
      clearTimeout(timer)
      outdated.abort()
    }
  }, [path, countsKey])

  return { page, error }
}
