import type { Usage } from '../../llm/types.ts'
import type { Item, JobCounts, JobState, V1Url } from '../types.ts'

/** The purposes that a client may give a file. */
export const PURPOSES = ['batch', 'user_data', 'assistants', 'vision', 'fine-tune', 'evals'] as const
export type Purpose = (typeof PURPOSES)[number] | 'batch_output'

/** A file as its owner sees it. Times are clock times in milliseconds. */
export type StoredFile = Readonly<{
  /** `file-` and 32 hexadecimal digits. */
  id: string
  /** See `ownerOf`. */
  owner: string
  name: string
  purpose: Purpose
  bytes: number
  createdAt: number
  /** Absent where it is kept until it is deleted. */
  expiresAt?: number
  /** The batch whose results it holds; absent for a file on disk. */
  batchId?: string
}>

export type FileQuery = Readonly<{
  limit: number
  order: 'asc' | 'desc'
  /** The id of the file that the page begins after. */
  after?: string | undefined
  purpose?: string | undefined
}>

/** One page of a list. */
export type Listed<Entry> = Readonly<{ entries: readonly Entry[]; hasMore: boolean }>

/** The family of routes that a batch belongs to. */
export type BatchApi = 'batches' | 'message-batches'

/** One fault in a batch's file. `line` counts from 1. */
export type LineFault = Readonly<{
  code: string
  message: string
  line?: number
  param?: string
}>

/**
 * `validating`: its file is being read; `invalid`: it has faults, and nothing runs; `running`: its job runs, or has
 * ended and the results are being counted; `ended`: they are ready.
 */
export type V1BatchState = 'validating' | 'invalid' | 'running' | 'ended'

export type NewV1Batch = Readonly<{
  id: string
  owner: string
  /** The API key that submitted it; absent where it was none. */
  keyId?: string
  api: BatchApi
  endpoint: V1Url
  /** Absent where its requests were in the body. */
  inputFileId?: string
  metadata?: Readonly<Record<string, string>>
  /** Milliseconds after which its result files expire. */
  outputTtlMs?: number
  createdAt: number
  /** When requests that have not ended no longer run. */
  expiresAt: number
}>

export type BatchOptions = Readonly<{
  inputFileId: string
  endpoint: V1Url
  metadata?: Readonly<Record<string, string>>
  outputTtlMs?: number
}>

/** A batch as its owner sees it. Times are clock times in milliseconds. */
export type V1Batch = NewV1Batch &
  Readonly<{
    state: V1BatchState
    /** Its job; absent before there is one, and after its retention. */
    job?: Readonly<{ id: string; state: JobState; counts: JobCounts; endedAt?: number }>
    /** When its requests began to run. */
    begunAt?: number
    /** When it was cancelled. */
    cancelledAt?: number
    /** When it was ended because of `expiresAt`. */
    expiredAt?: number
    /** When its results were ready, or its faults known. */
    endedAt?: number
    outputFileId?: string
    errorFileId?: string
    errors?: readonly LineFault[]
    usage?: Usage
  }>

/** The right to validate a batch, until its lease ends; as that of an item. */
export type Validation = Readonly<{ batch: V1Batch; fence: number }>

/** The results of a batch, known once its job has ended. */
export type V1Results = Readonly<{
  /** Files of its results; absent where they would be empty. */
  output?: StoredFile
  errors?: StoredFile
  usage: Usage
  endedAt: number
}>

/** The two result files of a batch: answers, and everything else. */
export const RESULT_KINDS = ['output', 'errors'] as const
export type ResultKind = (typeof RESULT_KINDS)[number]

/** A result as one line of a file, without its line break. */
export type ResultLine = (item: Item, batch: V1Batch) => string

const FILE_ID = /^file-[\da-f]{32}$/

/** Whether an id has the form of those that this gateway gives to files. */
export const isFileId = (id: string): boolean => FILE_ID.test(id)
