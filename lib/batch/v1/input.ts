import { createReadStream } from 'node:fs'
import { GatewayError } from '../../errors.ts'
import { inTurns, turn } from '../../loop-turns.ts'
import { isObject, memberIn, scanMembers } from '../../raw-json.ts'
import { jsonInTurnsOrThrow } from '../../validation/json.ts'
import { linesOf } from '../intake/lines.ts'
import { faultsOfModels } from '../item-models.ts'
import type { NewItem, V1Request, V1Url } from '../types.ts'
import type { LineFault } from './types.ts'

/** How many faults a batch names. */
const MOST_FAULTS = 100
const LONGEST_ID = 512

export type InputOptions = Readonly<{
  endpoint: V1Url
  mostItems: number
  /** Most bytes of one line. */
  maxBytes: number
  /** What is wrong with a model's name; undefined where it can be routed. */
  modelFault: (model: string, url: V1Url) => string | undefined
  /** The model of a request that names none; undefined where its route requires a name. */
  defaultModelOf: (url: V1Url) => string | undefined
  /** Called before each line, whether or not it has faults. What it rejects with ends the reading. */
  onLine?: () => Promise<void>
}>

type Fields = Readonly<Record<string, unknown>>

/** The faults of a batch's file: the first ones, each with its line. */
export class LineFaults {
  readonly #all: LineFault[] = []

  get all(): readonly LineFault[] {
    return this.#all
  }

  add(fault: LineFault): void {
    if (this.#all.length < MOST_FAULTS) this.#all.push(fault)
  }
}

const required = (param: string, message = 'is required'): LineFault => ({
  code: 'missing_required_parameter',
  message: `${param} ${message}.`,
  param,
})

/** Postgres refuses U+0000 in any text, and both databases change halves of surrogate pairs. */
const canBeKept = (text: string): boolean => text.isWellFormed() && !text.includes('\0')
const UNKEPT = 'custom_id must be valid Unicode, without U+0000.'

/** Checks that the ids of a batch are unique, and its models known. */
class LineCheck {
  readonly #options: InputOptions
  readonly #lines = new Map<string, number>()
  readonly #faultOfModel: (model: string) => string | undefined

  constructor(options: InputOptions) {
    this.#options = options
    this.#faultOfModel = faultsOfModels(model => options.modelFault(model, options.endpoint))
  }

  faultOf({ custom_id: id, method, url, body }: Fields, line: number): LineFault | undefined {
    const { endpoint } = this.#options
    if (typeof id !== 'string' || id === '') return required('custom_id', 'must be a text, and not empty')
    if (id.length > LONGEST_ID)
      return {
        code: 'invalid_request',
        message: `custom_id has more than ${LONGEST_ID} characters.`,
        param: 'custom_id',
      }
    if (!canBeKept(id)) return { code: 'invalid_request', message: UNKEPT, param: 'custom_id' }
    const first = this.#lines.get(id)
    if (first !== undefined)
      return {
        code: 'duplicate_custom_id',
        message: `custom_id is that of line ${first} too.`,
        param: 'custom_id',
      }
    this.#lines.set(id, line)
    if (method !== 'POST') return { code: 'invalid_method', message: 'method must be POST.', param: 'method' }
    if (url !== endpoint)
      return {
        code: 'invalid_url',
        message: `url must be ${endpoint}, the endpoint of the batch.`,
        param: 'url',
      }
    return isObject(body) ? this.#bodyFault(body) : required('body', 'must be an object')
  }

  #bodyFault({ model: named, stream }: Fields): LineFault | undefined {
    const model = named ?? this.#options.defaultModelOf(this.#options.endpoint)
    if (typeof model !== 'string' || model === '') return required('body.model')
    if (stream === true)
      return { code: 'invalid_request', message: 'stream must not be true in a batch.', param: 'body.stream' }
    const message = this.#faultOfModel(model)
    return message === undefined ? undefined : { code: 'model_not_found', message, param: 'body.model' }
  }
}

const itemOf = async (
  text: string,
  { custom_id: id, body }: Fields,
  { endpoint, defaultModelOf }: InputOptions,
): Promise<NewItem<V1Request>> => ({
  id: String(id),
  request: {
    url: endpoint,
    model: String((body as Fields).model ?? defaultModelOf(endpoint)),
    json: memberIn(await inTurns(scanMembers(text)), 'body') ?? '{}',
  },
})

/** The value of a line; or its fault, which never quotes the line. */
const parsed = async (text: string): Promise<Readonly<{ value: Fields } | { fault: string }>> => {
  try {
    const value = await jsonInTurnsOrThrow(text)
    return isObject(value) ? { value } : { fault: 'This line is not a JSON object.' }
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    return { fault: error.message.replace('body: ', 'This line ') }
  }
}

/**
 * The items of a batch's file, in OpenAI's format of one request a line (platform.openai.com/docs/guides/batch). Faults
 * are collected, and lines that have any are left out.
 */
export async function* itemsOf(
  path: string,
  faults: LineFaults,
  options: InputOptions,
): AsyncGenerator<NewItem<V1Request>> {
  const check = new LineCheck(options)
  let count = 0
  for await (const read of linesOf(createReadStream(path), options.maxBytes)) {
    await turn()
    await options.onLine?.()
    const { line } = read
    count += 1
    if (count > options.mostItems) {
      const message = `The file has more than ${options.mostItems.toLocaleString('en')} requests.`
      return faults.add({ code: 'too_many_tasks', message, line })
    }
    const found = 'fault' in read ? read : await parsed(read.text)
    if ('fault' in found) {
      faults.add({ code: 'invalid_json_line', message: found.fault, line })
      continue
    }
    const fault = check.faultOf(found.value, line)
    if (fault) faults.add({ ...fault, line })
    else if ('text' in read) yield await itemOf(read.text, found.value, options)
  }
  if (count === 0) faults.add({ code: 'empty_file', message: 'The file holds no requests.' })
}
