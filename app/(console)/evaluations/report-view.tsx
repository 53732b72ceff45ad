import { useEffect, useState } from 'react'
import { cost, duration } from '../format.ts'
import { pause } from '../gateway/pause.ts'
import type { Failure } from '../gateway/wire.ts'
import { DownloadIcon } from '../icons.tsx'
import { keyboardScroll } from '../scrolling-text.tsx'
import { fetchReport, retryAfterMs } from './evaluations-api.ts'
import { ScoreBar } from './score-bar.tsx'
import type { Interval, Report, Run, VariantReport } from './wire.ts'

const RETRY_MS = 5_000

const points = (value: number): string => value.toFixed(2)
const percent = (value: number): string => `${Math.round(value * 100)} %`
const milliseconds = (value: number | null): string => (value === null ? '–' : duration(value))

/** The variants of an evaluation side by side, by what has been graded so far. */
export function ReportView({ run }: { run: Run }) {
  const { report, failure } = useReport(run)
  // A report that is shown already stays: it is read again.
  if (!report && failure) return <p className="notice mt-3">{failure.message}</p>
  if (!report) return <p className="mt-3 text-muted">Loading report…</p>
  const path = `/api/evaluations/${run.id}/report`
  return (
    <div className="mt-4">
      <ul aria-label="Scores" className="flex flex-col gap-3">
        {report.variants.map(variant => (
          <li key={variant.name}>
            <p className="flex flex-wrap justify-between gap-x-4 text-sm">
              <span className="min-w-0 font-medium wrap-anywhere">{variant.name}</span>
              <span className="tabular-nums">{scoreAsWords(variant.score)}</span>
            </p>
            {variant.score && <ScoreBar score={variant.score} threshold={report.threshold} />}
          </li>
        ))}
      </ul>
      {report.threshold !== null && (
        <p className="mt-2 text-xs text-muted">
          Dashed line: the required score, {points(report.threshold)}.
        </p>
      )}
      <ReportTable report={report} name={run.name} />
      <p className="mt-3 flex flex-wrap gap-2">
        <a className="outline-button gap-1.5" download href={`${path}?format=csv`}>
          <DownloadIcon /> Report as CSV
        </a>
        <a className="outline-button gap-1.5" download href={`${path}?format=csv&by=row`}>
          <DownloadIcon /> Answers as CSV
        </a>
      </p>
    </div>
  )
}

function scoreAsWords(score: Interval | null): string {
  return score ? `${points(score.value)} (${points(score.low)} to ${points(score.high)})` : 'No score yet'
}

function ReportTable({ report, name }: { report: Report; name: string }) {
  const graders = report.variants[0]?.graders ?? []
  return (
    <section className="report-scroll mt-4" aria-label={`Report of ${name}`} {...keyboardScroll}>
      <table className="report">
        <thead>
          <tr>
            <th scope="col">Variant</th>
            <th scope="col">Passed</th>
            {graders.map(grader => (
              <th scope="col" key={grader.name}>
                {grader.name}
              </th>
            ))}
            <th scope="col">Won / tied / lost</th>
            <th scope="col">Failures</th>
            <th scope="col">Cost</th>
            <th scope="col">Latency p50 / p95</th>
          </tr>
        </thead>
        <tbody>
          {report.variants.map(variant => (
            <VariantRow key={variant.name} variant={variant} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function VariantRow({ variant }: { variant: VariantReport }) {
  const { name, passRate, graders, wins, ties, losses, failures, costUsd, latencyMs } = variant
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{passRate ? <Estimate of={passRate} as={percent} /> : '–'}</td>
      {graders.map(grader => (
        <td key={grader.name}>{grader.score ? <Estimate of={grader.score} as={points} /> : '–'}</td>
      ))}
      <td>
        {wins} / {ties} / {losses}
      </td>
      <td>{failures}</td>
      <td>{cost(costUsd)}</td>
      <td>
        {milliseconds(latencyMs.p50)} / {milliseconds(latencyMs.p95)}
      </td>
    </tr>
  )
}

function Estimate({ of: { value, low, high }, as }: { of: Interval; as: (value: number) => string }) {
  return (
    <>
      {as(value)}
      <small>
        {as(low)} to {as(high)}
      </small>
    </>
  )
}

function useReport({ id, counts }: Run) {
  const [report, setReport] = useState<Report>()
  const [failure, setFailure] = useState<Failure>()
  const ended = counts.succeeded + counts.failed
  useEffect(() => {
    const connection = new AbortController()
    const read = async () => {
      while (!connection.signal.aborted) {
        const { value, failure } = await fetchReport(id, connection.signal)
        if (connection.signal.aborted) return
        setFailure(failure)
        if (value) setReport(value)
        const pauseMs = failure && retryAfterMs(failure, RETRY_MS)
        if (pauseMs === undefined) return
        await pause(pauseMs, connection.signal)
      }
    }
    if (ended >= 0) void read()
    return () => connection.abort()
  }, [id, ended])
  return { report, failure }
}
