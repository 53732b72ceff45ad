import { inTurns } from '../../../loop-turns.ts'
import { hasLongText, type Packed, pack } from './long-texts.ts'
import { type GroupResult, receivedError, type Statement, type StatementResult } from './messages.ts'
import type { Mutex } from './mutex.ts'
import type { RecordsThread } from './thread-handle.ts'

type Waiting = Readonly<{
  statements: Packed<readonly Statement[]>
  /** Undefined where a statement that must match did not. */
  resolve: (results: readonly StatementResult[] | undefined) => void
  reject: (error: unknown) => void
}>

/** Their messages are written and read in one go. */
const MOST_GROUPS = 32

const settle = ({ resolve, reject }: Waiting, result: GroupResult | undefined): void => {
  if (result === undefined) reject(new Error('the database’s thread has not answered'))
  else if ('error' in result) reject(receivedError(result.error))
  else resolve('unmatched' in result ? undefined : result.results)
}

/**
 * Small transactions that wait for each other are committed together: a message to the thread and a commit cost more
 * than their statements. Each still takes effect as a whole or not at all.
 */
export class GroupCommit {
  readonly #thread: RecordsThread
  readonly #writing: Mutex
  #waiting: Waiting[] = []
  #isCommitting = false

  /** @param writing held while a transaction of another kind is open */
  constructor(thread: RecordsThread, writing: Mutex) {
    this.#thread = thread
    this.#writing = writing
  }

  /** @returns undefined where a statement that must match a row matched none; then nothing has changed */
  async run(statements: readonly Statement[]): Promise<readonly StatementResult[] | undefined> {
    // Before its turn to write: others do not wait for it.
    if (hasLongText(statements)) return this.#enqueue(await inTurns(pack(statements)))
    return this.#enqueue({ packed: statements, buffers: [] })
  }

  #enqueue(statements: Waiting['statements']): Promise<readonly StatementResult[] | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, resolve, reject })
      if (!this.#isCommitting) void this.#commitAll()
    })
  }

  async #commitAll(): Promise<void> {
    this.#isCommitting = true
    while (this.#waiting.length > 0) await this.#writing.run(() => this.#commit())
    this.#isCommitting = false
  }

  async #commit(): Promise<void> {
    const groups = this.#waiting.splice(0, MOST_GROUPS)
    try {
      const results = await this.#thread.commit({
        packed: groups.map(({ statements: { packed } }) => packed),
        buffers: groups.flatMap(({ statements: { buffers } }) => buffers),
      })
      for (const [index, group] of groups.entries()) settle(group, results[index])
    } catch (error) {
      for (const { reject } of groups) reject(error)
    }
  }
}
