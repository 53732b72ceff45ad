import { candidates } from '../targets/index.ts'
import type { TargetName } from '../targets/target.ts'
import { workloads } from '../workloads.ts'
import { cpuRatio, type Summary } from './summary.ts'

type Column = { title: string; cell(row: Summary, all: readonly Summary[]): string }

const unknown = '–'
const number = (value: number | undefined, digits = 0) =>
  value === undefined
    ? unknown
    : value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })

const ratioTo = (other: TargetName): Column => ({
  title: `CPU × ${other}`,
  cell: ({ target, workload }, all) => number(cpuRatio(all, workload, target, other), 2),
})

const columns: readonly Column[] = [
  { title: 'requests/s', cell: row => number(row.requestsPerSecond) },
  { title: 'p50 ms', cell: row => number(row.p50Ms, 2) },
  { title: 'p99 ms', cell: row => number(row.p99Ms, 2) },
  { title: 'CPU µs/request', cell: row => number(row.cpuMicrosPerRequest) },
  {
    title: 'lowest–highest',
    cell: row => row.cpuMicrosRange?.map(value => number(value)).join('–') ?? unknown,
  },
  ratioTo('bare'),
  ratioTo('portkey'),
  { title: 'peak MiB', cell: row => number(row.peakMemoryMiB) },
]

/** The tables of a run, one to a workload. */
export function formatTables(summaries: readonly Summary[]): string {
  return workloads
    .flatMap(({ name, title }) => {
      const rows = summaries.filter(({ workload }) => workload === name)
      return rows.length === 0 ? [] : [`${title} (${name})\n${formatTable(rows)}`]
    })
    .join('\n\n')
}

function formatTable(rows: readonly Summary[]): string {
  const header = ['', ...columns.map(({ title }) => title)]
  const body = rows.map(row => [titleOf(row), ...columns.map(({ cell }) => cell(row, rows))])
  const lines = [header, ...body]
  const widths = header.map((_, at) => Math.max(...lines.map(line => line[at]?.length ?? 0)))
  return lines
    .map(line => `  ${line.map((text, at) => pad(text, at, widths[at] ?? 0)).join('  ')}`)
    .join('\n')
}

const pad = (text: string, at: number, width: number) =>
  at === 0 ? text.padEnd(width) : text.padStart(width)

function titleOf({ target, failures, requests, warm }: Summary): string {
  const title = candidates.find(({ name }) => name === target)?.title ?? target
  if (failures > 0) return `${target}: FAILED (${failures} times, ${requests} answers)`
  return `${target}: ${title}${warm ? '' : ' (not warm)'}`
}
