import type { AuditHeadTable, AuditLogTable } from './tables/audit.ts'
import type { BatchItemsTable, BatchJobsTable, BatchWorkersTable } from './tables/batch.ts'
import type {
  EvaluationAnswersTable,
  EvaluationDatasetsTable,
  EvaluationRowsTable,
  EvaluationsTable,
} from './tables/evaluation.ts'
import type { ApiKeySecretsTable, ApiKeysTable, EndedSessionsTable } from './tables/keys.ts'
import type {
  BudgetCountersTable,
  BudgetHoldsTable,
  BudgetsTable,
  LedgerAttemptsTable,
  LedgerRequestsTable,
  LedgerRollupsTable,
} from './tables/money.ts'
import type {
  FilesTable,
  StoredResponseItemsTable,
  StoredResponsesTable,
  V1BatchesTable,
} from './tables/openai-state.ts'
import type { IdempotencyKeysTable, KvEntriesTable, KvOwnersTable } from './tables/values.ts'

/** Everything that must not be lost, in SQLite or Postgres alike. */
export type RecordsSchema = {
  batch_jobs: BatchJobsTable
  batch_items: BatchItemsTable
  batch_workers: BatchWorkersTable
  stored_responses: StoredResponsesTable
  stored_response_items: StoredResponseItemsTable
  files: FilesTable
  v1_batches: V1BatchesTable
  kv_owners: KvOwnersTable
  idempotency_keys: IdempotencyKeysTable
  audit_log: AuditLogTable
  audit_head: AuditHeadTable
  kv_entries: KvEntriesTable
  budgets: BudgetsTable
  budget_counters: BudgetCountersTable
  budget_holds: BudgetHoldsTable
  api_keys: ApiKeysTable
  api_key_secrets: ApiKeySecretsTable
  ended_sessions: EndedSessionsTable
  ledger_attempts: LedgerAttemptsTable
  ledger_requests: LedgerRequestsTable
  ledger_rollups: LedgerRollupsTable
  evaluation_datasets: EvaluationDatasetsTable
  evaluation_rows: EvaluationRowsTable
  evaluations: EvaluationsTable
  evaluation_answers: EvaluationAnswersTable
}
