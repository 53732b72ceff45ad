/** A vendor's secret: its prefix, then characters of one alphabet, as many as the vendor gives. */
export interface SecretFormat {
  readonly rule: string
  readonly prefix: string
  readonly alphabet: keyof typeof ALPHABETS
  readonly min: number
  /** The most characters after the prefix; as many as `min` when absent. */
  readonly max?: number
  /** Says more than length and alphabet. */
  readonly shape?: RegExp
}

export const ALPHABETS = {
  alphanumeric: /[A-Za-z0-9]/,
  upper: /[A-Z0-9]/,
  hex: /[0-9a-f]/,
  url: /[A-Za-z0-9_-]/,
  dotted: /[A-Za-z0-9_.-]/,
  base64: /[A-Za-z0-9+/=]/,
} as const

/**
 * Formats of keys and tokens as their vendors document them, GitHub's list of secret scanning patterns, and the rules of
 * secretlint (MIT) and gitleaks (MIT). Public identifiers (publishable keys, account ids) are left out.
 */
export const SECRET_FORMATS: readonly SecretFormat[] = [
  { rule: 'anthropic-key', prefix: 'sk-ant-', alphabet: 'url', min: 32, max: 140 },
  { rule: 'openai-key', prefix: 'sk-proj-', alphabet: 'url', min: 40, max: 200 },
  { rule: 'openai-key', prefix: 'sk-svcacct-', alphabet: 'url', min: 40, max: 200 },
  { rule: 'openai-key', prefix: 'sk-admin-', alphabet: 'url', min: 40, max: 200 },
  { rule: 'openai-key', prefix: 'sk-None-', alphabet: 'url', min: 40, max: 200 },
  { rule: 'openrouter-key', prefix: 'sk-or-v1-', alphabet: 'hex', min: 64 },
  { rule: 'langfuse-key', prefix: 'sk-lf-', alphabet: 'url', min: 36 },
  { rule: 'openai-key', prefix: 'sk-', alphabet: 'alphanumeric', min: 32, max: 64 },
  { rule: 'aws-access-key', prefix: 'AKIA', alphabet: 'upper', min: 16, shape: /^[A-Z2-7]+$/ },
  { rule: 'aws-access-key', prefix: 'ASIA', alphabet: 'upper', min: 16, shape: /^[A-Z2-7]+$/ },
  { rule: 'aws-access-key', prefix: 'ABIA', alphabet: 'upper', min: 16, shape: /^[A-Z2-7]+$/ },
  { rule: 'aws-access-key', prefix: 'ACCA', alphabet: 'upper', min: 16, shape: /^[A-Z2-7]+$/ },
  { rule: 'aws-bedrock-key', prefix: 'ABSK', alphabet: 'base64', min: 109, max: 269 },
  { rule: 'github-key', prefix: 'ghp_', alphabet: 'alphanumeric', min: 36, max: 251 },
  { rule: 'github-key', prefix: 'gho_', alphabet: 'alphanumeric', min: 36, max: 251 },
  { rule: 'github-key', prefix: 'ghu_', alphabet: 'alphanumeric', min: 36, max: 251 },
  { rule: 'github-key', prefix: 'ghs_', alphabet: 'alphanumeric', min: 36, max: 251 },
  { rule: 'github-key', prefix: 'ghr_', alphabet: 'alphanumeric', min: 36, max: 251 },
  {
    rule: 'github-key',
    prefix: 'github_pat_',
    alphabet: 'url',
    min: 82,
    shape: /^[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/,
  },
  { rule: 'gitlab-key', prefix: 'glpat-', alphabet: 'dotted', min: 20, max: 64 },
  { rule: 'gitlab-key', prefix: 'glrt-', alphabet: 'dotted', min: 20, max: 64 },
  { rule: 'gitlab-key', prefix: 'gldt-', alphabet: 'dotted', min: 20, max: 64 },
  { rule: 'google-key', prefix: 'AIza', alphabet: 'url', min: 35 },
  { rule: 'google-oauth-key', prefix: 'GOCSPX-', alphabet: 'url', min: 28 },
  { rule: 'google-oauth-key', prefix: 'ya29.', alphabet: 'url', min: 60, max: 256 },
  { rule: 'slack-key', prefix: 'xoxb-', alphabet: 'url', min: 24, max: 120, shape: /^\d/ },
  { rule: 'slack-key', prefix: 'xoxp-', alphabet: 'url', min: 24, max: 120, shape: /^\d/ },
  { rule: 'slack-key', prefix: 'xoxa-', alphabet: 'url', min: 24, max: 120, shape: /^\d/ },
  { rule: 'slack-key', prefix: 'xoxr-', alphabet: 'url', min: 24, max: 120, shape: /^\d/ },
  { rule: 'slack-key', prefix: 'xoxs-', alphabet: 'url', min: 24, max: 120, shape: /^\d/ },
  { rule: 'slack-key', prefix: 'xapp-', alphabet: 'url', min: 40, max: 160, shape: /^\d-/ },
  {
    rule: 'slack-webhook-key',
    prefix: 'hooks.slack.com/services/T',
    alphabet: 'base64',
    min: 30,
    max: 60,
    shape: /^\w+\/B\w+\/\w+$/,
  },
  { rule: 'stripe-key', prefix: 'sk_live_', alphabet: 'alphanumeric', min: 24, max: 247 },
  { rule: 'stripe-key', prefix: 'sk_test_', alphabet: 'alphanumeric', min: 24, max: 247 },
  { rule: 'stripe-key', prefix: 'rk_live_', alphabet: 'alphanumeric', min: 24, max: 247 },
  { rule: 'stripe-key', prefix: 'rk_test_', alphabet: 'alphanumeric', min: 24, max: 247 },
  { rule: 'stripe-webhook-key', prefix: 'whsec_', alphabet: 'base64', min: 32, max: 64 },
  { rule: 'twilio-key', prefix: 'SK', alphabet: 'hex', min: 32 },
  { rule: 'sendgrid-key', prefix: 'SG.', alphabet: 'dotted', min: 66, shape: /^[\w-]{22}\.[\w-]{43}$/ },
  { rule: 'npm-key', prefix: 'npm_', alphabet: 'alphanumeric', min: 36 },
  { rule: 'pypi-key', prefix: 'pypi-AgE', alphabet: 'url', min: 50, max: 250 },
  { rule: 'hugging-face-key', prefix: 'hf_', alphabet: 'alphanumeric', min: 34, max: 40 },
  { rule: 'groq-key', prefix: 'gsk_', alphabet: 'alphanumeric', min: 52 },
  { rule: 'xai-key', prefix: 'xai-', alphabet: 'alphanumeric', min: 80 },
  { rule: 'perplexity-key', prefix: 'pplx-', alphabet: 'alphanumeric', min: 48, max: 56 },
  { rule: 'replicate-key', prefix: 'r8_', alphabet: 'alphanumeric', min: 37 },
  { rule: 'tavily-key', prefix: 'tvly-', alphabet: 'url', min: 32, max: 48 },
  { rule: 'langsmith-key', prefix: 'lsv2_pt_', alphabet: 'alphanumeric', min: 32, max: 43 },
  { rule: 'databricks-key', prefix: 'dapi', alphabet: 'hex', min: 32 },
  { rule: 'digitalocean-key', prefix: 'dop_v1_', alphabet: 'hex', min: 64 },
  { rule: 'shopify-key', prefix: 'shpat_', alphabet: 'hex', min: 32 },
  { rule: 'shopify-key', prefix: 'shpss_', alphabet: 'hex', min: 32 },
  { rule: 'square-key', prefix: 'sq0atp-', alphabet: 'url', min: 22 },
  { rule: 'square-key', prefix: 'sq0csp-', alphabet: 'url', min: 43 },
  { rule: 'figma-key', prefix: 'figd_', alphabet: 'url', min: 40, max: 48 },
  { rule: 'linear-key', prefix: 'lin_api_', alphabet: 'alphanumeric', min: 40 },
  { rule: 'notion-key', prefix: 'ntn_', alphabet: 'alphanumeric', min: 43, max: 50 },
  { rule: 'postman-key', prefix: 'PMAK-', alphabet: 'url', min: 59 },
  { rule: 'vault-key', prefix: 'hvs.', alphabet: 'url', min: 90, max: 130 },
  { rule: 'docker-key', prefix: 'dckr_pat_', alphabet: 'url', min: 27 },
  { rule: 'sentry-key', prefix: 'sntrys_', alphabet: 'base64', min: 80, max: 250 },
  { rule: 'sentry-key', prefix: 'sntryu_', alphabet: 'hex', min: 64 },
  { rule: 'new-relic-key', prefix: 'NRAK-', alphabet: 'upper', min: 27 },
  {
    rule: 'grafana-key',
    prefix: 'glsa_',
    alphabet: 'url',
    min: 41,
    shape: /^[A-Za-z0-9]{32}_[0-9a-fA-F]{8}$/,
  },
  { rule: 'grafana-key', prefix: 'glc_', alphabet: 'base64', min: 32, max: 250 },
  { rule: 'supabase-key', prefix: 'sbp_', alphabet: 'hex', min: 40 },
  {
    rule: 'airtable-key',
    prefix: 'pat',
    alphabet: 'dotted',
    min: 79,
    shape: /^[A-Za-z0-9]{14}\.[0-9a-f]{64}$/,
  },
  { rule: 'mailgun-key', prefix: 'key-', alphabet: 'hex', min: 32 },
  { rule: 'age-key', prefix: 'AGE-SECRET-KEY-1', alphabet: 'upper', min: 58 },
  { rule: 'nvidia-key', prefix: 'nvapi-', alphabet: 'url', min: 60, max: 70 },
  { rule: 'fireworks-key', prefix: 'fw_', alphabet: 'alphanumeric', min: 22, max: 32 },
]
