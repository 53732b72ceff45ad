import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '..')
export const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name)

/** Prints progress. */
export const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Runs a command with its output shown, and returns its exit code. */
export const run = async (
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<number> => {
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, ...env } })
  const [code] = await once(child, 'exit')
  return code ?? 1
}
