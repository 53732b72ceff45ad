import type { Fault } from '../errors.ts'
import { itemBody } from '../validation/batch.ts'
import type { ChatLimits } from '../validation/chat.ts'
import { invalidInput } from '../validation/faults.ts'
import type { Caller } from '../visit.ts'
import type { BatchDesk, JobWishes } from './desk.ts'
import type { UploadLimits } from './intake/limits.ts'
import { sweepUploads } from './intake/place.ts'
import { type FileFault, faultsOf, readItems } from './intake/read-items.ts'
import { assertReceivable, receiveUpload, type Upload } from './intake/receive.ts'
import type { Job } from './types.ts'

export type UploadDeskParts = Readonly<{
  desk: BatchDesk
  /** Below which uploads lie while they are looked at. */
  directory: string
  uploadLimits: UploadLimits
  itemLimits: ChatLimits
  mostItems: number
  modelFault: (model: string) => string | undefined
  openAiModel: (model: string) => string
}>

export type UploadWishes = JobWishes & Readonly<{ model?: string | undefined }>

const NOTHING = new Blob([]).stream()

const toldOf = ({ file, line, message }: FileFault): Fault => ({
  path: line === undefined ? file : `${file}:${line}`,
  message,
})

/** Takes whole files of items. */
export class UploadDesk {
  readonly #parts: UploadDeskParts

  constructor(parts: UploadDeskParts) {
    this.#parts = parts
  }

  /** Takes the files to the disk; `dispose` of them afterwards. Throws GatewayError for what cannot be taken. */
  async receive({ headers, body }: Pick<Request, 'headers' | 'body'>, signal: AbortSignal): Promise<Upload> {
    const { directory, uploadLimits: limits } = this.#parts
    assertReceivable(headers, limits)
    const contentType = headers.get('content-type') ?? ''
    return receiveUpload(body ?? NOTHING, contentType, { directory, limits, signal })
  }

  /**
   * Makes a job of all items of the files, or of none.
   * @throws GatewayError INVALID_INPUT that names file and line of every fault
   */
  async submit(caller: Caller, wishes: UploadWishes, { files }: Upload): Promise<Job> {
    const { desk, itemLimits, ...parts } = this.#parts
    const { model, ...jobWishes } = wishes
    const reading = {
      instruction: jobWishes.instruction,
      model,
      schema: itemBody(itemLimits),
      ...parts,
    }
    const { faults, more, warnings } = await faultsOf(files, reading)
    if (faults.length > 0) throw invalidInput(faults.map(toldOf), faults.length + more)
    const others = files.length > 1 ? ` and ${files.length - 1} more` : ''
    const name = jobWishes.name ?? `${files[0]?.name}${others}`
    return await desk.submit(caller, { ...jobWishes, name, warnings }, readItems(files, reading))
  }

  /** Removes files that nobody disposed of, since their process died. @param before clock time, ms */
  sweep(before: number): Promise<void> {
    return sweepUploads(this.#parts.directory, before)
  }
}
