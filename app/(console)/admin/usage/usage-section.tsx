import { useState } from 'react'
import { DownloadIcon } from '../../icons.tsx'
import { FailureNotice } from '../failure-notice.tsx'
import { CostChart } from './cost-chart.tsx'
import { type Days, daysOf, type Period } from './period.ts'
import { PeriodPicker } from './period-picker.tsx'
import { GROUPS, type Group, usagePath } from './usage-rows.ts'
import { UsageTable } from './usage-table.tsx'
import { useUsage } from './use-usage.ts'

/** The usage of a chosen period: a chart of its cost by day, and a table by a chosen group. */
export function UsageSection() {
  const [period, setPeriod] = useState<Period>('30-days')
  const [days, setDays] = useState<Days>(() => daysOf('30-days', Date.now()))
  const [group, setGroup] = useState<Group>('model')
  const { usage, failure, isLoading, reload } = useUsage(group, days)

  function choose(chosen: Period) {
    setPeriod(chosen)
    if (chosen !== 'own') setDays(daysOf(chosen, Date.now()))
  }

  return (
    <section aria-labelledby="usage" className="mt-12" aria-busy={isLoading}>
      <h2 id="usage" className="section-title">
        Usage
      </h2>
      <div className="mt-3 flex flex-wrap items-end gap-3">
        <PeriodPicker period={period} days={days} onPeriod={choose} onDays={setDays} />
        <label className="field">
          By
          <select value={group} onChange={event => setGroup(event.target.value as Group)}>
            {Object.entries(GROUPS).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <a className="outline-button gap-1.5" download href={usagePath(group, days, 'csv')}>
          <DownloadIcon /> CSV
        </a>
      </div>
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {!usage && !failure && <p className="mt-3 text-muted">Loading usage…</p>}
      {usage && (
        <>
          <CostChart usage={usage} />
          <UsageTable key={usage.group} usage={usage} />
        </>
      )}
    </section>
  )
}
