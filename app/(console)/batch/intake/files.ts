/** The contract's bounds on `POST /api/batch/upload`. */
export const EXTENSIONS = ['.txt', '.md', '.csv', '.json', '.jsonl'] as const
export const MOST_FILES = 50
const MEGABYTE = 1_000_000
const LARGEST_BYTES = 50 * MEGABYTE
const MOST_BYTES = 100 * MEGABYTE

type Named = { name: string; size: number }

/** `.jsonl` of `Questions.JSONL`; empty where a name has none. */
export function extensionOf(name: string): string {
  return /\.[^.]+$/.exec(name)?.[0].toLowerCase() ?? ''
}

/** Why one file cannot be sent; undefined where it can. */
export function fileFault({ name, size }: Named): string | undefined {
  if (!EXTENSIONS.some(extension => extension === extensionOf(name)))
    return `Not a ${EXTENSIONS.slice(0, -1).join(', ')} or ${EXTENSIONS.at(-1)} file`
  if (size === 0) return 'This file is empty'
  return size > LARGEST_BYTES ? `Larger than ${bytes(LARGEST_BYTES)}` : undefined
}

/** Why these files cannot be sent together; undefined where they can. */
export function filesFault(files: readonly Named[]): string | undefined {
  if (files.length > MOST_FILES)
    return `${files.length} files are chosen, but a batch takes at most ${MOST_FILES}. Remove ${files.length - MOST_FILES}.`
  const size = files.reduce((sum, file) => sum + file.size, 0)
  return size > MOST_BYTES
    ? `The files are ${bytes(size)} together, but a batch takes at most ${bytes(MOST_BYTES)}. Remove some.`
    : undefined
}

/** `512 bytes`, `3.4 kB`, `12 MB`. */
export function bytes(count: number): string {
  if (count < 1_000) return count === 1 ? '1 byte' : `${count} bytes`
  const [amount, unit] = count < MEGABYTE ? [count / 1_000, 'kB'] : [count / MEGABYTE, 'MB']
  return `${amount < 10 ? amount.toFixed(1).replace(/\.0$/, '') : Math.round(amount)} ${unit}`
}
