/** The caller, as far as known. Every request starts as anonymous. */
export type Caller =
  | Readonly<{ kind: 'anonymous'; address: string }>
  | Readonly<{ kind: 'guest'; id: string; address: string }>
  | Readonly<{ kind: 'key' } & KeyIdentity & { address: string }>

/** The API key of a caller, as far as it decides. Keys of one owner share everything that belongs to it. */
export type KeyIdentity = KeyRestrictions &
  Readonly<{
    id: string
    name: string
    owner?: string | undefined
    role: Role
    /** Clock time, milliseconds. */
    expiresAt?: number | undefined
    /** The keys that made it, one another, its own maker first; absent for a key of an admin's. */
    makers?: readonly CountedKey[] | undefined
  }>

/** A key as far as its use is counted. */
export type CountedKey = Readonly<{ id: string }> & Pick<KeyRestrictions, 'limits' | 'budget'>

/** What a key may do and spend. An absent member does not restrict. */
export type KeyRestrictions = Readonly<{
  scopes?: KeyScopes | undefined
  limits?: KeyLimits | undefined
  budget?: KeyBudget | undefined
}>

/** `routes`: paths, each with all paths below it. `models`: names, with `*` for any characters. */
export type KeyScopes = Readonly<{
  routes?: readonly string[] | undefined
  models?: readonly string[] | undefined
}>

export type KeyLimits = Readonly<{
  requestsPerMinute?: number | undefined
  tokensPerMinute?: number | undefined
  /** Calls in progress at once. */
  concurrency?: number | undefined
}>

/** Whole nanodollars (1e-9 US dollars) in a calendar day or month, UTC. */
export type KeyBudget = Readonly<{ dayNanoUsd?: number | undefined; monthNanoUsd?: number | undefined }>

export type Role = 'member' | 'admin'

/** The id of the caller with the admin token, who has no key. */
export const ADMIN_ID = 'admin'

/** For the end of a switch over the kinds of callers: a missing kind does not compile. Throws an Error. */
export const unknownCaller = (_: never): never => {
  throw new Error('A caller of an unknown kind.')
}

/** The prefixes of an owner's text. They are stored in the database and must not change. */
const PREFIXES = ['address', 'guest', 'key', 'owner'] as const

/**
 * The owner of an answer, whom only the same caller matches. Absent where the caller cannot be identified: then there
 * is no owner.
 */
export const ownerOf = (caller: Caller): string | undefined => {
  switch (caller.kind) {
    case 'guest':
      return `guest ${caller.id}`
    case 'key':
      return caller.owner === undefined ? `key ${caller.id}` : `owner ${caller.owner}`
    case 'anonymous':
      return caller.address === 'unknown' ? undefined : `address ${caller.address}`
    default:
      return unknownCaller(caller)
  }
}

/**
 * The caller of an owner, long after the request; the address is known only where it is the identity. Throws an Error
 * for text that `ownerOf` never returns.
 *
 * @param keyId the key that it was, where it was one
 */
export const callerOf = (owner: string, keyId?: string): Caller => {
  const [prefix = '', ...rest] = owner.split(' ')
  const id = rest.join(' ')
  const known = PREFIXES.find(one => one === prefix)
  if (known === undefined || id === '') throw new Error('An owner of an unknown kind.')
  switch (known) {
    case 'guest':
      return { kind: 'guest', id, address: 'unknown' }
    case 'address':
      return { kind: 'anonymous', address: id }
    case 'key':
      return { kind: 'key', id, name: id, role: 'member', address: 'unknown' }
    case 'owner':
      return { kind: 'key', id: keyId ?? 'unknown', name: id, owner: id, role: 'member', address: 'unknown' }
    default:
      return unknownCaller(known)
  }
}

/** A caller's key, then those that made it: what it uses counts as theirs too. Empty for a caller without a key. */
export const countedKeysOf = (caller: Caller): readonly CountedKey[] =>
  caller.kind === 'key' ? [caller, ...(caller.makers ?? [])] : []

/** The id of a caller's key; absent where it has none. */
export const keyIdOf = (caller: Caller): string | undefined => (caller.kind === 'key' ? caller.id : undefined)
