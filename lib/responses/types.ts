import type { GatewayError } from '../errors.ts'

/** An answer that later requests of the same caller can refer to. */
export type StoredResponse = Readonly<{
  id: string
  owner: string
  /** The answer that its request continues; it need not be stored here. */
  previousId?: string
  /** The provider that knows it under the same id; absent where the gateway wrote it. */
  provider?: string
  /** Clock time, milliseconds. */
  createdAt: number
  /** JSON of the items of its request. */
  input: string
  /** JSON of the answer. */
  response: string
}>

/** A stored answer with the ids of its items. */
export type NewResponse = StoredResponse &
  Readonly<{
    /** The ids of its items, and of the objects at the vendor that they name. */
    itemIds: readonly string[]
    /** Clock time, milliseconds, after which it is gone; the answers that it continues live as long. */
    expiresAt: number
    /** The answers of its context. */
    contextIds: readonly string[]
    /** Most characters of all answers of its owner: the oldest ones make room. */
    mostCharacters: number
  }>

/** The stored answers, in the records. Expired ones count as absent. All reject with STORE_UNAVAILABLE. */
export type ResponseRecords = Readonly<{
  /** Stores one, in place of an earlier one of the same id. */
  store: (response: NewResponse) => Promise<void>
  find: (owner: string, id: string, now: number) => Promise<StoredResponse | undefined>
  /** An answer and those that it continues, the oldest first; empty where the owner has none of that id. */
  chain: (owner: string, id: string, now: number) => Promise<readonly StoredResponse[]>
  /** The answers that hold these items. */
  holding: (owner: string, itemIds: readonly string[], now: number) => Promise<readonly StoredResponse[]>
  /**
   * Removes one. Where others continue it, it remains a part of their chains until these are gone, and is found in no
   * other way. Resolves with whether there was one.
   */
  remove: (owner: string, id: string) => Promise<boolean>
  removeExpired: (now: number) => Promise<void>
}>

/** What a request refers to. */
export type References = Readonly<{ previousId?: string | undefined; itemIds: readonly string[] }>

/** The stored answers that a request refers to. */
export type ResponseContext = Readonly<{
  /** JSON of the items before the request's own, in order. */
  earlier: readonly string[]
  /** JSON of the items that it refers to, by their ids. */
  items: ReadonlyMap<string, string>
  /** The ids of all answers of which it holds something. */
  responseIds: readonly string[]
  /** The provider that knows all of these under the same ids. */
  knownTo?: string
  /** The beginning of the conversation is no longer stored here, though maybe at the provider. */
  missing?: GatewayError
}>
