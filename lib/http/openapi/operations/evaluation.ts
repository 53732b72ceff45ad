import { evaluateBody } from '../../../validation/evaluation.ts'
import {
  datasetBody,
  datasetQuery,
  evaluationsQuery,
  reportQuery,
  runBody,
} from '../../../validation/evaluation-runs.ts'
import {
  dataset,
  datasetDetail,
  datasetList,
  deletedEntry,
  evaluated,
  report,
  run,
  runList,
} from '../answers/evaluation.ts'
import { inPath, json, type Operation } from '../operation.ts'

const tag = 'Evaluation'
const access = 'caller'
const runId = inPath('id', 'The evaluation’s id.', `eval_${'0'.repeat(32)}`)
const datasetId = inPath('id', 'The data set’s id.', `dataset_${'0'.repeat(32)}`)
const STORE = ['NOT_FOUND', 'STORE_UNAVAILABLE'] as const

const datasets: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/evaluations/datasets',
    tag,
    summary: 'Upload a data set',
    description:
      'As JSON, as JSON lines (`application/jsonl`, with `name` in the query), or as a form with a `file` of JSON lines.',
    access,
    query: datasetQuery,
    body: {
      name: 'NewDataset',
      schema: datasetBody,
      examples: {
        'Two rows': {
          name: 'Capitals',
          rows: [
            { input: 'The capital of France?', reference: 'Paris' },
            { input: 'The capital of Peru?', reference: 'Lima' },
          ],
        },
      },
    },
    answers: [{ status: 201, description: 'It is stored.', content: [json('Dataset', dataset)] }],
    errors: [...STORE, 'QUOTA_EXCEEDED'],
  },
  {
    method: 'get',
    path: '/api/evaluations/datasets',
    tag,
    summary: 'List your data sets',
    access,
    query: evaluationsQuery,
    answers: [{ description: 'Newest first.', content: [json('DatasetList', datasetList)] }],
    errors: ['INVALID_INPUT', ...STORE],
  },
  {
    method: 'get',
    path: '/api/evaluations/datasets/{id}',
    tag,
    summary: 'Read a data set',
    access,
    parameters: [datasetId],
    answers: [{ description: 'With its first rows.', content: [json('DatasetDetail', datasetDetail)] }],
    errors: STORE,
  },
  {
    method: 'delete',
    path: '/api/evaluations/datasets/{id}',
    tag,
    summary: 'Delete a data set',
    description: 'Its evaluations stay.',
    access,
    parameters: [datasetId],
    answers: [{ description: 'It is deleted.', content: [json('DeletedEntry', deletedEntry)] }],
    errors: STORE,
  },
]

const runs: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/evaluations',
    tag,
    summary: 'Compare models or prompts on a data set',
    description: 'Every row is answered by every variant and graded, in the background.',
    access,
    body: {
      name: 'NewEvaluation',
      schema: runBody,
      examples: {
        'Two models': {
          dataset: `dataset_${'0'.repeat(32)}`,
          variants: [{ model: 'mock' }, { name: 'echo', model: 'mock/echo', prompt: 'Answer: {{input}}' }],
          graders: [{ type: 'contains' }, { type: 'latency', maxMs: 2_000 }],
          threshold: 0.8,
        },
      },
    },
    answers: [{ status: 202, description: 'It is queued.', content: [json('Evaluation', run)] }],
    errors: STORE,
  },
  {
    method: 'get',
    path: '/api/evaluations',
    tag,
    summary: 'List your evaluations',
    access,
    query: evaluationsQuery,
    answers: [{ description: 'Newest first.', content: [json('EvaluationList', runList)] }],
    errors: ['INVALID_INPUT', ...STORE],
  },
  {
    method: 'get',
    path: '/api/evaluations/{id}',
    tag,
    summary: 'Read an evaluation’s state and progress',
    access,
    parameters: [runId],
    answers: [{ description: 'Its state.', content: [json('Evaluation', run)] }],
    errors: STORE,
  },
  {
    method: 'delete',
    path: '/api/evaluations/{id}',
    tag,
    summary: 'Delete an evaluation that has ended',
    access,
    parameters: [runId],
    answers: [{ description: 'It is deleted.', content: [json('DeletedEntry', deletedEntry)] }],
    errors: [...STORE, 'CONFLICT'],
  },
  {
    method: 'post',
    path: '/api/evaluations/{id}/cancel',
    tag,
    summary: 'Cancel an evaluation',
    description: 'What is graded already stays.',
    access,
    parameters: [runId],
    answers: [{ description: 'It is cancelled.', content: [json('Evaluation', run)] }],
    errors: [...STORE, 'CONFLICT'],
  },
  {
    method: 'get',
    path: '/api/evaluations/{id}/report',
    tag,
    summary: 'Compare the variants of an evaluation',
    description:
      'Of what has been graded so far: scores with confidence intervals, costs, latencies, wins by row. As a table for spreadsheets, by variant or by answer, or as a page too.',
    access,
    parameters: [runId],
    query: reportQuery,
    answers: [
      {
        description: 'The report.',
        content: [
          json('EvaluationReport', report),
          { type: 'text/csv', description: 'A line for each variant, or with `by=row` for each answer.' },
          { type: 'text/html', description: 'A page.' },
        ],
      },
    ],
    errors: ['INVALID_INPUT', ...STORE],
  },
]

/** Evaluations of answers, and of models and prompts on data sets. */
export const evaluationOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/api/evaluate',
    tag,
    summary: 'Grade an answer',
    description:
      'By texts, expressions, schemas, similarity, bounds of cost and latency, and a model by a rubric.',
    access,
    generates: true,
    body: {
      name: 'EvaluateRequest',
      schema: evaluateBody,
      examples: {
        'Two graders': {
          input: 'The capital of France?',
          answer: 'It is Paris.',
          reference: 'Paris',
          graders: [{ type: 'contains' }, { type: 'regex', pattern: '^It is' }],
        },
      },
    },
    answers: [{ description: 'Its grades.', content: [json('EvaluateAnswer', evaluated)] }],
  },
  ...datasets,
  ...runs,
]
