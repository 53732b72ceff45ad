import packageJson from '../package.json' with { type: 'json' }

/** The flags that `npm start` gives Node. */
export const START_FLAGS: readonly string[] = packageJson.scripts.start
  .split(' ')
  .filter(word => word.startsWith('--'))
