import { z } from 'zod'
import type { DatasetRow } from '../evaluation/datasets/types.ts'
import type { Plan } from '../evaluation/runs/types.ts'
import { isLongerThan } from '../long-json.ts'
import { turn } from '../loop-turns.ts'
import { idText } from './batch.ts'
import { graderList, lineText, modelName, rowFields } from './evaluation.ts'
import { grouped } from './grouped.ts'
import { jsonInTurnsOrThrow } from './json.ts'
import { anyList, listOf } from './list-limits.ts'
import { pageCursor, pageLimit } from './page.ts'
import { check, FaultList, invalidInput, optional, parseOrThrow, requirement, withDefault } from './zod.ts'

const LONGEST_NAME = 200
const LONGEST_ID = 128
const LONGEST_ROW = 1_000_000
const LONGEST_TEXT = 20_000
const LONGEST_CURSOR = 2_000
const MOST_VARIANTS = 10
const USUAL_TOKENS = 1_000
const MOST_TOKENS = 1_000_000
export const MOST_ROWS = 10_000

/** One row of a data set. */
export const datasetRow = z
  .strictObject({
    ...rowFields,
    id: optional(idText.pipe(lineText(LONGEST_ID)).meta({ type: ['string', 'number'] })),
    metadata: optional(z.record(z.string(), z.unknown())),
  })
  .refine(row => !isLongerThan(row, LONGEST_ROW), 'must have at most 1,000,000 characters')

const tooMany = `must hold at most ${grouped(MOST_ROWS)} rows`

const name = optional(lineText(LONGEST_NAME))

/** The body without the content of its rows. */
const datasetShape = z.strictObject({
  name,
  rows: anyList({ least: 1, most: MOST_ROWS, tooMany }),
})

/** The body of `POST /api/evaluations/datasets` as it is published; its rows are checked one by one. */
export const datasetBody = datasetShape.extend({
  rows: z.array(datasetRow).min(1, 'must not be empty').max(MOST_ROWS, tooMany),
})

export type NewDataset = Readonly<{ name: string | undefined; rows: readonly DatasetRow[] }>

type RowFaults = Readonly<{ faults: FaultList; ids: Map<string, string> }>

/** A row with its id; one without gets its number. Undefined where it has faults. */
const rowOf = (value: unknown, index: number, path: string, { faults, ids }: RowFaults) => {
  const { data, faults: found } = check(datasetRow, value)
  if (found) {
    faults.add(...found.map(one => ({ ...one, path: one.path === 'body' ? path : `${path}.${one.path}` })))
    return undefined
  }
  const id = data.id ?? `${index + 1}`
  const first = ids.get(id)
  if (first !== undefined) faults.add({ path: `${path}.id`, message: `is that of ${first} too` })
  ids.set(id, path)
  return { ...data, id }
}

/** A data set as a JSON body. @throws GatewayError INVALID_INPUT that names the first faults */
export const parseDataset = async (body: unknown): Promise<NewDataset> => {
  const { name, rows: sent } = parseOrThrow(datasetShape, body)
  const found = { faults: new FaultList(), ids: new Map<string, string>() }
  const rows: DatasetRow[] = []
  for (const [index, value] of sent.entries()) {
    await turn()
    const row = rowOf(value, index, `rows[${index}]`, found)
    if (row) rows.push(row)
  }
  found.faults.throwIfAny()
  return { name, rows }
}

/** The lines of a text, one at a time: there may be millions. */
function* linesIn(text: string): Generator<string> {
  let from = 0
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
    yield text.slice(from, end)
    from = end + 1
  }
  yield text.slice(from)
}

const lineValue = async (text: string, path: string, faults: FaultList): Promise<unknown> => {
  try {
    return await jsonInTurnsOrThrow(text)
  } catch (error) {
    faults.add({ path, message: requirement(error) })
    return undefined
  }
}

