import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const ROOT = join(import.meta.dirname, '..')
export const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name)

/** Prints progress. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`)

/**
 * Runs a command with its output shown, and returns its exit code.
 * @param name set before each line of the output, where several commands run at the same time
 */
export const run = async (
  command: string,
  args: readonly string[],
  { env = {}, name }: Readonly<{ env?: Record<string, string>; name?: string }> = {},
): Promise<number> => {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: name ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: { ...process.env, ...env },
  })
  for (const input of [child.stdout, child.stderr])
    if (input) createInterface({ input }).on('line', line => say(`[${name}] ${line}`))
  const [code] = await once(child, 'close')
  return code ?? 1
}
