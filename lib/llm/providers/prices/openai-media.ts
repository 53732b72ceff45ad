import type { ImageOptions, ModelFacts } from '../definition.ts'

const PER_MINUTE = 60
const SMALL = '1024x1024'
const TALL = '1024x1792'
const WIDE = '1792x1024'
/** Members of newer models that the DALL·E models do not take. */
const OF_NEWER_MODELS = [
  'background',
  'moderation',
  'output_format',
  'output_compression',
  'partial_images',
  'input_fidelity',
  'stream',
]

const OF_GPT_IMAGE: ImageOptions = {
  sizes: [SMALL, '1536x1024', '1024x1536'],
  qualities: ['auto', 'low', 'medium', 'high'],
  drops: ['style', 'response_format'],
  mostImages: 10,
}

/**
 * OpenAI's models that do not chat. Prices: platform.openai.com/docs/pricing, standard tier, as public copies of that
 * page have them on 2026-11-27; an absent one is not known here.
 */
export const OTHER_MODELS: readonly ModelFacts[] = [
  {
    id: 'text-embedding-3-small',
    kind: 'embedding',
    contextTokens: 8_191,
    usdPerMillion: { input: 0.02, output: 0 },
  },
  {
    id: 'text-embedding-3-large',
    kind: 'embedding',
    contextTokens: 8_191,
    usdPerMillion: { input: 0.13, output: 0 },
  },
  {
    id: 'text-embedding-ada-002',
    kind: 'embedding',
    contextTokens: 8_191,
    usdPerMillion: { input: 0.1, output: 0 },
  },
  {
    id: 'gpt-3.5-turbo-instruct',
    kind: 'completion',
    contextTokens: 4_096,
    usdPerMillion: { input: 1.5, output: 2 },
  },
  { id: 'omni-moderation-latest', kind: 'moderation', usdPerMillion: { input: 0, output: 0 } },
  { id: 'text-moderation-latest', kind: 'moderation', usdPerMillion: { input: 0, output: 0 } },
  {
    id: 'dall-e-3',
    kind: 'image',
    unitPrice: {
      unit: 'image',
      usd: {
        [`standard ${SMALL}`]: 0.04,
        [`standard ${TALL}`]: 0.08,
        [`standard ${WIDE}`]: 0.08,
        [`hd ${SMALL}`]: 0.08,
        [`hd ${TALL}`]: 0.12,
        [`hd ${WIDE}`]: 0.12,
      },
    },
    image: {
      sizes: [SMALL, WIDE, TALL],
      qualities: ['standard', 'hd'],
      drops: OF_NEWER_MODELS,
      mostImages: 1,
    },
  },
  {
    id: 'dall-e-2',
    kind: 'image',
    unitPrice: {
      unit: 'image',
      usd: { 'standard 256x256': 0.016, 'standard 512x512': 0.018, [`standard ${SMALL}`]: 0.02 },
    },
    image: {
      sizes: [SMALL, '512x512', '256x256'],
      drops: ['quality', 'style', ...OF_NEWER_MODELS],
      mostImages: 10,
    },
  },
  {
    id: 'gpt-image-1',
    kind: 'image',
    usdPerMillion: { input: 5, cachedInput: 1.25, imageInput: 10, output: 40 },
    image: OF_GPT_IMAGE,
  },
  {
    id: 'gpt-image-2',
    kind: 'image',
    usdPerMillion: { input: 5, cachedInput: 1.25, imageInput: 8, output: 30 },
    image: OF_GPT_IMAGE,
  },
  {
    id: 'gpt-image-1.5',
    kind: 'image',
    usdPerMillion: { input: 5, cachedInput: 1.25, imageInput: 8, output: 32 },
    image: OF_GPT_IMAGE,
  },
  {
    id: 'gpt-image-1-mini',
    kind: 'image',
    usdPerMillion: { input: 2, cachedInput: 0.2, imageInput: 2.5, output: 8 },
    image: OF_GPT_IMAGE,
  },
  {
    id: 'whisper-1',
    kind: 'transcription',
    unitPrice: { unit: 'second', usd: 0.006 / PER_MINUTE },
  },
  {
    id: 'gpt-4o-transcribe',
    kind: 'transcription',
    usdPerMillion: { input: 2.5, audioInput: 6, output: 10 },
  },
  {
    id: 'gpt-4o-mini-transcribe',
    kind: 'transcription',
    usdPerMillion: { input: 1.25, audioInput: 3, output: 5 },
  },
  { id: 'tts-1', kind: 'speech', unitPrice: { unit: 'character', usdPerMillion: 15 } },
  { id: 'tts-1-hd', kind: 'speech', unitPrice: { unit: 'character', usdPerMillion: 30 } },
  // Its answer reports no usage unless it is streamed as events.
  { id: 'gpt-4o-mini-tts', kind: 'speech', usdPerMillion: { input: 0.6, output: 12 } },
]
