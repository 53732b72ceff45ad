/** What an `Idempotency-Key` identifies: keys of different owners, methods or paths have nothing in common. */
export type RequestKey = Readonly<{ owner: string; method: string; path: string; key: string }>

/** The result of a request, to be repeated. */
export type StoredResult = Readonly<{
  status: number
  /** Headers of the route itself and of its answer, the content type included; none about the request. */
  headers: Readonly<Record<string, string>>
  body: Uint8Array
}>

/** The right to run a request and to store its result. Its methods never reject. */
export type Claim = Readonly<{
  /** Stores the result. */
  complete: (result: StoredResult) => Promise<void>
  /** Stores that the request is done, without its result, which is too large to be repeated. */
  completeWithoutResult: () => Promise<void>
  /** Frees the key, so that the request can run again. Does nothing once it is complete. */
  release: () => Promise<void>
}>

/** What was found under the key of a request. */
export type Found =
  | Readonly<{ state: 'running' | 'other-body' | 'without-result' }>
  | Readonly<{ state: 'done'; result: StoredResult }>

export type ClaimOrFound = Readonly<{ state: 'claimed'; claim: Claim }> | Found

/** Lets a request with an `Idempotency-Key` run once. */
export type Idempotency = Readonly<{
  /**
   * Claims the key for this request, or returns what is there.
   * @param fingerprint of the body
   * @throws GatewayError STORE_UNAVAILABLE
   */
  claim: (request: RequestKey, fingerprint: string) => Promise<ClaimOrFound>
  /** The longest body that is stored, in bytes. */
  mostBytes: number
}>

/** How long things last, in clock time (ms). */
export type ClaimTimes = Readonly<{ now: number; leaseUntil: number; expiresAt: number }>

/** The keys in the database. A claim is known by a random id: one that was taken over changes nothing any more. */
export type IdempotencyRecords = Readonly<{
  /** Claims a key that is free, has expired, or whose claim was not renewed. */
  claim: (
    request: RequestKey,
    fingerprint: string,
    claim: string,
    times: ClaimTimes,
  ) => Promise<'claimed' | Found>
  /** @returns whether the claim was still valid */
  complete: (claim: string, result: StoredResult | undefined) => Promise<boolean>
  release: (claim: string) => Promise<void>
  renew: (claims: readonly string[], leaseUntil: number) => Promise<void>
  /** Removes some keys that have expired. @returns how many */
  removeExpired: (now: number, most: number) => Promise<number>
  /** Drops the oldest results of an owner beyond so many bytes. Their requests still run only once. */
  dropBeyond: (owner: string, bytes: number) => Promise<void>
}>
