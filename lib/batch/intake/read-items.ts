import { GatewayError } from '../../errors.ts'
import { turn } from '../../loop-turns.ts'
import type { ItemBody, itemBody } from '../../validation/batch.ts'
import { parseOrThrow, requirement } from '../../validation/zod.ts'
import { messagesBelow } from '../instruction.ts'
import type { ChatRequest, ItemSource, NewItem } from '../types.ts'
import { type Draft, type Finding, withoutNull } from './draft.ts'
import type { UploadedFile } from './limits.ts'
import { Notices } from './notices.ts'
import { findingsIn } from './read-file.ts'

const MOST_FAULTS = 100
const LONGEST_FAULT = 1_000

export type ReadOptions = Readonly<{
  /** Precedes every item's content. */
  instruction?: string | undefined
  /** The model of items that name none. */
  model?: string | undefined
  /** The schema of an item. */
  schema: ReturnType<typeof itemBody>
  /** What is wrong with a model's name; undefined where the model is available. */
  modelFault?: (model: string) => string | undefined
  /** The gateway's name of a model that has this name at OpenAI; the name itself when absent. */
  openAiModel?: (model: string) => string
  mostItems: number
}>

/** A fault in an upload: in which file, and where it has lines, in which of them. */
export type FileFault = ItemSource & Readonly<{ message: string }>

export type FileFaults = Readonly<{
  /** The first 100. */
  faults: readonly FileFault[]
  /** How many there are besides. */
  more: number
  /** How many items are valid. */
  items: number
  /** What was ignored in files that are accepted. */
  warnings: readonly string[]
}>

type Checked = Readonly<
  { item: NewItem<ChatRequest> } | { fault: FileFault } | { file: string; notice: string }
>

type Location = Exclude<Finding, { notice: string }>

const locationOf = ({ name }: UploadedFile, { line, at }: Location): string =>
  at === undefined && line !== undefined ? `${name}:${line}` : `${name}${at ?? ''}`

type Fields = Draft['fields']

/** Whether it has exactly one of prompt and messages and can follow an instruction; anything else is a fault. */
const asks = ({ prompt, messages }: Fields): boolean => {
  if (prompt === undefined) return Array.isArray(messages)
  return messages === undefined && typeof prompt === 'string' && prompt.trim() !== ''
}

/**
 * An item as submitted. It is checked together with the instruction, as messages: their limit applies, not the shorter
 * one of prompts. It is kept without the instruction.
 * @throws GatewayError INVALID_INPUT
 */
const checkedItem = (
  schema: ReadOptions['schema'],
  fields: Fields,
  instruction: string | undefined,
): ItemBody => {
  if (!asks(fields)) return parseOrThrow(schema, fields)
  const { prompt, messages, ...others } = fields as { prompt?: string; messages?: readonly unknown[] }
  const said = messagesBelow(instruction, { prompt, messages })
  const checked = parseOrThrow(schema, { ...others, messages: said })
  if (prompt !== undefined) return { ...checked, messages: undefined, prompt }
  return { ...checked, messages: checked.messages?.slice(instruction === undefined ? 0 : 1) }
}

const same = (name: string): string => name

async function* checkedItems(
  files: readonly UploadedFile[],
  { instruction, model, schema, modelFault, openAiModel = same, mostItems }: ReadOptions,
): AsyncGenerator<Checked> {
  const ids = new Set<string>()
  const above = instruction?.trim() || undefined

  const itemOf = (draft: Draft, source: ItemSource, location: string): Checked => {
    const fault = (message: string) => ({ fault: { ...source, message } })
    const instruction = draft.isOpenAi ? undefined : above
    try {
      const fields = { ...withoutNull(draft.fields), model: draft.fields.model ?? model }
      const { id = location, ...asked } = checkedItem(schema, fields, instruction)
      const request = draft.isOpenAi && asked.model ? { ...asked, model: openAiModel(asked.model) } : asked
      if (ids.has(id)) return fault('id is used by another item')
      ids.add(id)
      const wrong = request.model === undefined ? undefined : modelFault?.(request.model)
      if (wrong !== undefined) return fault(wrong)
      return { item: { id, request, instructed: instruction !== undefined, source } }
    } catch (thrown) {
      return fault(requirement(thrown))
    }
  }

  let count = 0
  for (const file of files)
    for await (const found of findingsIn(file, above !== undefined)) {
      await turn()
      if ('notice' in found) {
        yield { file: file.name, notice: found.notice }
        continue
      }
      const source: ItemSource = { file: file.name, ...(found.line !== undefined && { line: found.line }) }
      const inside = found.at === undefined ? '' : `${found.at} `
      count += 1
      if (count > mostItems) {
        yield { fault: { ...source, message: `more than ${mostItems.toLocaleString('en')} items` } }
        return
      }
      if ('draft' in found && found.draft.notice !== undefined)
        yield { file: file.name, notice: found.draft.notice }
      const checked =
        'fault' in found
          ? { fault: { ...source, message: found.fault } }
          : itemOf(found.draft, source, locationOf(file, found))
      if ('fault' in checked) {
        const message = `${inside}${checked.fault.message}`.slice(0, LONGEST_FAULT)
        yield { fault: { ...checked.fault, message } }
      } else yield checked
    }
  const [first] = files
  if (count === 0 && first) yield { fault: { file: first.name, message: 'has no items' } }
}

/** Reads all files once and finds what is wrong in them, so that a job is submitted whole or not at all. */
export const faultsOf = async (files: readonly UploadedFile[], options: ReadOptions): Promise<FileFaults> => {
  const faults: FileFault[] = []
  let more = 0
  let items = 0
  const notices = new Notices()
  for await (const checked of checkedItems(files, options)) {
    if ('item' in checked) items += 1
    else if ('notice' in checked) notices.add(checked.file, checked.notice)
    else if (faults.length < MOST_FAULTS) faults.push(checked.fault)
    else more += 1
  }
  return { faults, more, items, warnings: notices.all }
}

/**
 * The items of all files, one in memory at a time (a `.json` file whole). An item without an id gets its number:
 * `notes.txt`, `rows.csv:7`, `items.json[3]`. The limit of messages holds for what files contain, even where it is
 * called a prompt.
 * @throws GatewayError INVALID_INPUT at the first fault; `faultsOf` finds them all beforehand.
 */
export async function* readItems(
  files: readonly UploadedFile[],
  options: ReadOptions,
): AsyncGenerator<NewItem<ChatRequest>> {
  for await (const checked of checkedItems(files, options)) {
    if ('item' in checked) yield checked.item
    else if ('fault' in checked) {
      const { file, line, message } = checked.fault
      const path = line === undefined ? file : `${file}:${line}`
      throw new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })
    }
  }
}
