import { z } from 'zod'
import { GatewayError, type Issue } from '../errors.ts'

const LONGEST_PATH = 200
const MAX_REPORTED = 100
/** Most faults of one item that are named; further ones are counted. */
const MOST_IN_WORDS = 10

/** `['messages', 2, 'content']` as `messages[2].content`. */
const pathOf = (parts: readonly PropertyKey[]): string =>
  parts
    .reduce<string>((path, part) => {
      if (typeof part === 'number') return `${path}[${part}]`
      const name = part === '' ? '""' : String(part)
      return path === '' ? name : `${path}.${name}`
    }, '')
    .slice(0, LONGEST_PATH)

const nameOfType = (value: unknown): string => {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

type Bound = z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall

const isBound = (issue: z.core.$ZodIssue): issue is Bound =>
  issue.code === 'too_big' || issue.code === 'too_small'

/** Where a bound has no sentence of its own. */
const boundSentence = (issue: Bound): string => {
  const bound = issue.code === 'too_big' ? `at most ${issue.maximum}` : `at least ${issue.minimum}`
  if (issue.origin === 'string') return `must have ${bound} characters`
  return issue.origin === 'array' ? `must hold ${bound} entries` : `must be ${bound}`
}

/** What is wrong with a value, as the end of a sentence that begins with its path. The issue must have its `input`. */
export const sentenceOf = (issue: z.core.$ZodIssue): string => {
  if (isBound(issue) && /^Too (?:big|small): /.test(issue.message)) return boundSentence(issue)
  if (issue.code === 'invalid_union') return unionSentence(issue)
  if (issue.code !== 'invalid_value' && issue.code !== 'invalid_type') return issue.message
  if (issue.input === undefined) return 'is required'
  if (issue.code === 'invalid_value') return `must be ${oneOf(issue.values)}`
  if (issue.expected === 'int') return 'must be a whole number'
  return issue.expected === 'number' && typeof issue.input === 'number'
    ? 'must be a finite number'
    : `must be ${article(issue.expected)}, is ${nameOfType(issue.input)}`
}

/** Where a union of which no alternative fits has no sentence of its own. */
const unionSentence = ({ message, errors, input, ...issue }: z.core.$ZodIssueInvalidUnion): string => {
  if (message.startsWith('Invalid discriminator value') && 'options' in issue && Array.isArray(issue.options))
    return `must be ${oneOf(issue.options)}`
  const types = errors.flat().flatMap(one => (one.code === 'invalid_type' ? [article(one.expected)] : []))
  if (message !== 'Invalid input' || types.length === 0) return message
  return `must be ${types.join(' or ')}, is ${nameOfType(input)}`
}

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`

const article = (type: string): string => `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type}`

/** The issues of the one alternative of a union whose own type fits; `undefined` where none does, or several do. */
const ofFittingAlternative = (issue: z.core.$ZodIssue): readonly z.core.$ZodIssue[] | undefined => {
  if (issue.code !== 'invalid_union') return undefined
  const fitting = issue.errors.filter(issues =>
    issues.every(({ path, code }) => path.length > 0 || code === 'custom'),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

/** The range of exact integers, which says nothing where a number is beyond its field's own bound too. */
const isOfExactIntegers = (issue: z.core.$ZodIssue): boolean => isBound(issue) && issue.origin === 'int'

const isAt = (path: readonly PropertyKey[], other: readonly PropertyKey[]): boolean =>
  path.length === other.length && path.every((part, index) => part === other[index])

/** Without the range of exact integers where another issue has the same path. */
const withoutExactRange = (issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] =>
  issues.filter(
    issue =>
      !isOfExactIntegers(issue) || !issues.some(other => other !== issue && isAt(other.path, issue.path)),
  )

/** The issues that say what to change: of a union, those of the alternative that was meant. */
export const leafIssues = (issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] =>
  withoutExactRange(issues).flatMap(issue => {
    const inside = ofFittingAlternative(issue)
    return inside ? leafIssues(inside).map(one => ({ ...one, path: [...issue.path, ...one.path] })) : [issue]
  })

/** One zod issue as faults: where it is and what to do, never the value itself. */
const faultsOf = (issue: z.core.$ZodIssue): readonly Issue[] => {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, MAX_REPORTED).map(key => ({
      path: pathOf([...issue.path, key]),
      message: 'is not a field of this request',
    }))
  return [{ path: pathOf(issue.path) || 'body', message: sentenceOf(issue) }]
}

/** A fault as text that continues the name of the input. */
const inWords = ({ path, message }: Issue): string => (path === 'body' ? message : `${path} ${message}`)

/** The faults of an input, as texts that continue its name. Other exceptions are rethrown. */
export const requirement = (thrown: unknown): string => {
  if (!(thrown instanceof GatewayError) || !thrown.details) throw thrown
  const text = thrown.details.slice(0, MOST_IN_WORDS).map(inWords)
  const more = thrown.details.length - text.length
  return `${text.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}

