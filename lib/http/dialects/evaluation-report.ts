import { hash } from 'node:crypto'
import { BYTE_ORDER_MARK, type Cell, csvRow } from '../../batch/results.ts'
import type { Report } from '../../evaluation/report/types.ts'
import { mapInTurns } from '../../loop-turns.ts'
import type { RouteResponse } from '../route-response.ts'
import { type AnswerJson, type ReportJson, reportJson, reportRows } from './evaluation.ts'

type VariantJson = ReportJson['variants'][number]
type IntervalJson = VariantJson['score']

const intervalCells = (name: string, interval: IntervalJson): readonly (readonly [string, Cell])[] => [
  [name, interval?.value],
  [`${name}Low`, interval?.low],
  [`${name}High`, interval?.high],
]

const variantCells = (variant: VariantJson): readonly (readonly [string, Cell])[] => [
  ['variant', variant.name],
  ['model', variant.model],
  ['rows', variant.rows],
  ['failures', variant.failures],
  ...intervalCells('score', variant.score),
  ...intervalCells('passRate', variant.passRate),
  ['costUsd', variant.costUsd],
  ['gradingCostUsd', variant.gradingCostUsd],
  ['latencyMsP50', variant.latencyMs.p50],
  ['latencyMsP95', variant.latencyMs.p95],
  ['wins', variant.wins],
  ['ties', variant.ties],
  ['losses', variant.losses],
  ...variant.graders.flatMap(({ name, score, passRate }) => [
    ...intervalCells(`${name}.score`, score),
    ...intervalCells(`${name}.passRate`, passRate),
  ]),
]

const rowCells = (
  id: string,
  answer: AnswerJson,
  graders: readonly string[],
): readonly (readonly [string, Cell])[] => [
  ['row', id],
  ['variant', answer.variant],
  ['state', answer.state],
  ['score', answer.score],
  ['passed', answer.passed === undefined ? undefined : String(answer.passed)],
  ...graders.map(
    name => [`${name}.score`, answer.graders?.find(grade => grade.name === name)?.score] as const,
  ),
  ['costUsd', answer.costUsd],
  ['latencyMs', answer.latencyMs],
  ['answer', answer.answer],
  ['errorCode', answer.error?.code],
  ['errorMessage', answer.error?.message],
]

type Line = readonly (readonly [string, Cell])[]

const table = async (lines: readonly Line[]): Promise<string> =>
  [
    BYTE_ORDER_MARK,
    csvRow((lines[0] ?? []).map(([name]) => name)),
    ...(await mapInTurns(lines, line => csvRow(line.map(([, cell]) => cell)))),
  ].join('')

const csvOf = async (report: Report, json: ReportJson, by: 'variant' | 'row'): Promise<string> => {
  if (by === 'variant') return table(json.variants.map(variantCells))
  const graders = report.run.plan.graders.map(({ name }) => name)
  const lines = await mapInTurns(reportRows(report), ({ id, answers }) =>
    answers().map(one => rowCells(id, one, graders)),
  )
  return table(lines.flat())
}

/** The JSON text of a report, which may be long, row by row. */
const jsonOf = async (report: Report, json: ReportJson): Promise<string> => {
  const rows = await mapInTurns(reportRows(report), ({ id, answers }) =>
    JSON.stringify({ id, answers: answers() }),
  )
  return `${JSON.stringify(json).slice(0, -1)},"rows":[${rows.join(',')}]}`
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, found => ESCAPES[found] ?? '')

const PERCENT = 100
const DIGITS = 3

const share = (interval: IntervalJson): string =>
  interval
    ? `${(interval.value * PERCENT).toFixed(1)} % <small>${(interval.low * PERCENT).toFixed(1)} to ${(interval.high * PERCENT).toFixed(1)}</small>`
    : '–'

const points = (interval: IntervalJson): string =>
  interval
    ? `${interval.value.toFixed(DIGITS)} <small>${interval.low.toFixed(DIGITS)} to ${interval.high.toFixed(DIGITS)}</small>`
    : '–'

const milliseconds = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`)

const cells = (variant: VariantJson): readonly string[] => [
  points(variant.score),
  share(variant.passRate),
  ...variant.graders.map(({ score }) => points(score)),
  String(variant.failures),
  variant.costUsd === null ? 'unknown' : `$${variant.costUsd}`,
  milliseconds(variant.latencyMs.p50),
  milliseconds(variant.latencyMs.p95),
  `${variant.wins} / ${variant.ties} / ${variant.losses}`,
]

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c1a17;background:#fdfcfa}table{border-collapse:collapse;width:100%}.scroll{overflow-x:auto}th,td{padding:.5rem .75rem;text-align:right;border-bottom:1px solid #ddd8cf;white-space:nowrap}th:first-child,td:first-child{text-align:left}small{color:#6b655c}@media(prefers-color-scheme:dark){body{color:#ece8e1;background:#191714}th,td{border-color:#3a362f}small{color:#a8a195}}'

const verdictOf = ({ passed, threshold, state }: ReportJson): string => {
  if (passed !== null)
    return passed
      ? `Passed: every score is at least ${threshold}.`
      : `Not passed: a score is below ${threshold}.`
  return state === 'running' || state === 'queued' ? 'Not finished yet.' : ''
}

const htmlOf = (report: ReportJson): string => {
  const graders = (report.variants[0]?.graders ?? []).map(({ name }) => name)
  const columns = [
    'Variant',
    'Score',
    'Pass rate',
    ...graders,
    'Failures',
    'Cost',
    'p50',
    'p95',
    'Wins / ties / losses',
  ]
  const title = escaped(report.name)
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${STYLE}</style></head>
<body><main><h1>${title}</h1>
<p>${escaped(report.dataset.name)}, ${report.dataset.rows} rows. State: ${report.state}. ${verdictOf(report)}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Variants"><table><thead><tr>${columns.map(name => `<th scope="col">${escaped(name)}</th>`).join('')}</tr></thead>
<tbody>${report.variants
    .map(
      variant =>
        `<tr><th scope="row">${escaped(variant.name)}<br><small>${escaped(variant.model)}</small></th>${cells(
          variant,
        )
          .map(cell => `<td>${cell}</td>`)
          .join('')}</tr>`,
    )
    .join('\n')}</tbody></table></div>
<p><small>Intervals are of 95 % confidence: bootstrap for scores, Wilson for pass rates. A row whose answer failed has the score 0.</small></p>
</main></body></html>
`
}

const HTML_POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; frame-ancestors 'none'`

export type ReportOptions = Readonly<{ format: 'json' | 'csv' | 'html'; by: 'variant' | 'row' }>

/** A report as JSON, as a page, or as a table for spreadsheets with a line for each variant or each answer. */
export const reportResponse = async (
  report: Report,
  { format, by }: ReportOptions,
): Promise<RouteResponse> => {
  const json = reportJson(report)
  if (format === 'json')
    return { text: { type: 'application/json; charset=utf-8', body: await jsonOf(report, json) } }
  if (format === 'html')
    return {
      text: { type: 'text/html; charset=utf-8', body: htmlOf(json) },
      headers: { 'content-security-policy': HTML_POLICY },
    }
  return {
    text: { type: 'text/csv; charset=utf-8; header=present', body: await csvOf(report, json, by) },
    headers: { 'content-disposition': `attachment; filename="${json.id}.csv"` },
  }
}
