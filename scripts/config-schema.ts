import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configJsonSchema } from '#lib/config/file-schema.ts'

writeFileSync(join(import.meta.dirname, '../gateway-config.schema.json'), configJsonSchema())
