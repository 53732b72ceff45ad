import { auditQuery } from '../../../validation/audit.ts'
import { budgetBody, budgetsQuery } from '../../../validation/budgets.ts'
import { invalidationBody } from '../../../validation/invalidation.ts'
import { auditPage } from '../answers/audit.ts'
import { budget, budgetList, cacheReport, health, invalidated, live, ready } from '../answers/operations.ts'
import { inPath, json, type Operation } from '../operation.ts'

const healthOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/health',
    tag: 'Operations',
    summary: 'Check health',
    description: 'The last known state of each part. Calls no provider.',
    access: 'public',
    answers: [
      { description: 'Accepting requests.', content: [json('Health', health)] },
      { status: 503, description: 'Shutting down.', content: [json('Health', health)] },
    ],
  },
  {
    method: 'get',
    path: '/api/health/live',
    tag: 'Operations',
    summary: 'Check liveness',
    access: 'public',
    answers: [{ description: 'The process is alive.', content: [json('Live', live, { status: 'ok' })] }],
  },
  {
    method: 'get',
    path: '/api/health/ready',
    tag: 'Operations',
    summary: 'Check readiness',
    access: 'public',
    answers: [
      { description: 'Accepting requests.', content: [json('Ready', ready, { status: 'ready' })] },
      { status: 503, description: 'Shutting down.', content: [json('Ready', ready)] },
    ],
  },
]

const budgetScope = inPath('scope', '`all`, `owner:NAME` or `key:ID`.', 'all')

const budgetOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/admin/budgets',
    tag: 'Operations',
    summary: 'List all budgets',
    description: 'Those with a limit: of all callers, of keys that are not revoked, and of owners, by scope.',
    access: 'admin',
    query: budgetsQuery,
    answers: [{ description: 'One page.', content: [json('BudgetList', budgetList)] }],
    errors: ['INVALID_INPUT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/admin/budgets/{scope}',
    tag: 'Operations',
    summary: 'Read a budget',
    description: 'Its limits, and what is spent and reserved today and this month (UTC).',
    access: 'admin',
    parameters: [budgetScope],
    answers: [{ description: 'The budget.', content: [json('Budget', budget)] }],
    errors: ['NOT_FOUND'],
  },
  {
    method: 'put',
    path: '/api/admin/budgets/{scope}',
    tag: 'Operations',
    summary: 'Set a budget',
    description:
      'In US dollars a day and a month (UTC); without one there is no such limit. In effect on every instance within five seconds.',
    access: 'admin',
    parameters: [budgetScope],
    body: {
      name: 'BudgetLimits',
      schema: budgetBody,
      examples: { Both: { day: 10, month: 200 }, None: {} },
    },
    answers: [{ description: 'The budget.', content: [json('Budget', budget)] }],
    errors: ['NOT_FOUND'],
  },
]

const invalidation = {
  tag: 'Operations',
  description: 'By exactly one of `tag`, `kind`, `model`, `pattern` (of model names) and `all`.',
  access: 'admin',
  body: {
    name: 'Invalidation',
    schema: invalidationBody,
    examples: { Tag: { tag: 'docs' }, Kind: { kind: 'tool-result' }, Everything: { all: true } },
  },
  answers: [{ description: 'What was invalidated.', content: [json('Invalidated', invalidated)] }],
  errors: ['CONFLICT', 'STORE_UNAVAILABLE'],
} as const satisfies Partial<Operation>

export const operationsOperations: readonly Operation[] = [
  ...healthOperations,
  ...budgetOperations,
  {
    method: 'get',
    path: '/api/hello',
    tag: 'Operations',
    summary: 'Say hello',
    description: 'Claude Code asks for it to see whether it is connected.',
    access: 'public',
    answers: [{ description: 'Empty.' }],
  },
  {
    method: 'get',
    path: '/metrics',
    tag: 'Operations',
    summary: 'Metrics for Prometheus',
    access: 'metrics',
    answers: [{ description: 'Prometheus’ text format.', content: [{ type: 'text/plain' }] }],
  },
  {
    method: 'get',
    path: '/openapi.json',
    tag: 'Operations',
    summary: 'This document',
    access: 'public',
    answers: [
      {
        description: 'OpenAPI 3.1.',
        content: [{ type: 'application/json', description: 'An OpenAPI document.' }],
      },
      { status: 304, description: 'Unchanged since the `ETag` of `If-None-Match`.' },
    ],
  },
  {
    method: 'get',
    path: '/api/admin/cache',
    tag: 'Operations',
    summary: 'Statistics of the answer cache',
    access: 'admin',
    answers: [{ description: 'Since the process started.', content: [json('CacheReport', cacheReport)] }],
  },
  {
    method: 'get',
    path: '/api/admin/audit',
    tag: 'Operations',
    summary: 'Read the audit log',
    description: 'Newest first. Each row’s hash covers the row and the hash of the one before.',
    access: 'admin',
    query: auditQuery,
    answers: [{ description: 'One page.', content: [json('AuditPage', auditPage)] }],
    errors: ['INVALID_INPUT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'delete',
    path: '/api/admin/cache',
    summary: 'Invalidate cached answers',
    ...invalidation,
  },
  {
    method: 'post',
    path: '/api/admin/cache/invalidate',
    summary: 'Invalidate cached answers, by POST',
    ...invalidation,
  },
]
