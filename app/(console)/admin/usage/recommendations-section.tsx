import { useCallback, useEffect, useState } from 'react'
import { plural } from '../../format.ts'
import type { Failure } from '../../gateway/wire.ts'
import { useAdminApi } from '../admin-api.ts'
import { FailureNotice } from '../failure-notice.tsx'
import { dollars } from '../money.ts'
import type { Recommendation, Recommendations } from '../wire.ts'
import { dayAsWords } from './period.ts'
import { figuresOf, KINDS } from './recommendation-words.ts'

/** What would have cost less, with the figures. */
export function RecommendationsSection() {
  const { call } = useAdminApi()
  const [report, setReport] = useState<Recommendations>()
  const [failure, setFailure] = useState<Failure>()
  const load = useCallback(async () => {
    const { value, failure: failed } = await call<Recommendations>('/api/admin/usage/recommendations')
    setReport(value)
    setFailure(failed)
  }, [call])
  useEffect(() => void load(), [load])

  return (
    <section aria-labelledby="recommendations" className="mt-12">
      <h2 id="recommendations" className="section-title">
        Recommendations
      </h2>
      {failure && <FailureNotice failure={failure} onRetry={() => void load()} />}
      {!report && !failure && <p className="mt-2 text-muted">Looking for savings…</p>}
      {report && (
        <>
          <p className="mt-1 text-sm text-muted">
            {report.recommendations.length === 0 && 'Nothing found. '}
            From {plural(report.requests, 'request')}, {dayAsWords(report.from)} to {dayAsWords(report.to)}.
          </p>
          <ul className="mt-3 flex flex-col gap-3">
            {report.recommendations.map(found => (
              <li key={[found.message, ...figuresOf(found)].join(' ')}>
                <RecommendationCard found={found} />
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function RecommendationCard({ found }: { found: Recommendation }) {
  const saving = BigInt(found.savingNanoUsd)
  return (
    <article className="job" aria-label={`${KINDS[found.kind]}: ${found.message}`}>
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-medium">{KINDS[found.kind]}</h3>
        {saving > 0n && <p className="text-sm font-medium tabular-nums">saves {dollars(saving)}</p>}
      </div>
      <p className="mt-1 text-[0.9375rem] leading-relaxed wrap-anywhere">{found.message}</p>
      <ul aria-label="Figures" className="facts mt-1 text-sm wrap-anywhere text-muted">
        {figuresOf(found).map(figure => (
          <li key={figure}>{figure}</li>
        ))}
      </ul>
    </article>
  )
}
