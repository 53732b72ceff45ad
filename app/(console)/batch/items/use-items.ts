import { useEffect, useEffectEvent, useRef, useState } from 'react'
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
  const asked = useRef({ path: '', at: 0 })
  const shown = useRef('')

  const query = new URLSearchParams({ limit: `${PAGE}`, ...(state && { state }), ...(cursor && { cursor }) })
  const path = `/api/batch/jobs/${id}?${query}`
  const progress = Object.values(counts).join()

  const take = useEffectEvent(({ value, failure }: Awaited<ReturnType<typeof call<ItemsPage>>>) => {
    setError(failure?.message)
    if (failure?.status === NOT_FOUND) onMissing()
    if (value) setPage(value)
  })

  useEffect(() => {
    const version = `${path} ${progress}`
    if (version === shown.current) return
    const outdated = new AbortController()
    const last = asked.current
    const waitMs = last.path === path ? Math.max(0, last.at + LEAST_MS - Date.now()) : 0
    const timer = setTimeout(async () => {
      asked.current = { path, at: Date.now() }
      const result = await call<ItemsPage>(path, { signal: outdated.signal })
      if (outdated.signal.aborted) return
      if (result.value) shown.current = version
      take(result)
    }, waitMs)
    return () => {
      clearTimeout(timer)
      outdated.abort()
    }
  }, [path, progress])

  return { page, error }
}
