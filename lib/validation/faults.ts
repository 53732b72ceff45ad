import type { z } from 'zod'
import { type Fault, GatewayError } from '../errors.ts'

const LONGEST_PATH = 200
const MOST_TOLD = 100

/** `['messages', 2, 'content']` as `messages[2].content`. */
const pathOf = (parts: readonly PropertyKey[]): string =>
  parts
    .reduce<string>((path, part) => {
      if (typeof part === 'number') return `${path}[${part}]`
      return path === '' ? String(part) : `${path}.${String(part)}`
    }, '')
    .slice(0, LONGEST_PATH)

const nameOfType = (value: unknown): string => {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

const sentenceOf = (issue: z.core.$ZodIssue): string => {
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  if (issue.code !== 'invalid_type') return issue.message
  if (issue.input === undefined) return 'is required'
  return issue.expected === 'int'
    ? 'must be a whole number'
    : `must be ${article(issue.expected)}, is ${nameOfType(issue.input)}`
}

const article = (type: string): string => `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`

/** One zod issue as faults: where it is and what to do, never the value itself. */
export const faultsOf = (issue: z.core.$ZodIssue): readonly Fault[] => {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => ({
      path: pathOf([...issue.path, key]),
      message: 'is not a field of this request',
    }))
  return [{ path: pathOf(issue.path) || 'body', message: sentenceOf(issue) }]
}

/** A fault in words that go on after the name of what was sent. */
const inWords = ({ path, message }: Fault): string => (path === 'body' ? message : `${path} ${message}`)

/** What zod found, each fault's path below `root`. */
export const faultsIn = ({ issues }: z.ZodError, root: string): readonly Fault[] =>
  issues.flatMap(faultsOf).map(fault => ({ path: root, message: inWords(fault) }))

/** What is wrong with what was sent, in words that go on after its name. What is no refusal is thrown again. */
export const refusalInWords = (thrown: unknown): string => {
  if (!(thrown instanceof GatewayError) || !thrown.details) throw thrown
  return thrown.details.map(inWords).join('; ')
}

/**
 * The value as the schema understands it.
 * @throws GatewayError INVALID_INPUT that names every fault.
 */
export const parseOrThrow = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const parsed = schema.safeParse(value, { reportInput: true })
  if (parsed.success) return parsed.data
  throw invalidInput(parsed.error.issues.flatMap(faultsOf))
}

/**
 * All that is wrong with what a client sent, as far as anyone would read it.
 * @param count of all faults, where these are only the first ones
 */
export const invalidInput = (faults: readonly Fault[], count = faults.length): GatewayError => {
  const details = faults.slice(0, MOST_TOLD)
  const told = details.map(({ path, message }) => `${path} ${message}`).join('; ')
  const more = count > details.length ? `; and ${count - details.length} more` : ''
  return new GatewayError('INVALID_INPUT', `${told}${more}.`, { details })
}
