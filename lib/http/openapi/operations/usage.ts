import { requestsQuery, usageQuery } from '../../../validation/usage.ts'
import { recommendationsReport } from '../answers/recommendations.ts'
import { explainedRequest, requestList, usageReport } from '../answers/usage.ts'
import { inPath, json, type Operation } from '../operation.ts'

const usageOperation = (path: string, access: 'caller' | 'admin', summary: string): Operation => ({
  method: 'get',
  path,
  tag: 'Usage',
  summary,
  description: 'In whole hours. Tokens and cost are those of all attempts; a cached answer costs nothing.',
  access,
  query: usageQuery,
  answers: [
    {
      description: 'The usage of the period.',
      content: [
        json('UsageReport', usageReport),
        { type: 'text/csv', description: 'The rows as a table for spreadsheets.' },
      ],
    },
  ],
})

const requestOperations = (path: string, access: 'caller' | 'admin', whose: string): readonly Operation[] => [
  {
    method: 'get',
    path,
    tag: 'Usage',
    summary: `List ${whose} requests`,
    description: 'Newest first.',
    access,
    query: requestsQuery,
    answers: [{ description: 'One page.', content: [json('RequestList', requestList)] }],
  },
  {
    method: 'get',
    path: `${path}/{requestId}`,
    tag: 'Usage',
    summary: `Explain one of ${whose} requests`,
    description: 'Its attempts and their cost. The newest where several have the same id.',
    access,
    parameters: [inPath('requestId', 'The `x-request-id` of its answer.')],
    answers: [{ description: 'The request.', content: [json('ExplainedRequest', explainedRequest)] }],
    errors: ['NOT_FOUND'],
  },
]

export const usageOperations: readonly Operation[] = [
  usageOperation('/api/usage', 'caller', 'Your own usage'),
  usageOperation('/api/admin/usage', 'admin', 'The usage of all callers'),
  {
    method: 'get',
    path: '/api/admin/usage/recommendations',
    tag: 'Usage',
    summary: 'How the same usage would have cost less',
    description:
      'By the newest 50,000 requests of the last 7 days, those that save most first. A cheaper model that answered requests of the same kind, a cache rule that would have answered repeated ones, beginnings of prompts that the vendor would have cached, and keys that were not used for 30 days.',
    access: 'admin',
    answers: [
      {
        description: 'Recommendations, each with its figures.',
        content: [json('Recommendations', recommendationsReport)],
      },
    ],
  },
  ...requestOperations('/api/requests', 'caller', 'your own'),
  ...requestOperations('/api/admin/requests', 'admin', 'all'),
]
