import { existsSync } from 'node:fs'

/** Fills in what `.env.local` and `.env` say, where the environment says nothing. Next does so by itself. */
export const loadEnvFiles = (): void => {
  for (const file of ['.env.local', '.env']) if (existsSync(file)) process.loadEnvFile(file)
}
