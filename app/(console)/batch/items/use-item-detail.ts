import { useEffect, useState } from 'react'
import { call } from '../../gateway/call.ts'
import type { Item, ItemDetail } from '../../gateway/job-wire.ts'

/** An item whole, loaded when it is opened and again whenever its state changes. */
export function useItemDetail(jobId: string, { index, state, attempts }: Item) {
  const [detail, setDetail] = useState<ItemDetail>()
  const [error, setError] = useState<string>()
  const version = `${state} ${attempts}`

  useEffect(() => {
    const outdated = new AbortController()
    const path = `/api/batch/jobs/${jobId}/items/${index}`
    void call<ItemDetail>(path, { signal: outdated.signal }).then(({ value, failure }) => {
      if (outdated.signal.aborted || !version) return
      setError(failure?.message)
      if (value) setDetail(value)
    })
    return () => outdated.abort()
  }, [jobId, index, version])

  return { detail, error }
}
