import { CompiledQuery } from 'kysely'
import type { RecordsDialect } from '../storage/records/records.ts'
import { BUCKETS } from './histogram.ts'

/** A table's columns: their names and types, which both databases know. */
export type Columns = Readonly<Record<string, 'text' | 'bigint'>>
export type Row<C extends Columns> = Readonly<{
  [Name in keyof C]: (C[Name] extends 'text' ? string : number) | null
}>

const TOKENS = {
  input: 'bigint',
  cached: 'bigint',
  written: 'bigint',
  written_1h: 'bigint',
  output: 'bigint',
  reasoning: 'bigint',
  audio_input: 'bigint',
  audio_output: 'bigint',
  image_input: 'bigint',
} as const

const CALL = {
  id: 'text',
  request_id: 'text',
  at: 'bigint',
  ended_at: 'bigint',
  owner: 'text',
  caller: 'text',
  key_id: 'text',
  key_name: 'text',
  route: 'text',
  surface: 'text',
  model_asked: 'text',
  provider: 'text',
  model: 'text',
  arm: 'text',
  outcome: 'text',
  code: 'text',
  latency_ms: 'bigint',
  first_content_ms: 'bigint',
  ...TOKENS,
  /** Null where the price is unknown. */
  cost_nano: 'bigint',
  estimated: 'bigint',
} as const

/** One attempt that may cost something. */
const ATTEMPT_COLUMNS = {
  ...CALL,
  /** The id of its request's row. */
  request: 'text',
  vendor_model: 'text',
  /** What is billed in place of tokens. */
  unit: 'text',
  units: 'bigint',
  /** Nanodollars by the provider's own report, and by the price table in addition; null where it reports none. */
  reported_nano: 'bigint',
  computed_nano: 'bigint',
  price_version: 'text',
  tier: 'text',
  /** The digest of its prompt's beginning, where a vendor's cache would have taken it and did not. */
  prefix: 'text',
  prefix_tokens: 'bigint',
} as const

/** One request, with the tokens of its answer and the cost of all its attempts. */
const REQUEST_COLUMNS = {
  ...CALL,
  /** `request`, `batch-item` or `refresh`. */
  kind: 'text',
  cache: 'text',
  attempts: 'bigint',
  status: 'bigint',
  saved_nano: 'bigint',
  /** The digest of what was asked, by whom; null where the answer might not come from the cache. */
  question: 'text',
  /** JSON of what else is known. */
  detail: 'text',
} as const

const SUMS = [
  'requests',
  'errors',
  'hits',
  'attempts',
  'unpriced',
  'input',
  'cached',
  'written',
  'output',
  'reasoning',
  'cost_nano',
  'saved_nano',
] as const
export type Sum = (typeof SUMS)[number]

const bucketsOf = (prefix: 'latency' | 'first'): readonly string[] =>
  Array.from({ length: BUCKETS }, (_, bucket) => `${prefix}_${bucket}`)

export const LATENCY_BUCKETS = bucketsOf('latency')
export const FIRST_BUCKETS = bucketsOf('first')
/** Columns whose values are added up. */
export const ADDED: readonly string[] = [...SUMS, ...LATENCY_BUCKETS, ...FIRST_BUCKETS]
const LEAST = ['latency_min', 'first_min']
const GREATEST = ['latency_max', 'first_max']

/** What a row of the roll-up is about. `span`: the milliseconds from `start` that it covers. */
export const ROLLUP_KEY = ['span', 'start', 'owner', 'key_id', 'provider', 'model'] as const

const bigints = (names: readonly string[]): Columns => Object.fromEntries(names.map(name => [name, 'bigint']))

const ROLLUP_COLUMNS: Columns = {
  span: 'bigint',
  start: 'bigint',
  owner: 'text',
  key_id: 'text',
  provider: 'text',
  model: 'text',
  key_name: 'text',
  ...bigints([...ADDED, ...LEAST, ...GREATEST]),
}

/** What is left of a row of the roll-up when it is no longer known whose it was. */
const FOLDED: Readonly<Record<string, string>> = { owner: `''`, key_id: `''`, key_name: 'null' }

const names = (columns: Columns): string => Object.keys(columns).join(', ')

const sqliteInsertion = (table: string, columns: Columns): string => {
  const values = Object.keys(columns).map(() => '?')
  return `insert into ${table} (${names(columns)}) values (${values.join(', ')})`
}

