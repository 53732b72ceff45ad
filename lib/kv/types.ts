/** The most that one owner may store. */
export type KvLimits = Readonly<{ entries: number; bytes: number }>

/** One page of an owner's keys, in the database's order; `more`: whether further ones follow. */
export type KeyPage = Readonly<{ keys: readonly string[]; more: boolean }>

/** JSON texts under keys, for each owner its own. */
export type KvRecords = Readonly<{
  get: (owner: string, key: string) => Promise<string | undefined>
  /** Replaces an existing value. `full`: it would exceed the limits; then nothing has changed. */
  put: (
    owner: string,
    key: string,
    value: string,
    limits: KvLimits,
  ) => Promise<'created' | 'replaced' | 'full'>
  /** @returns whether there was a value */
  remove: (owner: string, key: string) => Promise<boolean>
  list: (owner: string, options: Readonly<{ after?: string | undefined; limit: number }>) => Promise<KeyPage>
}>
