import { itemBody } from '../validation/batch.ts'
import type { ChatLimits } from '../validation/chat.ts'
import { invalidInput } from '../validation/faults.ts'
import type { Caller } from '../visit.ts'
import type { BatchDesk, JobWishes } from './desk.ts'
import { itemsOf, survey } from './intake/read.ts'
import { type ReceiveOptions, receiveUpload } from './intake/receive.ts'
import type { Upload, UploadLimits } from './intake/upload.ts'
import type { Job } from './types.ts'

export type UploadDeskParts = Readonly<{
  desk: BatchDesk
  /** Below which uploads lie while they are looked at. */
  directory: string
  uploadLimits: UploadLimits
  itemLimits: ChatLimits
  mostItems: number
  modelFault: (model: string) => string | undefined
}>

export type UploadWishes = JobWishes &
  Readonly<{ instruction?: string | undefined; model?: string | undefined }>

/** What of a line is not the question itself: names, settings, and what escapes take. */
const CHARACTERS_BESIDE = 2
const LEAST_CHARACTERS = 100_000

/** Takes whole files of items. */
export class UploadDesk {
  readonly #parts: UploadDeskParts

  constructor(parts: UploadDeskParts) {
    this.#parts = parts
  }

  /** Takes the files to the disk; `dispose` of them afterwards. Throws GatewayError for what cannot be taken. */
  receive(
    body: ReadableStream<Uint8Array> | null,
    options: Omit<ReceiveOptions, 'directory' | 'limits'>,
  ): Promise<Upload> {
    const { directory, uploadLimits: limits } = this.#parts
    return receiveUpload(body, { ...options, directory, limits })
  }

  /**
   * Makes a job of all items of the files, or of none.
   * @throws GatewayError INVALID_INPUT that names file and line of every fault
   */
  async submit(caller: Caller, wishes: UploadWishes, { files }: Upload): Promise<Job> {
    const { desk, itemLimits: limits, mostItems, modelFault } = this.#parts
    const { instruction, model, ...jobWishes } = wishes
    const longest = Math.max(LEAST_CHARACTERS, limits.maxMessagesCharacters * CHARACTERS_BESIDE)
    const reading = { instruction, model, schema: itemBody(limits), longest }
    const { faults, faultCount } = await survey(files, { ...reading, mostItems, modelFault })
    if (faultCount > 0) throw invalidInput(faults, faultCount)
    const [first] = files
    const more = files.length > 1 ? ` and ${files.length - 1} more` : ''
    const name = jobWishes.name ?? `${first?.name}${more}`
    return await desk.submit(caller, { ...jobWishes, name }, itemsOf(files, reading))
  }
}
