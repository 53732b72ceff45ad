import { globSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

/** Shorter files fit into one packet either way. */
const SMALLEST_BYTES = 1_000
const TEXTS = '**/*.{js,css,svg,json,txt}'

const brotli = promisify<Buffer, object, Buffer>(brotliCompress)
const gzipped = promisify<Buffer, object, Buffer>(gzip)

const writeSmaller = async (file: string, source: Buffer, smaller: Buffer): Promise<void> => {
  if (smaller.length < source.length) await writeFile(file, smaller)
}

const compressFile = async (file: string): Promise<void> => {
  const source = await readFile(file)
  if (source.length <= SMALLEST_BYTES) return
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: source.length,
  }
  await Promise.all([
    brotli(source, { params }).then(bytes => writeSmaller(`${file}.br`, source, bytes)),
    gzipped(source, { level: constants.Z_BEST_COMPRESSION }).then(bytes =>
      writeSmaller(`${file}.gz`, source, bytes),
    ),
  ])
}

/** Writes a `.br` and a `.gz` beside every text file of a folder, as small as they can be. */
export const precompress = async (folder: string): Promise<void> => {
  for (const file of globSync(TEXTS, { cwd: folder })) await compressFile(join(folder, file))
}
