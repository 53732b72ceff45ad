import { CompiledQuery } from 'kysely'
import type { RecordsDialect } from '../storage/records/records.ts'

const RETURNED = 'returning scope, period, spent, reserved'
const RESERVED =
  'on conflict (scope, period) do update set reserved = budget_counters.reserved + excluded.reserved'
const OF_COUNTER = 'where scope = ? and period = ?'

/** The statements of a reservation, with `?` for each parameter. */
const STATEMENTS = {
  hold: `insert into budget_holds (id, process, state, expires_at, day, scopes, nano)
    values (?, ?, 'held', ?, ?, ?, ?)`,
  reserve: `insert into budget_counters (scope, period, spent, reserved) values (?, ?, 0, ?) ${RESERVED} ${RETURNED}`,
  reserveWithin: `insert into budget_counters (scope, period, spent, reserved) values (?, ?, 0, ?) ${RESERVED}
    where budget_counters.spent + budget_counters.reserved <= ? ${RETURNED}`,
  settle: `update budget_counters set spent = spent + ?, reserved = reserved - ? ${OF_COUNTER} ${RETURNED}`,
  remove: 'delete from budget_holds where id = ? and state = ?',
  expire: `update budget_holds set state = 'expired' where id = ? and state = 'held' and expires_at < ?`,
  create: `insert into budget_counters (scope, period, spent, reserved) values (?, ?, ?, 0)
    on conflict (scope, period) do nothing`,
  createOrRaise: `insert into budget_counters (scope, period, spent, reserved) values (?, ?, ?, 0)
    on conflict (scope, period) do update set spent = excluded.spent, corrections = budget_counters.corrections + 1
    where budget_counters.spent < excluded.spent`,
  raise: `update budget_counters set spent = spent + ?, corrections = corrections + 1
    ${OF_COUNTER} and corrections = ?`,
  notice: `update budget_counters set noticed_at = ?, noticed_limit = ? ${OF_COUNTER}
    and (noticed_at is null or noticed_limit < ?)`,
} as const

type Statement = keyof typeof STATEMENTS

const numbered = (text: string): string => {
  let number = 0
  return text.replaceAll('?', () => {
    number += 1
    return `$${number}`
  })
}

/** The statements of a reservation as texts that are the same for every call, so that none is built for each. */
export const holdStatements = (dialect: RecordsDialect) => {
  const textOf = (name: Statement): string =>
    dialect === 'sqlite' ? STATEMENTS[name] : numbered(STATEMENTS[name])
  const texts = Object.fromEntries(
    Object.keys(STATEMENTS).map(name => [name, textOf(name as Statement)]),
  ) as Readonly<Record<Statement, string>>
  return (name: Statement, ...parameters: readonly (string | number)[]): CompiledQuery =>
    CompiledQuery.raw(texts[name], [...parameters])
}
