import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

const codeOf = (error: unknown): string | undefined => (error as { code?: string }).code

/**
 * Makes a directory and those above it. Node's own `recursive` never returns where a directory that exists says it
 * does not, as `/proc` does. @throws the system's error
 */
export const makeDirectory = (path: string): void => {
  const parent = dirname(path)
  if (parent !== path && !existsSync(parent)) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
