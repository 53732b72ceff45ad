import { type Fault, GatewayError } from '../../errors.ts'
import type { NewItem } from '../types.ts'
import { csvItems } from './csv-rows.ts'
import { fault, itemOfText, placeOf, type Read, type Wishes } from './item.ts'
import { jsonItems, jsonlItems } from './json-items.ts'
import { textOf, wholeText } from './text.ts'
import type { UploadedFile } from './upload.ts'

export type ReadOptions = Wishes &
  Readonly<{
    /** Characters of the longest line, row or list element. */
    longest: number
  }>

async function* fileItems({ name, path, kind }: UploadedFile, options: ReadOptions): AsyncGenerator<Read> {
  const { longest } = options
  switch (kind) {
    case 'text': {
      const text = await wholeText(path, longest)
      yield text === undefined
        ? fault(
            { file: name },
            `has more than ${longest.toLocaleString('en')} characters, which is too much for one question`,
          )
        : itemOfText(text, { file: name }, options)
      return
    }
    case 'csv':
      return yield* csvItems(textOf(path), name, options, longest)
    case 'json':
      return yield* jsonItems(path, name, options, longest)
    case 'jsonl':
      return yield* jsonlItems(path, name, options, longest)
  }
}

/** All items of an upload in order, or what is wrong where they should be. */
async function* readAll(files: readonly UploadedFile[], options: ReadOptions): AsyncGenerator<Read> {
  for (const file of files) {
    try {
      yield* fileItems(file, options)
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error
      yield fault({ file: file.name }, error.message)
    }
  }
}

export type Survey = Readonly<{
  items: number
  /** Characters of all that is asked. */
  characters: number
  /** The first ones, and how many there are. */
  faults: readonly Fault[]
  faultCount: number
}>

export type SurveyOptions = ReadOptions &
  Readonly<{
    mostItems: number
    /** What is wrong with a model's name; nothing where it can be asked. */
    modelFault: (model: string) => string | undefined
  }>

const MOST_KEPT = 100

const charactersOf = ({ request }: NewItem): number =>
  (request.prompt?.length ?? 0) +
  (request.messages ?? []).reduce((sum, { content }) => sum + content.length, 0)

/** Reads all of an upload once, to find everything that is wrong with it before any of it is taken. */
export const survey = async (files: readonly UploadedFile[], options: SurveyOptions): Promise<Survey> => {
  const faults: Fault[] = []
  const places = new Map<string, string>()
  let items = 0
  let characters = 0
  let faultCount = 0
  const add = (found: readonly Fault[]) => {
    faultCount += found.length
    faults.push(...found.slice(0, MOST_KEPT - faults.length))
  }
  for await (const read of readAll(files, options)) {
    items += 1
    if ('faults' in read) {
      add(read.faults)
      continue
    }
    const { id, source, request } = read.item
    characters += charactersOf(read.item)
    const path = source ? placeOf(source) : id
    const taken = places.get(id)
    if (taken === undefined) places.set(id, path)
    else add([{ path, message: `has the id of ${taken}` }])
    const wrong = request.model === undefined ? undefined : options.modelFault(request.model)
    if (wrong !== undefined) add([{ path, message: wrong }])
  }
  const { mostItems } = options
  if (items > mostItems)
    add([
      {
        path: 'file',
        message: `files hold ${items.toLocaleString('en')} items; ${mostItems.toLocaleString('en')} are allowed`,
      },
    ])
  if (items === 0) add([{ path: 'file', message: 'holds no items' }])
  return { items, characters, faults, faultCount }
}

/** The items of an upload that was found to be without fault. */
export async function* itemsOf(
  files: readonly UploadedFile[],
  options: ReadOptions,
): AsyncGenerator<NewItem> {
  for await (const read of readAll(files, options)) if ('item' in read) yield read.item
}
