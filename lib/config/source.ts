import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../clock.ts'
import type { ProviderListing } from '../llm/catalog.ts'
import { checkConfig } from './check.ts'
import { ConfigurationError } from './env.ts'
import { faultLine } from './file.ts'
import type { ConfigFile } from './file-schema.ts'

const QUIET_MS = 100
/** How often to look without an event: some file systems, and links into other directories, bring none. */
const ANYWAY_MS = 5_000

/**
 * Calls `look` when the file may have changed: after any event in its directory, which covers a replaced file and the
 * links that Kubernetes swaps; on SIGHUP; and every five seconds. `look` compares the content itself.
 */
const watchConfig = (path: string, clock: Clock, look: () => void): void => {
  let settling: ReturnType<Clock['timer']> | undefined
  const onEvent = () => {
    settling?.cancel()
    settling = clock.timer(QUIET_MS, look)
  }
  let listener: FSWatcher | undefined
  try {
    listener = watch(dirname(path), { persistent: false }, onEvent)
    // The directory itself may be removed; polling every five seconds continues.
    listener.on('error', () => listener?.close())
  } catch {
    listener = undefined
  }
  const anyway = clock.timer(ANYWAY_MS, () => {
    look()
    anyway.refresh()
  })
  process.on('SIGHUP', look)
}

/** One reading of the file. `isReload` is false for the one at the start. */
export type ConfigReading = Readonly<{ faults: readonly string[]; isReload: boolean }>

type ConfigSourceDeps = Readonly<{
  path: string
  listings: readonly ProviderListing[]
  /** Called after each reading of a changed file; without faults it has been applied. */
  onRead: (reading: ConfigReading) => void
  /** Applies a valid configuration as a whole; throws ConfigurationError where it conflicts with the environment. */
  apply: (config: ConfigFile) => void
}>

const textAt = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new ConfigurationError([`GATEWAY_CONFIG cannot be read (${code})`])
  }
}

const checkedOrThrow = (text: string, listings: readonly ProviderListing[]) => {
  const checked = checkConfig(text, listings)
  if (checked.ok) return checked
  throw new ConfigurationError(checked.faults.map(faultLine))
}

/** The configuration in the file at a path. @throws ConfigurationError with every fault */
export const readConfig = (path: string, listings: readonly ProviderListing[]): ConfigFile =>
  checkedOrThrow(textAt(path), listings).config

const MAX_REPORTED = 3
const EMPTIED = '(file): is empty; write {} to set nothing'

/** The configuration file as last read. A fault in it affects only health and metrics. */
export class ConfigSource {
  readonly #deps: ConfigSourceDeps
  #text: string | undefined
  #faults: readonly string[] = []

  constructor(deps: ConfigSourceDeps) {
    this.#deps = deps
  }

  /** @throws ConfigurationError with every fault. For the start, where there is no previous configuration to keep. */
  start(): void {
    this.#take()
    this.#deps.onRead({ faults: [], isReload: false })
  }

  /** Reads the file again and applies it, if its content has changed and is valid. */
  readonly look = (): void => {
    try {
      if (!this.#take()) return
      this.#faults = []
      this.#deps.onRead({ faults: [], isReload: true })
    } catch (error) {
      const faults = error instanceof ConfigurationError ? error.faults : ['it could not be applied']
      if (faults.join() === this.#faults.join()) return
      this.#faults = faults
      this.#deps.onRead({ faults, isReload: true })
    }
  }

  /** The faults of the current file as text; undefined where it is valid. */
  get problem(): string | undefined {
    if (this.#faults.length === 0) return undefined
    const more = this.#faults.length > MAX_REPORTED ? ` and ${this.#faults.length - MAX_REPORTED} more` : ''
    const reported = this.#faults.slice(0, MAX_REPORTED).join('; ')
    return `the previous configuration stays in effect: ${reported}${more}`
  }

  /** @returns whether the file changed. An invalid text counts as unread: it may become valid without a change. */
  #take(): boolean {
    const text = textAt(this.#deps.path)
    if (text === this.#text && this.#faults.length === 0) return false
    const checked = checkedOrThrow(text, this.#deps.listings)
    // It may be about to be written.
    if (checked.isEmpty && this.#text !== undefined) throw new ConfigurationError([EMPTIED])
    this.#deps.apply(checked.config)
    this.#text = text
    return true
  }
}

/** The file at that path, applied and watched; undefined where there is no path. Throws as `start` does. */
export const configSource = (
  { path, ...deps }: Omit<ConfigSourceDeps, 'path'> & Readonly<{ path: string | undefined }>,
  clock: Clock,
): ConfigSource | undefined => {
  if (path === undefined) return undefined
  const source = new ConfigSource({ ...deps, path })
  source.start()
  watchConfig(path, clock, source.look)
  return source
}
