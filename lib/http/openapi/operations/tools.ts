import { z } from 'zod'
import { toolList, toolRun } from '../answers/tools.ts'
import { inPath, json, type Operation } from '../operation.ts'

const toolArguments = z.record(z.string(), z.unknown())

/** The gateway's own tools. */
export const toolOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/tools',
    tag: 'Tools',
    summary: 'List the tools',
    description: 'What the gateway can run for a model, by which services, and their state.',
    access: 'caller',
    answers: [{ description: 'All of them.', content: [json('Tools', toolList)] }],
  },
  {
    method: 'post',
    path: '/api/tools/{name}',
    tag: 'Tools',
    summary: 'Run a tool',
    description: 'The body is its arguments. The result may come from the cache.',
    access: 'caller',
    parameters: [inPath('name', 'The name of a tool.', 'weather')],
    body: {
      name: 'ToolArguments',
      schema: toolArguments,
      examples: { Weather: { location: 'Berlin' } },
    },
    answers: [{ description: 'Its result.', content: [json('ToolRun', toolRun)] }],
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'TOOL_EXECUTION'],
  },
]
