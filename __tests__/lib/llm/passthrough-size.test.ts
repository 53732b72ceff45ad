import { describe, expect, it } from 'vitest'
import type { Endpoint } from '#lib/llm/passthrough.ts'
import { countInputs } from '#lib/llm/passthrough-size.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { membersOf } from '#lib/raw-json.ts'

describe('the inputs of a request beside chat', () => {
  it.each<[string, Endpoint, string, number]>([
    ['a text is one', 'embeddings', '{"input":"[1,\\"2\\"]"}', 1],
    ['a list has as many as elements', 'embeddings', '{"input": [ "a", "b" , "c" ]}', 3],
    ['a list of tokens is one', 'embeddings', '{"input":[1, -2.5e3,\n3]}', 1],
    ['lists of tokens are as many', 'completions', '{"prompt":[[1,2],[3],[]]}', 3],
    ['texts beside numbers count as all do', 'moderations', '{"input":[1,"a",2]}', 3],
    ['documents are those of a ranking', 'rerank', '{"query":["a"],"documents":[{"text":"a"},"b"]}', 2],
    ['an empty list is one', 'embeddings', '{"input":[]}', 1],
    ['no list is one', 'completions', '{"input":["a","b"]}', 1],
    ['an endpoint without lists has one', 'images/generations', '{"input":["a","b"]}', 1],
  ])('are counted: %s', (_, endpoint, json, inputs) => {
    expect(atOnce(countInputs(endpoint, membersOf(json)))).toBe(inputs)
  })
})
