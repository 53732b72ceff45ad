const BACKSLASH = 92
const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

/** The position of the quote that ends a string, which begins before `from`; -1 where there is none. */
export const endOfString = (json: string, from: number): number => {
  for (let quote = json.indexOf('"', from); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0
    while (json.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return quote
  }
  return -1
}

const afterSpace = (json: string, from: number): number => {
  let at = from
  while (isSpace(json.charCodeAt(at))) at += 1
  return at
}

/** The position after the value that begins at `from`. */
const endOfValue = (json: string, from: number): number => {
  let depth = 0
  for (let at = from; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') {
      at = endOfString(json, at + 1)
      if (at === -1) break
    } else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      depth -= 1
    } else if (character === ',' && depth === 0) return at
    if (depth === 0 && (character === '"' || character === '}' || character === ']')) return at + 1
  }
  return json.length
}

/** The members of a valid JSON object's text, in order, with their values as they are written. */
export const membersOf = (json: string): readonly (readonly [name: string, value: string])[] => {
  const members: [string, string][] = []
  let at = afterSpace(json, json.indexOf('{') + 1)
  while (json[at] === '"') {
    const nameEnd = endOfString(json, at + 1)
    const name: string = JSON.parse(json.slice(at, nameEnd + 1))
    const start = afterSpace(json, afterSpace(json, nameEnd + 1) + 1)
    const end = endOfValue(json, start)
    members.push([name, json.slice(start, end).trimEnd()])
    at = afterSpace(json, end)
    if (json[at] === ',') at = afterSpace(json, at + 1)
  }
  return members
}

/** The elements of a valid JSON array's text, as they are written. */
export const elementsOf = (json: string): readonly string[] => {
  const elements: string[] = []
  let at = afterSpace(json, json.indexOf('[') + 1)
  while (at < json.length && json[at] !== ']') {
    const end = endOfValue(json, at)
    elements.push(json.slice(at, end).trimEnd())
    at = afterSpace(json, end)
    if (json[at] === ',') at = afterSpace(json, at + 1)
  }
  return elements
}

/** The text of an object with these members. */
export const objectOf = (members: readonly (readonly [name: string, value: string])[]): string =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`
