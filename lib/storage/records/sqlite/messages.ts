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
  /** In an atomic request: rolls back where this statement changes or returns no row. */
  mustMatch?: boolean
}>

export type StatementResult = Readonly<{
  rows: readonly Readonly<Record<string, unknown>>[]
  /** How many rows a statement that returns none has changed. */
  changes?: number
}>

/** Statements that run one after the other, with nothing between them; the first that fails ends them. */
export type ThreadRequest = Readonly<{
  id: number
  connection: 'read' | 'write'
  statements: readonly Statement[]
  /** In one transaction, which is rolled back where a statement fails. */
  atomic: boolean
}>

export type ThreadReply =
  | Readonly<{ id: number; results: readonly StatementResult[] }>
  | Readonly<{ id: number; unmatched: true }>
  | Readonly<{ id: number; error: SentError }>

/** The thread's messages: the file is open, it cannot be opened, or a request has ended. */
export type FromThread =
  | Readonly<{ type: 'open' }>
  | Readonly<{ type: 'unusable'; error: SentError }>
  | Readonly<{ type: 'reply'; reply: ThreadReply }>

/** Messages to the thread: a request, or to close the file and end. */
export type ToThread = ThreadRequest | Readonly<{ type: 'close' }>

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
