/** The format of an uploaded file. */
export type FileKind = 'text' | 'markdown' | 'csv' | 'json' | 'jsonl'

/** How much one upload may hold. Sizes are in bytes. */
export type UploadLimits = Readonly<{
  mostFiles: number
  maxFileBytes: number
  /** All files together. */
  maxBytes: number
}>

/** The fields that an upload may carry beside its files, each once, and how many bytes each may have. */
export const FIELDS = {
  instruction: 200_000,
  priority: 100,
  model: 1_000,
  name: 1_000,
  scheduledFor: 100,
  webhookUrl: 8_000,
} as const satisfies Record<string, number>

export type UploadFields = Readonly<Partial<Record<keyof typeof FIELDS, string>>>

/** A file of an upload, stored on this machine's disk until the upload is disposed of. */
export type UploadedFile = Readonly<{
  /** Clean, and unique in its upload. */
  name: string
  path: string
  kind: FileKind
  bytes: number
}>
