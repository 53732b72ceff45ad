import { isObject } from '../../../raw-json.ts'
/** Upstreams omit, null or rename documented fields: every part of an answer is optional. */
export type Lenient<T> = T extends readonly (infer Item)[]
  ? readonly Lenient<Item>[] | null
  : T extends object
    ? { readonly [Key in keyof T]?: Lenient<T[Key]> | null }
    : T

/** An upstream's object with unknown fields. */
export type Fields = Readonly<Record<string, unknown>>

const BYTE_ORDER_MARK = '\ufeff'

/** A text's JSON value, with or without a byte order mark before it; undefined where it is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text)
  } catch {
    return undefined
  }
}

/** A value as an object; undefined where it is anything else, an array included. */
export const fieldsOf = (value: unknown): Fields | undefined => (isObject(value) ? value : undefined)

/** The objects of a list; none where it is no list. */
export const listIn = (value: unknown): readonly Fields[] =>
  Array.isArray(value) ? value.map(fieldsOf).filter((one): one is Fields => one !== undefined) : []

/** A non-empty string; undefined for every other value. */
export const wordIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** Parses a JSON object; undefined for anything else. */
export const parseObject = <T extends object>(json: string): T | undefined =>
  fieldsOf(parseJson(json)) as T | undefined
