import type { Caller } from '../caller.ts'
import type { Issue } from '../errors.ts'
import { itemBody } from '../validation/batch.ts'
import type { ChatLimits } from '../validation/chat.ts'
import { invalidInput } from '../validation/zod.ts'
import type { UploadLimits } from './intake/limits.ts'
import { type FileFault, faultsOf, readItems } from './intake/read-items.ts'
import { assertReceivable, receiveUpload, type Upload } from './intake/receive.ts'
import { sweepUploads } from './intake/upload-dir.ts'
import type { BatchService, JobOptions } from './service.ts'
import type { Job } from './types.ts'

export type UploadServiceDeps = Readonly<{
  service: BatchService
  /** The directory of uploads that are being checked. */
  directory: string
  uploadLimits: UploadLimits
  itemLimits: ChatLimits
  mostItems: number
  modelFault: (model: string) => string | undefined
  openAiModel: (model: string) => string
}>

export type UploadOptions = JobOptions & Readonly<{ model?: string | undefined }>

const NOTHING = new Blob([]).stream()

const issueOf = ({ file, line, message }: FileFault): Issue => ({
  path: line === undefined ? file : `${file}:${line}`,
  message,
})

/** Accepts whole files of items. */
export class UploadService {
  readonly #deps: UploadServiceDeps

  constructor(deps: UploadServiceDeps) {
    this.#deps = deps
  }

  /** Writes the files to disk; `dispose` of them afterwards. Throws GatewayError for files that are not accepted. */
  async receive({ headers, body }: Pick<Request, 'headers' | 'body'>, signal: AbortSignal): Promise<Upload> {
    const { directory, uploadLimits: limits } = this.#deps
    assertReceivable(headers, limits)
    const contentType = headers.get('content-type') ?? ''
    return receiveUpload(body ?? NOTHING, contentType, { directory, limits, signal })
  }

  /**
   * Makes a job of all items of the files, or of none.
   * @throws GatewayError INVALID_INPUT that names file and line of every fault
   */
  async submit(caller: Caller, options: UploadOptions, { files }: Upload): Promise<Job> {
    const { service, itemLimits, ...deps } = this.#deps
    const { model, ...jobOptions } = options
    const reading = {
      instruction: jobOptions.instruction,
      model,
      schema: itemBody(itemLimits),
      ...deps,
    }
    const { faults, more, warnings } = await faultsOf(files, reading)
    if (faults.length > 0) throw invalidInput(faults.map(issueOf), faults.length + more)
    const others = files.length > 1 ? ` and ${files.length - 1} more` : ''
    const name = jobOptions.name ?? `${files[0]?.name}${others}`
    return await service.submit(caller, { ...jobOptions, name, warnings }, readItems(files, reading))
  }

  /** Removes files left by processes that died. @param before clock time, ms */
  sweep(before: number): Promise<void> {
    return sweepUploads(this.#deps.directory, before)
  }
}
