import { useState } from 'react'
import { duration } from '../../format.ts'
import { costOf, dollars, nanoOfUsd } from '../money.ts'
import type { UsageSums } from '../wire.ts'
import { dayAsWords } from './period.ts'
import { GROUPS, rowId, rowName, sorted } from './usage-rows.ts'
import type { Usage } from './use-usage.ts'

const FIRST_ROWS = 25

const count = (amount: number): string => amount.toLocaleString('en')
const milliseconds = (value: number | null): string => (value === null ? '–' : duration(value))

/** Requests, tokens, cost, cache, errors and latency of each row, and of all together. */
export function UsageTable({ usage: { group, days, report } }: { usage: Usage }) {
  const [isWhole, setIsWhole] = useState(false)
  const rows = sorted(report.rows, group)
  const shown = isWhole ? rows : rows.slice(0, FIRST_ROWS)
  if (rows.length === 0) return <p className="mt-4 text-muted">No requests in this period.</p>
  return (
    <>
      <table
        className="items usage mt-5"
        aria-label={`Usage by ${group}, ${dayAsWords(days.from)} to ${dayAsWords(days.to)}`}
      >
        <thead>
          <tr>
            <th scope="col" className="w-[20%]">
              {GROUPS[group]}
            </th>
            <th scope="col" className="w-[11%]">
              Requests
            </th>
            <th scope="col" className="w-[16%]">
              Tokens in / out
            </th>
            <th scope="col" className="w-[17%]">
              Cost
            </th>
            <th scope="col" className="w-[13%]">
              Cache hits / saved
            </th>
            <th scope="col" className="w-[9%]">
              Errors
            </th>
            <th scope="col">Latency p50 / p95</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(row => (
            <SumsRow key={rowId(row, group)} name={rowName(row, group)} sums={row} />
          ))}
        </tbody>
        <tfoot>
          <SumsRow name="All together" sums={report.total} />
        </tfoot>
      </table>
      {shown.length < rows.length && (
        <button type="button" className="outline-button mt-3" onClick={() => setIsWhole(true)}>
          Show all {count(rows.length)} rows
        </button>
      )}
    </>
  )
}

function SumsRow({ name, sums }: { name: string; sums: UsageSums }) {
  const { requests, tokens, cacheHits, savedUsd, errors, latencyMs } = sums
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-label="Requests">{count(requests)}</td>
      <td data-label="Tokens in / out">
        <Pair>{[count(tokens.input), count(tokens.output)]}</Pair>
      </td>
      <td data-label="Cost">{costOf(sums)}</td>
      <td data-label="Cache hits / saved">
        <Pair>{[count(cacheHits), dollars(nanoOfUsd(savedUsd))]}</Pair>
      </td>
      <td data-label="Errors">{count(errors)}</td>
      <td data-label="Latency p50 / p95">
        <Pair>{[milliseconds(latencyMs.p50), milliseconds(latencyMs.p95)]}</Pair>
      </td>
    </tr>
  )
}

/** Two figures that a narrow column shows below each other. */
function Pair({ children: [first, second] }: { children: readonly [string, string] }) {
  return (
    <>
      <span className="whitespace-nowrap">{first}</span> / <span className="whitespace-nowrap">{second}</span>
    </>
  )
}
