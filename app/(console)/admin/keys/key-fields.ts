import type { ApiKey, Role } from '../wire.ts'

/** The form of a key, as text. */
export type KeyFields = {
  name: string
  owner: string
  role: Role
  requestsPerMinute: string
  tokensPerMinute: string
  concurrency: string
  /** One a line. */
  routes: string
  models: string
  dayUsd: string
  monthUsd: string
  /** A local time without its zone, as `<input type="datetime-local">` has it. */
  expiresAt: string
}

export const NO_FIELDS: KeyFields = {
  name: '',
  owner: '',
  role: 'member',
  requestsPerMinute: '',
  tokensPerMinute: '',
  concurrency: '',
  routes: '',
  models: '',
  dayUsd: '',
  monthUsd: '',
  expiresAt: '',
}

/** The names of restrictions in a request's body, by the group that holds them; absent for those at its top. */
const PLACES = {
  owner: [undefined, 'owner'],
  requestsPerMinute: ['limits', 'requestsPerMinute'],
  tokensPerMinute: ['limits', 'tokensPerMinute'],
  concurrency: ['limits', 'concurrency'],
  routes: ['scopes', 'routes'],
  models: ['scopes', 'models'],
  dayUsd: ['budgetUsd', 'day'],
  monthUsd: ['budgetUsd', 'month'],
  expiresAt: [undefined, 'expiresAt'],
} as const

type Restriction = keyof typeof PLACES
type Body = Record<string, unknown>

const linesOf = (text: string): string[] =>
  text
    .split(/[\n,]/)
    .map(line => line.trim())
    .filter(line => line !== '')

const VALUES: Record<Restriction, (text: string) => unknown> = {
  owner: text => text,
  requestsPerMinute: Number,
  tokensPerMinute: Number,
  concurrency: Number,
  routes: linesOf,
  models: linesOf,
  dayUsd: Number,
  monthUsd: Number,
  expiresAt: text => new Date(text).toISOString(),
}

/** The body with these restrictions; an empty one is null, which takes it away. */
function bodyOf(restrictions: readonly Restriction[], fields: KeyFields): Body {
  const body: Body = {}
  for (const name of restrictions) {
    const [group, member] = PLACES[name]
    const text = fields[name].trim()
    const value = text === '' ? null : VALUES[name](text)
    if (group === undefined) body[member] = value
    else body[group] = { ...(body[group] as Body | undefined), [member]: value }
  }
  return body
}

const RESTRICTIONS = Object.keys(PLACES) as Restriction[]

/** The body of `POST /api/admin/keys`. */
export function newKeyOf(fields: KeyFields): Body {
  const filled = RESTRICTIONS.filter(name => fields[name].trim() !== '')
  return { name: fields.name.trim(), role: fields.role, ...bodyOf(filled, fields) }
}

/** The body of `PATCH /api/admin/keys/{id}`: only what was changed, so that other changes of the key stay. */
export function keyChangeOf(before: KeyFields, after: KeyFields): Body {
  const changed = RESTRICTIONS.filter(name => before[name].trim() !== after[name].trim())
  return {
    ...(after.name.trim() !== before.name && { name: after.name.trim() }),
    ...(after.role !== before.role && { role: after.role }),
    ...bodyOf(changed, after),
  }
}

const text = (value: number | undefined): string => (value === undefined ? '' : String(value))

/** `2026-12-24T18:00` in this browser's time zone. */
function localTime(time: string | null): string {
  if (time === null) return ''
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`
}

/** The form of an existing key. */
export function fieldsOf({ name, owner, role, limits, scopes, budgetUsd, expiresAt }: ApiKey): KeyFields {
  return {
    name,
    owner: owner ?? '',
    role,
    requestsPerMinute: text(limits.requestsPerMinute),
    tokensPerMinute: text(limits.tokensPerMinute),
    concurrency: text(limits.concurrency),
    routes: (scopes.routes ?? []).join('\n'),
    models: (scopes.models ?? []).join('\n'),
    dayUsd: text(budgetUsd.day),
    monthUsd: text(budgetUsd.month),
    expiresAt: localTime(expiresAt),
  }
}

/** Whether one of the fields under “Limits and scopes” is filled in. */
export const hasRestrictions = (fields: KeyFields): boolean =>
  RESTRICTIONS.some(name => name !== 'owner' && fields[name] !== '')
