/** The most that one owner may store. */
export type KvLimits = Readonly<{ entries: number; bytes: number }>

/** How a value is stored. `expiresAt`: when all values of its owner end, unless another is stored; absent: never. */
export type KvTerms = KvLimits & Readonly<{ expiresAt?: number | undefined }>

/** One page of an owner's keys, in the database's order; `more`: whether further ones follow. */
export type KeyPage = Readonly<{ keys: readonly string[]; more: boolean }>

/** JSON texts under keys, for each owner its own. */
export type KvRecords = Readonly<{
  get: (owner: string, key: string) => Promise<string | undefined>
  /** Replaces an existing value. `full`: it would exceed the limits; then nothing has changed. */
  put: (owner: string, key: string, value: string, terms: KvTerms) => Promise<'created' | 'replaced' | 'full'>
  /** @returns whether there was a value */
  remove: (owner: string, key: string) => Promise<boolean>
  list: (owner: string, options: Readonly<{ after?: string | undefined; limit: number }>) => Promise<KeyPage>
  /** Removes the values of owners whose time is over. @returns of how many, at most `most` */
  removeExpired: (now: number, most: number) => Promise<number>
}>
