import { formFingerprint } from '../idempotency/fingerprint.ts'

/** The fields and files of an upload, its files on disk. */
export type FingerprintedUpload = Readonly<{
  fields: Readonly<Record<string, string>>
  files: readonly Readonly<{ name: string; path: string }>[]
}>

/** The fingerprint of an upload of files, for its `Idempotency-Key`. */
export const uploadFingerprint = ({ fields, files }: FingerprintedUpload): Promise<string> =>
  formFingerprint([
    ...Object.entries(fields).map(([name, value]) => ({ name, value })),
    ...files.map(({ name, path }) => ({ name: 'file', fileName: name, path })),
  ])
