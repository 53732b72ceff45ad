import { RecordsUnusable } from '../fault.ts'

/** The options of the thread. */
export type ThreadData = Readonly<{
  path: string
  /** Whether the file was open in an earlier thread: it is then neither created nor checked, only opened. */
  reopens: boolean
}>

/** One SQL statement and the values of its parameters. */
export type Statement = Readonly<{
  sql: string
  parameters: readonly unknown[]
  /** Runs it once for each row: its one parameter is the JSON text of rows, each a list of values. */
  forEachRow?: true
  /** In a group: undoes the group where this statement changes or returns no row. */
  mustMatch?: boolean
  /** In a group: undoes the group where this statement changes another number of rows. */
  mustChange?: number
}>

export type StatementResult = Readonly<{
  rows: readonly Readonly<Record<string, unknown>>[]
  /** How many rows a statement that returns none has changed. */
  changes?: number
}>

/** Statements that run one after the other, with nothing between them; the first that fails ends them. */
export type StatementsRequest = Readonly<{ connection: 'read' | 'write'; statements: readonly Statement[] }>

/** Groups of statements in one transaction. Each takes effect as a whole or, where a statement fails, not at all. */
export type GroupsRequest = Readonly<{ connection: 'write'; groups: readonly (readonly Statement[])[] }>

export type ThreadRequest = StatementsRequest | GroupsRequest

/** `unmatched` where a statement that must match did not. */
export type GroupResult =
  | Readonly<{ results: readonly StatementResult[] }>
  | Readonly<{ unmatched: true }>
  | Readonly<{ error: SentError }>

/** The reply to a request of statements, to one of groups in their order, or to one that failed as a whole. */
export type ThreadReply =
  | Readonly<{ results: readonly StatementResult[] }>
  | Readonly<{ groups: readonly GroupResult[] }>
  | Readonly<{ error: SentError }>

/** @property isPacked where long texts were encoded (long-texts.ts) */
type WithId<T> = T & Readonly<{ id: number; isPacked?: true }>

/** The thread's messages: the file is open, it cannot be opened, or a request has ended. */
export type FromThread =
  | Readonly<{ type: 'open' }>
  | Readonly<{ type: 'unusable'; error: SentError }>
  | Readonly<{ type: 'reply'; reply: WithId<ThreadReply> }>

/** Messages to the thread: a request, or to close the file and end. */
export type ToThread = WithId<ThreadRequest> | Readonly<{ type: 'close' }>

/** An error in a form for messages between threads, which drop its extra fields. */
export type SentError = Readonly<{
  name: string
  message: string
  code?: string
  errcode?: number
  errstr?: string
}>

export const sentError = (error: unknown): SentError => {
  const { name, message, code, errcode, errstr } = error as Error & Omit<SentError, 'name' | 'message'>
  return {
    name: String(name),
    message: String(message),
    ...(code !== undefined && { code }),
    ...(errcode !== undefined && { errcode }),
    ...(errstr !== undefined && { errstr }),
  }
}

/** Restores the error with the fields that code depends on. */
export const receivedError = ({ name, message, ...codes }: SentError): Error =>
  name === 'RecordsUnusable' ? new RecordsUnusable(message) : Object.assign(new Error(message), codes)
