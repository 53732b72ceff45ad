import { auditQuery } from '../../../validation/audit.ts'
import { invalidationBody } from '../../../validation/invalidation.ts'
import { auditPage } from '../answers/audit.ts'
import { cacheReport, health, invalidated, live, ready } from '../answers/operations.ts'
import { json, type Operation } from '../operation.ts'

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

export const operationsOperations: readonly Operation[] = [
  ...healthOperations,
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
    tag: 'Operations',
    summary: 'Invalidate cached answers',
    description: 'By exactly one of `tag`, `model`, `pattern` and `all`.',
    access: 'admin',
    body: {
      name: 'Invalidation',
      schema: invalidationBody,
      examples: { Tag: { tag: 'docs' }, Everything: { all: true } },
    },
    answers: [{ description: 'What was invalidated.', content: [json('Invalidated', invalidated)] }],
    errors: ['CONFLICT', 'STORE_UNAVAILABLE'],
  },
]
