import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemCode } from '../system-error.ts'

/**
 * Creates a directory and its parents. Node's own `recursive` never returns where an existing directory reports ENOENT,
 * as `/proc` does. @throws the system's error
 */
export const makeDirectory = (path: string): void => {
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}