/** The parsed value, or all its faults. */
export type Checked<T> =
  | Readonly<{ data: T; faults?: undefined }>
  | Readonly<{ data?: undefined; faults: readonly Issue[] }>

/** @param at the value's path, which prefixes the paths of its faults */
export const check = <S extends z.ZodType>(
  schema: S,
  value: unknown,
  at: readonly PropertyKey[] = [],
): Checked<z.output<S>> => {
  const parsed = schema.safeParse(value, { reportInput: true })
  if (parsed.success) return { data: parsed.data }
  const faults = leafIssues(parsed.error.issues).flatMap(issue =>
    faultsOf({ ...issue, path: [...at, ...issue.path] }),
  )
  return { faults }
}

/**
 * The parsed value.
 * @throws GatewayError INVALID_INPUT that names every fault.
 */
export const parseOrThrow = <S extends z.ZodType>(schema: S, value: unknown): z.output<S> => {
  const { data, faults } = check(schema, value)
  if (faults) throw invalidInput(faults)
  return data
}

/** Collects faults: the first ones, and how many there are. */
export class FaultList {
  readonly #faults: Issue[] = []
  #count = 0

  add(...faults: readonly Issue[]): void {
    this.#count += faults.length
    this.#faults.push(...faults.slice(0, MAX_REPORTED - this.#faults.length))
  }

  /** @throws GatewayError INVALID_INPUT where there is any */
  throwIfAny(): void {
    if (this.#count > 0) throw invalidInput(this.#faults, this.#count)
  }

  /** Spares the rest of a value its check. @throws GatewayError INVALID_INPUT where there are more than are reported */
  throwIfMore(): void {
    if (this.#count > MAX_REPORTED) throw invalidInput(this.#faults, Number.POSITIVE_INFINITY)
  }
}

/**
 * The error for a client's invalid input, with the first faults.
 * @param count of all faults, where these are only the first ones; infinite where they were not all counted
 */
export const invalidInput = (faults: readonly Issue[], count = faults.length): GatewayError => {
  const details = faults.slice(0, MAX_REPORTED)
  const text = details.map(({ path, message }) => `${path} ${message}`.replace(/\.$/, '')).join('; ')
  const others = count === Number.POSITIVE_INFINITY ? '' : `${count - details.length} `
  const more = count > details.length ? `; and ${others}more` : ''
  return new GatewayError('INVALID_INPUT', `${text}${more}.`, { details })
}

const unset = (value: unknown): unknown => (value === null ? undefined : value)

/** Marks a field for the published schema, which is not derived from functions. */
const NULLABLE = { nullable: true } as const

/** A field that may be left out. `null` means the same: many clients send it for unset fields. */
export const optional = <S extends z.ZodType>(schema: S) =>
  z.preprocess(unset, schema.optional()).meta(NULLABLE)

/** A field with a default for an absent or `null` value. */
export const withDefault = <S extends z.ZodType>(schema: S, value: z.core.util.NoUndefined<z.output<S>>) =>
  z.preprocess(unset, schema.default(value)).meta(NULLABLE)
