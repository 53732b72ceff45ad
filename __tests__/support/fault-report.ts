import type { ClientCall } from './fault-clients.ts'
import type { Booked, FaultBooks } from './fault-upstream.ts'

/** Rows of the ledger, as they are in the database. */
export type AttemptOnDisk = Readonly<{
  request_id: string
  outcome: string
  cost_nano: number
  output: number
  estimated: number
}>
export type RequestOnDisk = Readonly<{ request_id: string; outcome: string }>
export type LedgerOnDisk = Readonly<{
  attempts: readonly AttemptOnDisk[]
  requests: readonly RequestOnDisk[]
}>

/** How long before a SIGKILL a row may have been due and yet not written. */
export const MOST_LOST_MS = 100
const BYTES_PER_TOKEN = 4

export type FaultReport = {
  readonly faults: string[]
  calls: number
  completed: number
  left: number
  /** Calls whose gateway was killed before it had sent the answer’s end; and those of them that the upstream completed. */
  cutByKill: number
  completedButCut: number
  /** Answers that the upstream completed, and that the gateway had no more time for: its client got 504. */
  completedTooLate: number
  /** Rows of attempts that cost, and of requests, that were due when a SIGKILL came and are not there. */
  lostAttempts: number
  lostRequests: number
  /** The longest time between the end of an answer whose charge is lost and the SIGKILL. */
  oldestLostMs: number
}

const byId = <Row extends { readonly request_id: string }>(rows: readonly Row[]): Map<string, Row[]> => {
  const found = new Map<string, Row[]>()
  for (const row of rows) {
    const rowsOfId = found.get(row.request_id)
    if (rowsOfId) rowsOfId.push(row)
    else found.set(row.request_id, [row])
  }
  return found
}

const isCompleted = ({ finishedAt }: Booked): boolean => finishedAt !== undefined

/** Its end was not sent before the SIGKILL, or it left so late that its row was not due. */
const wasCutByKill = ({ life, endedAt, leftAt }: ClientCall): boolean =>
  life.killedAt !== undefined && (endedAt ?? leftAt ?? Number.POSITIVE_INFINITY) > life.killedAt

const faultOfCost = (
  call: ClientCall,
  booked: readonly Booked[],
  rows: readonly AttemptOnDisk[],
  report: FaultReport,
): string | undefined => {
  const complete = booked.filter(isCompleted)
  const charged = rows.filter(({ cost_nano: nano }) => nano > 0)
  if (charged.length > booked.length) return `${charged.length} charges for ${booked.length} calls`
  if (call.leftAt === undefined) {
    const exact = rows.filter(({ estimated }) => estimated === 0).reduce((sum, row) => sum + row.cost_nano, 0)
    const owed = complete.reduce((sum, { nano }) => sum + nano, 0)
    const isTooLate = call.status === 504 && exact < owed
    if (isTooLate) report.completedTooLate += 1
    else if (exact !== owed) return `${exact} nanodollars in place of ${owed}`
  }
  const written = booked.reduce((sum, { textBytes }) => sum + textBytes, 0)
  const guessed = charged.filter(({ estimated }) => estimated === 1)
  const most = Math.ceil(written / BYTES_PER_TOKEN) + guessed.length
  const output = guessed.reduce((sum, row) => sum + row.output, 0)
  if (output > most) return `${output} estimated tokens of ${written} bytes`
  const isGuessed = guessed.length > 0 && complete.length === 0
  if (isGuessed && output < Math.floor(call.textBytes / BYTES_PER_TOKEN))
    return `${output} estimated tokens, though ${call.textBytes} bytes were delivered`
  return undefined
}

const newReport = (calls: number): FaultReport => ({
  faults: [],
  calls,
  completed: 0,
  left: 0,
  cutByKill: 0,
  completedButCut: 0,
  completedTooLate: 0,
  lostAttempts: 0,
  lostRequests: 0,
  oldestLostMs: 0,
})

/** A call of which rows are missing: lost with its process, or never known to it. Otherwise it is a fault. */
const explainMissing = (
  call: ClientCall,
  booked: readonly Booked[],
  hasAttempts: boolean,
  report: FaultReport,
): string | undefined => {
  const { life, leftAt } = call
  if (wasCutByKill(call)) {
    report.cutByKill += 1
    if (booked.some(isCompleted)) report.completedButCut += 1
    return undefined
  }
  // Before its request was read.
  if (leftAt !== undefined && booked.length === 0) return undefined
  if (life.killedAt === undefined) return 'no row of a request'
  report.lostRequests += 1
  if (hasAttempts || !booked.some(isCompleted)) return undefined
  report.lostAttempts += 1
  const end = call.endedAt ?? booked.at(-1)?.abandonedAt ?? leftAt ?? 0
  report.oldestLostMs = Math.max(report.oldestLostMs, Math.round(life.killedAt - end))
  return undefined
}

/** Compares the clients' and the upstream's books with the ledger, call by call. */
export const reportOf = (
  calls: readonly ClientCall[],
  books: FaultBooks,
  ledger: LedgerOnDisk,
): FaultReport => {
  const [attempts, requests] = [byId(ledger.attempts), byId(ledger.requests)]
  const report = newReport(calls.length)
  for (const call of calls) {
    const booked = books.of(call.id)
    const rows = attempts.get(call.id) ?? []
    const requestRows = requests.get(call.id) ?? []
    if (booked.some(isCompleted)) report.completed += 1
    if (call.leftAt !== undefined) report.left += 1
    const isMissing = requestRows.length === 0
    const fault = isMissing
      ? explainMissing(call, booked, rows.length > 0, report)
      : requestRows.length > 1
        ? 'more than one row of a request'
        : faultOfCost(call, booked, rows, report)
    if (fault !== undefined)
      report.faults.push(`${fault}: ${JSON.stringify({ call, booked, rows, requestRows })}`)
  }
  const known = new Set(calls.map(({ id }) => id))
  for (const id of requests.keys())
    if (!known.has(id)) report.faults.push(`a row of an unknown request ${id}`)
  return report
}
