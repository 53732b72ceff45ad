import { JsonFault, parseJson } from '../../validation/json.ts'
import { fault, itemOfJson, type Place, type Read, type Wishes } from './item.ts'
import { JsonElements } from './json-elements.ts'
import { linesOf } from './lines.ts'
import { textOf, wholeText } from './text.ts'

/** One JSON value, as it was written, with where it stands. */
const readValue = (text: string | undefined, source: Place, wishes: Wishes, longest: number): Read => {
  if (text === undefined) return fault(source, `is longer than ${longest.toLocaleString('en')} characters`)
  try {
    return itemOfJson(parseJson(text), text, source, wishes)
  } catch (error) {
    if (error instanceof JsonFault) return fault(source, error.message)
    throw error
  }
}

/** JSON values, a line each; empty lines are passed over. */
export async function* jsonlItems(
  path: string,
  file: string,
  wishes: Wishes,
  longest: number,
): AsyncGenerator<Read> {
  for await (const { number, text } of linesOf(textOf(path), longest))
    if (text === undefined || text.trim() !== '')
      yield readValue(text, { file, line: number }, wishes, longest)
}

/** The elements of one list, however long. */
async function* listItems(path: string, file: string, wishes: Wishes, longest: number): AsyncGenerator<Read> {
  const elements = new JsonElements(longest)
  let element = 0
  for await (const portion of textOf(path))
    for (const { line, text } of elements.push(portion)) {
      element += 1
      yield readValue(text, { file, line, element }, wishes, longest)
    }
  elements.end()
}

/** One value that is no list: `{ "items": […] }`, or one item. */
const loneItems = async (
  path: string,
  file: string,
  wishes: Wishes,
  longest: number,
): Promise<readonly Read[]> => {
  const text = await wholeText(path, longest)
  if (text === undefined)
    return [
      fault({ file }, `is one value of more than ${longest.toLocaleString('en')} characters: send a list`),
    ]
  const value = parseJson(text)
  const items = typeof value === 'object' && value !== null && 'items' in value ? value.items : undefined
  if (!Array.isArray(items)) return [itemOfJson(value, text, { file }, wishes)]
  return items.map((item, index) =>
    itemOfJson(item, JSON.stringify(item), { file, element: index + 1 }, wishes),
  )
}

const beginsList = async (path: string): Promise<boolean> => {
  for await (const text of textOf(path)) {
    const first = text.trimStart()[0]
    if (first !== undefined) return first === '['
  }
  return false
}

/** The items of a JSON file: a list, an object with a list of `items`, or one item. */
export async function* jsonItems(
  path: string,
  file: string,
  wishes: Wishes,
  longest: number,
): AsyncGenerator<Read> {
  try {
    if (await beginsList(path)) yield* listItems(path, file, wishes, longest)
    else yield* await loneItems(path, file, wishes, longest)
  } catch (error) {
    if (!(error instanceof JsonFault || error instanceof SyntaxError)) throw error
    yield fault({ file }, error.message)
  }
}
