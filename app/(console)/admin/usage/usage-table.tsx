import { type ReactNode, useState } from 'react'
import { duration } from '../../format.ts'
import { costOf, dollars, nanoOfUsd } from '../money.ts'
import type { UsageSums } from '../wire.ts'
import { dayAsWords } from './period.ts'
import { GROUPS, rowId, rowName, sorted } from './usage-rows.ts'
import type { Usage } from './use-usage.ts'

const FIRST_ROWS = 25

const count = (amount: number): string => amount.toLocaleString('en')
const milliseconds = (value: number | null): string => (value === null ? '–' : duration(value))

type Column = Readonly<{ label: string; width?: string; value: (sums: UsageSums) => ReactNode }>

const COLUMNS: readonly Column[] = [
  { label: 'Requests', width: 'w-[11%]', value: ({ requests }) => count(requests) },
  {
    label: 'Tokens in / out',
    width: 'w-[16%]',
    value: ({ tokens }) => <Pair>{[count(tokens.input), count(tokens.output)]}</Pair>,
  },
  { label: 'Cost', width: 'w-[17%]', value: costOf },
  {
    label: 'Cache hits / saved',
    width: 'w-[13%]',
    value: ({ cacheHits, savedUsd }) => <Pair>{[count(cacheHits), dollars(nanoOfUsd(savedUsd))]}</Pair>,
  },
  { label: 'Errors', width: 'w-[9%]', value: ({ errors }) => count(errors) },
  {
    label: 'Latency p50 / p95',
    value: ({ latencyMs }) => <Pair>{[milliseconds(latencyMs.p50), milliseconds(latencyMs.p95)]}</Pair>,
  },
]

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
            {COLUMNS.map(({ label, width }) => (
              <th key={label} scope="col" className={width}>
                {label}
              </th>
            ))}
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
  return (
    <tr>
      <th scope="row">{name}</th>
      {COLUMNS.map(({ label, value }) => (
        <td key={label} data-label={label}>
          {value(sums)}
        </td>
      ))}
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
