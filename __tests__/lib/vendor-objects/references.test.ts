import { describe, expect, it } from 'vitest'
import { inTurns } from '#lib/loop-turns.ts'
import { referencesInForm, scanReferences } from '#lib/vendor-objects/references.ts'

const pathsIn = async (value: unknown): Promise<string[]> =>
  (await inTurns(scanReferences(value))).map(({ path, id }) => `${path}=${id}`)

describe('references to objects at a vendor', () => {
  it.each<[string, unknown, string]>([
    [
      'a file of a chat',
      { messages: [{ content: [{ file: { file_id: 'file-1' } }] }] },
      'messages[0].content[0].file.file_id=file-1',
    ],
    [
      'an audio answer',
      { messages: [{ role: 'assistant', audio: { id: 'audio_1' } }] },
      'messages[0].audio.id=audio_1',
    ],
    ['a voice', { audio: { format: 'mp3', voice: { id: 'voice_1' } } }, 'audio.voice.id=voice_1'],
    [
      'a file of an item',
      { input: [{ content: [{ type: 'input_file', file_id: 'file-1' }] }] },
      'input[0].content[0].file_id=file-1',
    ],
    [
      'a file of a tool’s result',
      { input: [{ output: [{ type: 'input_image', file_id: 'file-1' }] }] },
      'input[0].output[0].file_id=file-1',
    ],
    [
      'a screenshot',
      { input: [{ type: 'computer_call_output', output: { file_id: 'file-1' } }] },
      'input[0].output.file_id=file-1',
    ],
    [
      'a vector store',
      { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] },
      'tools[0].vector_store_ids=vs_1',
    ],
    [
      'a container',
      { tools: [{ type: 'code_interpreter', container: 'cntr_1' }] },
      'tools[0].container=cntr_1',
    ],
    [
      'a new container’s files',
      { tools: [{ container: { type: 'auto', file_ids: ['file-1'] } }] },
      'tools[0].container.file_ids=file-1',
    ],
    [
      'a container to be used again',
      { input: [{ type: 'code_interpreter_call', container_id: 'cntr_1' }] },
      'input[0].container_id=cntr_1',
    ],
    [
      'a shell’s environment',
      { tools: [{ type: 'shell', environment: { type: 'container_reference', container_id: 'cntr_1' } }] },
      'tools[0].environment.container_id=cntr_1',
    ],
    [
      'a skill',
      { tools: [{ environment: { skills: [{ type: 'skill_reference', skill_id: 'skill_1' }] } }] },
      'tools[0].environment.skills[0].skill_id=skill_1',
    ],
    [
      'a tool of a group',
      { tools: [{ type: 'namespace', tools: [{ vector_store_ids: ['vs_1'] }] }] },
      'tools[0].tools[0].vector_store_ids=vs_1',
    ],
    [
      'a mask',
      { tools: [{ input_image_mask: { file_id: 'file-1' } }] },
      'tools[0].input_image_mask.file_id=file-1',
    ],
    ['a tunnel', { tools: [{ type: 'mcp', tunnel_id: 'tun_1' }] }, 'tools[0].tunnel_id=tun_1'],
    ['a prompt', { prompt: { id: 'pmpt_1', version: '2' } }, 'prompt.id=pmpt_1'],
    [
      'a file of a prompt',
      { prompt: { variables: { a: { type: 'input_file', file_id: 'file-1' } } } },
      'prompt.variables.a.file_id=file-1',
    ],
    ['an image of an answer', { input: [{ type: 'image_generation_call', id: 'ig_1' }] }, 'input[0].id=ig_1'],
    [
      'an answer to compare with',
      { prompt_cache_options: { comparison_response_id: 'resp_1' } },
      'prompt_cache_options.comparison_response_id=resp_1',
    ],
    [
      'a file of a message',
      { messages: [{ content: [{ source: { type: 'file', file_id: 'file_1' } }] }] },
      'messages[0].content[0].source.file_id=file_1',
    ],
    ['Anthropic’s container', { container: 'container_1' }, 'container=container_1'],
    ['the same with skills', { container: { id: 'container_1', skills: [] } }, 'container.id=container_1'],
    [
      'a skill of the account',
      { container: { skills: [{ type: 'custom', skill_id: 'skill_1' }] } },
      'container.skills[0].skill_id=skill_1',
    ],
    [
      'a message to compare with',
      { diagnostics: { previous_message_id: 'msg_1' } },
      'diagnostics.previous_message_id=msg_1',
    ],
    [
      'cached content',
      { extra_body: { google: { cached_content: 'cachedContents/1' } } },
      'extra_body.google.cached_content=cachedContents/1',
    ],
    ['an id written as a number', { file_id: 1 }, 'file_id=1'],
  ])('%s is found', async (_, body, found) => {
    expect(await pathsIn(body)).toEqual([found])
  })

  it('come in the order in which they stand', async () => {
    const body = { input: [{ file_id: 'a' }, { file_id: 'b' }], tools: [{ vector_store_ids: ['c', 'd'] }] }
    expect((await inTurns(scanReferences(body))).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it.each<[string, unknown]>([
    ['no value', { file_id: null, container: null, prompt: null, file_ids: [], vector_store_ids: [] }],
    ['an empty one', { file_id: '' }],
    ['a text', 'file_id'],
    ['a text in place of an object', { prompt: 'pmpt_1', audio: 'a', voice: 'alloy' }],
    ['a new container', { tools: [{ container: { type: 'auto', memory_limit: '4g' } }] }],
    ['a vendor’s own skill', { container: { skills: [{ type: 'anthropic', skill_id: 'pptx' }] } }],
    ['an image that is there', { input: [{ type: 'image_generation_call', id: 'ig_1', result: 'AAAA' }] }],
    ['the parameters of a tool', { tools: [{ parameters: { file_id: 'x', properties: { file_id: {} } } }] }],
    ['its schema', { tools: [{ input_schema: { container: 'x' } }], format: { schema: { file_id: 'x' } } }],
    ['the input of a tool', { messages: [{ content: [{ type: 'tool_use', input: { file_id: 'x' } }] }] }],
    ['metadata', { metadata: { file_id: 'mine', container: 'mine' } }],
    ['documents to rank', { documents: [{ file_id: 'mine' }] }],
    [
      'other ids',
      {
        messages: [{ tool_call_id: 'c', content: [{ type: 'tool_use', id: 't' }] }],
        input: [{ id: 'rs_1', call_id: 'c' }],
      },
    ],
  ])('are not %s', async (_, body) => {
    expect(await pathsIn(body)).toEqual([])
  })

  it('are found in a form however its fields are spelled', () => {
    const parts = [
      'file_id',
      'images[0][file_id]',
      'images[].file_id',
      'mask.file_id',
      'file_ids[]',
      'voice[id]',
      'prompt',
      'id',
    ].map(name => ({ name, value: 'x' }))
    expect(referencesInForm(parts).map(({ path }) => path)).toEqual(parts.slice(0, 6).map(({ name }) => name))
  })
})