/** A data set as JSON lines; empty ones are passed over. @throws GatewayError INVALID_INPUT that names lines */
export const parseDatasetLines = async (text: string, title: string | undefined): Promise<NewDataset> => {
  const found = { faults: new FaultList(), ids: new Map<string, string>() }
  const rows: DatasetRow[] = []
  let count = 0
  let number = 0
  for (const line of linesIn(text.replace(/^\ufeff/, ''))) {
    await turn()
    number += 1
    if (line.trim() === '') continue
    if (count >= MOST_ROWS) throw invalidInput([{ path: 'body', message: tooMany }])
    const path = `line ${number}`
    const value = await lineValue(line, path, found.faults)
    const row = value === undefined ? undefined : rowOf(value, count, path, found)
    if (row) rows.push(row)
    count += 1
  }
  found.faults.throwIfAny()
  if (count === 0) throw invalidInput([{ path: 'body', message: 'holds no rows' }])
  return { name: title === undefined ? undefined : parseOrThrow(lineText(LONGEST_NAME), title), rows }
}

const text = z
  .string()
  .min(1, 'must not be empty')
  .max(LONGEST_TEXT, `must have at most ${grouped(LONGEST_TEXT)} characters`)

const parameters = z.strictObject({
  temperature: optional(z.number().min(0, 'must be from 0 to 2').max(2, 'must be from 0 to 2')),
  topP: optional(z.number().min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1')),
  seed: optional(z.int()),
  maxTokens: withDefault(z.int().min(1, 'must be at least 1').max(MOST_TOKENS), USUAL_TOKENS),
})

const variant = z.strictObject({
  name: optional(lineText(100)),
  model: modelName,
  system: optional(text),
  prompt: optional(
    text.meta({
      description: 'The text that is sent, with {{input}} and {{metadata.name}}; the input alone by default.',
    }),
  ),
  parameters: withDefault(parameters, { maxTokens: USUAL_TOKENS }),
  cache: withDefault(z.enum(['default', 'refresh', 'no-store']), 'no-store'),
})

type SentVariant = z.output<typeof variant>

/** Variants without a name get their model's, with a number where several have it. */
const withNames = (variants: readonly SentVariant[]): Plan['variants'] => {
  const used = new Set(variants.flatMap(({ name }) => name ?? []))
  return variants.map(({ name, ...one }) => {
    let own = name ?? one.model
    for (let number = 2; name === undefined && used.has(own); number += 1) own = `${one.model}-${number}`
    used.add(own)
    return { name: own, ...one }
  })
}

/** The body of `POST /api/evaluations`. */
export const runBody = z.strictObject({
  name,
  dataset: z.string().meta({ description: 'The id of a data set.' }),
  variants: listOf(variant, {
    least: 1,
    most: MOST_VARIANTS,
    tooMany: `must hold at most ${MOST_VARIANTS} variants`,
  })
    .check(({ value, issues }) => {
      const names = value.map(one => one.name)
      for (const [index, one] of names.entries())
        if (one !== undefined && names.indexOf(one) !== index)
          issues.push({
            code: 'custom',
            path: [index, 'name'],
            message: 'is that of another variant too',
            input: value,
          })
    })
    .transform(withNames),
  graders: graderList,
  model: optional(modelName.meta({ description: 'Of the grader `judge`, where that names none.' })),
  threshold: optional(
    z
      .number()
      .min(0, 'must be from 0 to 1')
      .max(1, 'must be from 0 to 1')
      .meta({ description: 'The mean score that every variant must reach.' }),
  ),
})

const limit = pageLimit()
const cursor = pageCursor(z.string().max(LONGEST_CURSOR))

export type RunBody = z.output<typeof runBody>

/** The query of lists of data sets and of runs. */
export const evaluationsQuery = z.strictObject({ limit, cursor })

/** The query of `POST /api/evaluations/datasets` whose body is JSON lines. */
export const datasetQuery = z.strictObject({ name })

/** The query of a report. */
export const reportQuery = z.strictObject({
  format: z.enum(['json', 'csv', 'html']).default('json'),
  by: z.enum(['variant', 'row']).default('variant'),
})
