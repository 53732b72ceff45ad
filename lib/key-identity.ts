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
