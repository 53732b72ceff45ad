import type { z } from 'zod'
import { mapInTurns } from '../loop-turns.ts'
import { check, type FaultList } from './zod.ts'

/** A JSON value that was sent; to check a large one takes long. */
export type SentJson = Readonly<{ value: unknown; isLarge: boolean }>

type Path = readonly PropertyKey[]

/** Checks one value; undefined where it has faults, which were collected. */
export type CheckOne<T> = (value: unknown, at: Path) => T | undefined | Promise<T | undefined>

/** @param faults collects those of the values; where they are more than are reported, the next values are not checked */
export const bySchema =
  <S extends z.ZodType>(schema: S, faults: FaultList): CheckOne<z.output<S>> =>
  (value, at) => {
    const { data, faults: found } = check(schema, value, at)
    if (found) {
      faults.add(...found)
      faults.throwIfMore()
    }
    return data
  }

/** Checks a list that may be long element by element, between other work. Those with faults are left out. */
export const checkEach = async <T>(values: readonly unknown[], at: Path, one: CheckOne<T>): Promise<T[]> => {
  const checked = await mapInTurns(values, (value, index) => one(value, [...at, index]))
  return checked.filter(value => value !== undefined) as T[]
}

/**
 * Checks an object with a list in it: first the rest, and then the elements. What the elements become, the type does not
 * say.
 * @param outer checks the list as one of any elements
 */
export const withList =
  <T extends object>(outer: CheckOne<T>, name: string, element: CheckOne<unknown>): CheckOne<T> =>
  async (value, at) => {
    const data = await outer(value, at)
    const list = data && (data as Readonly<Record<string, unknown>>)[name]
    if (!data || !Array.isArray(list)) return data
    return { ...data, [name]: await checkEach(list, [...at, name], element) }
  }
