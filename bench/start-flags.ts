import { readFileSync } from 'node:fs'

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const start: string = scripts.start

/** The flags that `npm start` gives Node. */
export const START_FLAGS: readonly string[] = start.split(' ').filter(word => word.startsWith('--'))
