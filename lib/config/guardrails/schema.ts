import { z } from 'zod'
import { PLACES } from '../../guardrails/types.ts'
import { guardrailJudges } from './judges.ts'

const name = z.string().min(1).max(200)
const score = z.number().min(0).max(1)
const SENSITIVE_KINDS = [
  'card',
  'email',
  'iban',
  'ip',
  'national-number',
  'phone',
  'private-key',
  'secret',
] as const

const inputAction = z.enum(['flag', 'redact', 'block', 'another-model'])
const outputAction = z.enum(['flag', 'redact', 'block'])

const injection = z.strictObject({
  preset: z.enum(['default', 'strict']).optional().describe('The scores where these are absent.'),
  flagFrom: score.optional().describe('From this score on a sentence is reported.'),
  blockFrom: score.optional().describe('From this score on the action is taken; 1 for never.'),
  action: inputAction.optional().describe('block when absent.'),
})

const sensitiveData = z.strictObject({
  input: z
    .union([z.literal('ignore'), inputAction])
    .optional()
    .describe('flag when absent.'),
  output: z
    .union([z.literal('ignore'), outputAction])
    .optional()
    .describe('ignore when absent.'),
  kinds: z
    .partialRecord(z.enum(SENSITIVE_KINDS), z.union([z.literal('ignore'), outputAction]))
    .optional()
    .describe('Kinds that are treated in another way, in the directions that are not ignored.'),
})

const list = z.strictObject({
  name: name.describe('In reports, in place of the words.'),
  kind: z.enum(['word', 'topic']).optional().describe('word when absent.'),
  words: z.array(z.string().trim().min(1).max(200)).min(1).max(2_000),
  action: outputAction.optional().describe('block when absent.'),
  places: z.array(z.enum(PLACES)).min(1).optional().describe('All when absent.'),
})

const rails = {
  mode: z
    .enum(['enforce', 'shadow'])
    .optional()
    .describe('shadow: findings are counted, and nothing is done about them.'),
  preset: z
    .enum(['default', 'strict'])
    .optional()
    .describe(
      'What applies where a rail is not set. strict blocks known attack phrases and redacts sensitive data.',
    ),
  injection: z.union([z.literal(false), injection]).optional(),
  sensitiveData: z.union([z.literal(false), sensitiveData]).optional(),
  canaries: z
    .strictObject({
      values: z
        .array(z.string().min(8).max(200))
        .min(1)
        .max(1_000)
        .describe(
          'Texts that no caller should see. A dollar sign with a name in braces stands for a variable.',
        ),
      action: outputAction.optional().describe('block when absent.'),
    })
    .optional(),
  systemPromptLeak: outputAction
    .optional()
    .describe('What happens where a model repeats 60 characters of its system prompt.'),
  lists: z.array(list).max(100).optional().describe('Words and topics.'),
  longestInputCharacters: z.int().min(1).max(33_554_432).optional().describe('Of one text.'),
  duplicates: z
    .strictObject({
      most: z.int().min(1).max(1_000).optional().describe('5 when absent.'),
      windowSeconds: z.int().min(1).max(86_400).optional().describe('60 when absent.'),
      action: z.enum(['refuse', 'slow']).optional().describe('refuse when absent.'),
    })
    .optional()
    .describe('The same content again and again from one caller.'),
  systemPrompt: z
    .string()
    .trim()
    .min(1)
    .max(100_000)
    .optional()
    .describe('Put before everything else that a model reads; clients cannot remove it.'),
  allowedModels: z
    .array(name)
    .min(1)
    .max(200)
    .optional()
    .describe('Names of models, with * for any characters; all when absent.'),
  answerSchema: z
    .strictObject({
      repair: z.boolean().optional().describe('Whether the model is asked once more; true when absent.'),
      schema: z
        .record(z.string(), z.unknown())
        .optional()
        .describe('In place of the schema that the client asks for.'),
    })
    .optional()
    .describe('Checks answers against their JSON schema.'),
  anotherModel: name.optional().describe('The model that answers where an action is another-model.'),
}

const rule = z.strictObject({
  name: name.optional(),
  enabled: z.boolean().optional().describe('false: these calls are not guarded.'),
  keys: z.array(name).min(1).max(200).optional().describe('Ids or names of keys, with * for any characters.'),
  owners: z.array(name).min(1).max(200).optional(),
  callers: z
    .array(z.enum(['anonymous', 'guest', 'key']))
    .min(1)
    .optional(),
  routes: z.array(name).min(1).max(50).optional().describe('Such as /v1/*.'),
  models: z
    .array(name)
    .min(1)
    .max(200)
    .optional()
    .describe('Models that are asked for, by any of their names, with * for any characters.'),
  ...rails,
  judges: z.array(name).max(20).optional().describe('Names of the judges that are asked; all when absent.'),
})

/** The section `guardrails` of the configuration file. */
export const guardrails = z.strictObject({
  enabled: z.boolean().optional().describe('ENABLE_GUARDRAILS when absent.'),
  ...rails,
  judges: guardrailJudges.optional(),
  rules: z
    .array(rule)
    .max(200)
    .optional()
    .describe('Other settings for some calls: the first rule that fits, over those above.'),
})

export type GuardrailsSection = z.output<typeof guardrails>
export type RailsSection = Omit<GuardrailsSection, 'enabled' | 'rules' | 'judges'>
