import { useCallback, useEffect, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { useAdminApi } from '../admin-api.ts'
import type { UsageReport } from '../wire.ts'
import type { Days } from './period.ts'
import { type Group, usagePath } from './usage-rows.ts'

/** Usage as it was last loaded: by the group, and by day. */
export type Usage = { group: Group; days: Days; report: UsageReport; daily: UsageReport }

/** The usage of a period by a group; the previous one stays visible until it is loaded. */
export function useUsage(group: Group, { from, to }: Days) {
  const { call } = useAdminApi()
  const [usage, setUsage] = useState<Usage>()
  const [failure, setFailure] = useState<Failure>()
  const [isLoading, setIsLoading] = useState(true)

  const load = useCallback(
    async (signal?: AbortSignal) => {
      setIsLoading(true)
      const days = { from, to }
      const get = (by: Group) => call<UsageReport>(usagePath(by, days), signal && { signal })
      const grouped = get(group)
      const [report, daily] = await Promise.all([grouped, group === 'day' ? grouped : get('day')])
      if (signal?.aborted) return
      setIsLoading(false)
      setFailure(report.failure ?? daily.failure)
      if (report.value && daily.value) setUsage({ group, days, report: report.value, daily: daily.value })
    },
    [call, group, from, to],
  )

  useEffect(() => {
    const outdated = new AbortController()
    void load(outdated.signal)
    return () => outdated.abort()
  }, [load])

  return { usage, failure, isLoading, reload: () => void load() }
}
