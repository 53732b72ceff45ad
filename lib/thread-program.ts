import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The path of the program of a worker thread: `thread.ts` beside the module of this URL, or `thread.js` in the bundle of
 * `scripts/bundle.ts`. It is joined at run time, so that Next's bundler leaves the file alone, which Node runs directly.
 */
export const threadProgram = (moduleUrl: string): string => {
  const path = fileURLToPath(moduleUrl)
  return join(dirname(path), `thread${extname(path)}`)
}
