import { format, stripVTControlCharacters } from 'node:util'
import type { Logger } from '../observability/logger.ts'

const LONGEST = 500
const LEVELS = { error: 'error', warn: 'warn', info: 'debug', log: 'debug', debug: 'debug' } as const

type Printer = { [Method in keyof typeof LEVELS]: (...values: unknown[]) => void }

/**
 * Redirects what libraries print to the log, one JSON line each, an error's stack inside it: Next prints its errors
 * over many lines and unredacted.
 */
export const logConsole = (logger: Logger, target: Printer = console): void => {
  for (const [method, level] of Object.entries(LEVELS)) {
    const print = (...values: unknown[]): void => {
      const err = values.find(value => value instanceof Error)
      const text = stripVTControlCharacters(format(...values.filter(value => value !== err))).trim()
      logger[level](
        { component: 'console', ...(err && { err }) },
        text.slice(0, LONGEST) || 'a library failed',
      )
    }
    Object.assign(target, { [method]: print })
  }
}
