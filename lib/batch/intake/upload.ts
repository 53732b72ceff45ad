/** What a file holds, by its name's ending; whether it does is found out by looking. */
export const KINDS = {
  '.txt': 'text',
  '.md': 'text',
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'jsonl',
} as const
export type Kind = (typeof KINDS)[keyof typeof KINDS]

/** A file that was sent, as it lies on disk. */
export type UploadedFile = Readonly<{
  /** Clean, and unique within the upload. */
  name: string
  path: string
  kind: Kind
  bytes: number
}>

/** What came besides the files, unread. */
export const FIELDS = ['name', 'instruction', 'priority', 'model', 'scheduledFor', 'webhookUrl'] as const
export type UploadFields = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>

export type UploadLimits = Readonly<{
  files: number
  /** Bytes of one file. */
  fileBytes: number
  /** Bytes of all that is sent. */
  uploadBytes: number
}>

/** An upload on disk, until it is disposed of. */
export type Upload = Readonly<{
  files: readonly UploadedFile[]
  fields: UploadFields
  /** Removes all of it from the disk. */
  dispose: () => Promise<void>
}>

export const kindOf = (name: string): Kind | undefined => {
  const ending = /\.[^.]+$/.exec(name.toLowerCase())?.[0]
  return ending !== undefined && Object.hasOwn(KINDS, ending)
    ? KINDS[ending as keyof typeof KINDS]
    : undefined
}