const postgresInsertion = (table: string, columns: Columns): string => {
  const values = Object.values(columns).map((type, index) => `(value ->> ${index})::${type}`)
  return `insert into ${table} (${names(columns)}) select ${values.join(', ')}
    from json_array_elements($1::json) as source(value) where true`
}

const insertion = (table: string, columns: Columns, dialect: RecordsDialect): string =>
  dialect === 'sqlite' ? sqliteInsertion(table, columns) : postgresInsertion(table, columns)

const nearer = (name: string, sign: '<' | '>'): string =>
  `${name} = case when ledger_rollups.${name} is null or excluded.${name} ${sign} ledger_rollups.${name} then excluded.${name} else ledger_rollups.${name} end`

const addition = (): string =>
  [
    'key_name = coalesce(excluded.key_name, ledger_rollups.key_name)',
    ...ADDED.map(name => `${name} = ledger_rollups.${name} + excluded.${name}`),
    ...LEAST.map(name => nearer(name, '<')),
    ...GREATEST.map(name => nearer(name, '>')),
  ].join(', ')

/** The values of a row in the order of the columns: without their names the JSON is half as long. */
const valuesIn = (columns: Columns) => {
  const order = Object.keys(columns)
  return (row: object): readonly unknown[] => {
    const fields = row as Readonly<Record<string, unknown>>
    return order.map(name => fields[name] ?? null)
  }
}

/** Rows as one JSON parameter: the statement's text is the same for any number. SQLite runs it once for each. */
type Insertion = Readonly<{ query: CompiledQuery; forEachRow?: true }>

/** The statements of a group of rows. */
export const insertions = (dialect: RecordsDialect) => {
  const attempts = `${insertion('ledger_attempts', ATTEMPT_COLUMNS, dialect)} on conflict (id) do nothing`
  const requests = `${insertion('ledger_requests', REQUEST_COLUMNS, dialect)} on conflict (id) do nothing`
  const rollups = `${insertion('ledger_rollups', ROLLUP_COLUMNS, dialect)} on conflict (${ROLLUP_KEY.join(', ')}) do update set ${addition()}`
  const of =
    (sql: string, columns: Columns) =>
    (rows: readonly object[]): Insertion => ({
      query: CompiledQuery.raw(sql, [JSON.stringify(rows.map(valuesIn(columns)))]),
      ...(dialect === 'sqlite' && { forEachRow: true }),
    })
  return {
    attempts: of(attempts, ATTEMPT_COLUMNS),
    requests: of(requests, REQUEST_COLUMNS),
    rollups: of(rollups, ROLLUP_COLUMNS),
  }
}

const foldedValue = (name: string): string => {
  if (ADDED.includes(name)) return `sum(${name})`
  if (LEAST.includes(name)) return `min(${name})`
  if (GREATEST.includes(name)) return `max(${name})`
  return FOLDED[name] ?? name
}

/**
 * The statements that fold rows of the roll-up, of one span and start and of owners up to one, into one for each
 * provider and model: only those without a key, whose owners are addresses and guests. They belong in one transaction.
 */
export const foldings = (dialect: RecordsDialect) => {
  const old = (parameters: readonly string[]): string =>
    `span = ${parameters[0]} and start = ${parameters[1]} and key_id = '' and owner <> '' and owner <= ${parameters[2]}`
  const into = `insert into ledger_rollups (${names(ROLLUP_COLUMNS)})
    select ${Object.keys(ROLLUP_COLUMNS).map(foldedValue).join(', ')}`
  const end = `group by span, start, provider, model
    on conflict (${ROLLUP_KEY.join(', ')}) do update set ${addition()}`
  // Two processes that fold the same rows in Postgres: the second finds none to delete.
  const texts =
    dialect === 'postgres'
      ? [
          `with old as (delete from ledger_rollups where ${old(['$1', '$2', '$3'])} returning *) ${into} from old ${end}`,
        ]
      : [
          `${into} from ledger_rollups where ${old(['?', '?', '?'])} ${end}`,
          `delete from ledger_rollups where ${old(['?', '?', '?'])}`,
        ]
  return (span: number, start: number, lastOwner: string): readonly CompiledQuery[] =>
    texts.map(text => CompiledQuery.raw(text, [span, start, lastOwner]))
}

export type AttemptRow = Row<typeof ATTEMPT_COLUMNS>
export type RequestRow = Row<typeof REQUEST_COLUMNS>
