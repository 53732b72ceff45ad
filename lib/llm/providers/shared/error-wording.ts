import { type ErrorFacts, normalizedWord } from './error-body.ts'

/**
 * The meaning of an upstream's error. `access`: our key or account is refused. `no-credit`: its credit is used up. `busy`: a rate
 * limit. `overloaded`: the vendor has too little capacity. `too-large`: more bytes, or more tokens a minute, than the
 * vendor ever takes.
 */
export type ErrorKind =
  | 'too-long'
  | 'blocked'
  | 'access'
  | 'no-credit'
  | 'too-large'
  | 'overloaded'
  | 'busy'
  | 'unknown-model'
  | 'invalid'

type Wording = Readonly<{
  kind: ErrorKind
  /** Its codes, types and reasons, regardless of case and separators. */
  words: ReadonlySet<string>
  /** Its messages. */
  sentences: readonly RegExp[]
  /** Whether messages count for a response of that HTTP status; undefined where there is none. Always when absent. */
  sentencesCountFor?: (status: number | undefined) => boolean
}>

const words = (list: string): ReadonlySet<string> => new Set(list.split(/\s+/).map(normalizedWord))

const isRequestStatus = (status: number | undefined): boolean =>
  status === undefined || status === 400 || status === 404 || status === 422
const isRejectionStatus = (status: number | undefined): boolean =>
  status === undefined || (status >= 400 && status <= 403)
const isUnknown = (status: number | undefined): boolean => status === undefined

/** A rate limit, not a length limit, though some of its messages mention lengths too. */
const RATE_LIMIT = [
  /rate[ _-]?limit/i,
  /too many requests/i,
  /throttl/i,
  /(?:tokens?|requests?) per (?:min|minute|hour|day)/i,
  /quota exceeded for (?:metric|quota)/i,
  /too many tokens, please wait/i,
]

const TOO_LONG: Wording = {
  kind: 'too-long',
  words: words(
    `context_length_exceeded context_length_exceeded_error context_window_exceeded ContextWindowExceededError
     model_context_window_exceeded exceed_context_size_error tokens_limit_reached prompt_too_long input_too_long
     model_max_prompt_tokens_exceeded`,
  ),
  sentences: [
    /maximum context length/i, // OpenAI, vLLM, OpenRouter, DeepSeek, Mistral, Fireworks
    /exceed\w*(?: [\w']+){0,4} context[ _-](?:window|length|size|limit)/i, // OpenAI, Anthropic, llama.cpp, Ollama, Cloudflare
    /context[ _-](?:length|window|size|limit) (?:has been |was |is )?exceed/i, // Ollama, LM Studio, MiniMax
    /context the overflows|context length of only/i, // LM Studio
    /(?:greater|longer|larger|more) than the (?:model'?s? )?(?:maximum )?context[ _-](?:length|window)/i,
    /(?:prompt|input|conversation|context)(?: is|) too long/i, // Anthropic, Bedrock, Fireworks, Ollama
    /(?:input|prompt) token count[^.]{0,60} exceeds/i, // Gemini, GitHub Copilot
    /(?:count|input|prompt|request)\b[^.]{0,60} exceeds? the maximum number of (?:input )?tokens/i,
    /input tokens exceeds? the /i, // Azure, Bedrock
    /input token count[^.]{0,60} supports? (?:only )?up to \d/i, // Vertex AI
    /longer than the maximum model length|too long to fit into the model/i, // vLLM
    /exceed max message tokens/i, // Volcengine
    /(?:number of tokens|tokens) in the (?:prompt|input|messages?)[^.]{0,40} exceeds? /i,
    /ContextWindowExceeded/, // LiteLLM
    /maximum (?:prompt|input|model) length is \d/i, // xAI, TGI
    /too large for (?:the )?model with|max(?:imum)? size: \d+ tokens/i, // Mistral, GitHub Models
    /reduce the length of (?:the |your )?(?:input )?(?:messages|prompt|input)/i, // Groq, Cerebras
    /too many tokens:|too many (?:input|prompt) tokens/i, // Cohere, Bedrock
    /`?inputs`? tokens \+ `?max_new_tokens`? must be|`?inputs`? must have less than \d+ tokens/i, // Together, TGI
    /exceeded model token limit|input token length too long/i, // Moonshot
    /range of input length should be|prompt exceeds (?:the )?max(?:imum)? length|prompt\s*超长/i, // Qwen, Zhipu
    /(?:input|prompt)(?: tokens?)? length[^.]{0,40} exceeds? (?:the )?(?:max|limit|model)/i,
    /current length is \d+ while limit is \d+/i, // Cerebras
    /tokens in request more than max tokens allowed/i,
    /expected maxLength: \d+, actual: \d+/, // Bedrock
    /invalid '(?:messages|input|prompt)\b[^']*': string too long/i, // OpenAI
  ],
}

const BLOCKED: Wording = {
  kind: 'blocked',
  words: words(
    `content_filter content_filtered content_policy content_policy_violation ResponsibleAIPolicyViolation
     ContentPolicyViolationError moderation_blocked content_moderation content_blocked data_inspection_failed
     prohibited_content safety_violation sensitive_content`,
  ),
  sentences: [
    /content (?:management|filtering|moderation|safety) polic/i, // Azure, Anthropic
    /content violates usage guidelines|SAFETY_CHECK_TYPE/i, // xAI
    /(?:prompt|input|content|request|message)s?[^.]{0,30}(?:was|were|been) flagged/i, // OpenAI, OpenRouter
    /violat\w+ (?:of )?(?:our|the|openai'?s?|provider'?s?) (?:usage|content|safety|acceptable use) polic/i,
    /as a result of our safety system/i, // OpenAI
    /blocked (?:by|due to) (?:an? |the |our )?(?:content|safety|moderation|prohibited)/i, // Gemini and others
    /content exists risk/i, // DeepSeek
    /ContentPolicyViolation/, // LiteLLM
    /inappropriate content|敏感内容/i, // Qwen, Zhipu
    /requires moderation/i, // OpenRouter
  ],
}

const NO_CREDIT: Wording = {
  kind: 'no-credit',
  words: words(
    `insufficient_quota insufficient_balance insufficient_credits insufficient_funds billing_error
     billing_hard_limit_reached billing_not_active payment_required account_deactivated account_suspended
     exceeded_current_quota_error organization_restricted quota_exceeded`,
  ),
  sentences: [
    /credit balance is too low/i, // Anthropic
    /insufficient (?:account )?(?:balance|credits?|quota|funds)|余额不足/i, // DeepSeek, OpenRouter, Zhipu
    /(?:requires|needs?|not enough|out of|not have any|doesn't have any|all available) (?:more )?credits/i, // OpenRouter, xAI
    /exceeded your current quota/i, // OpenAI
    /(?:plan and|your) billing details|billing (?:hard limit|account)|account is not active/i, // OpenAI
    /payment (?:is )?required|monthly spending limit/i, // Fireworks, xAI
    /reached your specified api usage limits/i, // Anthropic
  ],
}

const NO_ACCESS: Wording = {
  kind: 'access',
  words: words(
    `invalid_api_key api_key_invalid incorrect_api_key api_key_expired authentication_error authentication_failed
     AuthenticationError invalid_authentication invalid_authentication_error unauthorized unauthenticated
     UnauthorizedError permission_denied permission_error PermissionDeniedError forbidden access_denied
     AccessDeniedException UnrecognizedClientException ExpiredTokenException
     unsupported_country_region_territory`,
  ),
  sentences: [
    /(?:incorrect|invalid|wrong|missing|expired) (?:api[ -]?key|x-api-key|api token|subscription key)/i,
    /api key (?:not valid|not found|is invalid|is missing|expired|has expired)/i, // Gemini
    /bad credentials|no auth credentials|could not validate credentials/i, // GitHub, OpenRouter, FastAPI
    /^(?:unauthorized|not authenticated|forbidden)\b/im,
  ],
  sentencesCountFor: isRejectionStatus,
}

const TOO_LARGE: Wording = {
  kind: 'too-large',
  words: words('request_too_large payload_too_large request_entity_too_large content_too_large'),
  sentences: [/^request too large for model\b/im, /request entity too large/i], // Groq, proxies
}

const OVERLOADED: Wording = {
  kind: 'overloaded',
  words: words(
    `overloaded overloaded_error engine_overloaded engine_overloaded_error server_overloaded model_overloaded
     capacity_exceeded service_tier_capacity_exceeded unavailable service_unavailable service_unavailable_error
     ModelNotReadyException`,
  ),
  sentences: [/\boverloaded\b/i, /capacity exceeded/i],
  sentencesCountFor: isUnknown,
}

const BUSY: Wording = {
  kind: 'busy',
  words: words(
    `rate_limit rate_limited rate_limit_error rate_limit_exceeded rate_limit_reached RateLimitError
     too_many_requests too_many_requests_error throttled throttling throttling_exception resource_exhausted
     request_limit_exceeded token_quota_exceeded request_quota_exceeded`,
  ),
  sentences: RATE_LIMIT,
  sentencesCountFor: isUnknown,
}

const UNKNOWN_MODEL: Wording = {
  kind: 'unknown-model',
  words: words(
    `model_not_found not_found not_found_error NotFoundError DeploymentNotFound invalid_model unknown_model
     model_decommissioned model_not_exist`,
  ),
  sentences: [
    /^not found$/im,
    /\bmodel\b[^.\n]{0,120}(?:does not exist|not found|not exist|decommissioned)/i,
    /not a valid model id|unknown model|invalid model\b(?! input)/i, // OpenRouter, Mistral
  ],
  sentencesCountFor: isRequestStatus,
}

const INVALID: Wording = {
  kind: 'invalid',
  words: words(
    `invalid_request invalid_request_error BadRequest bad_request_error invalid_argument ValidationException
     validation_error unprocessable_entity UnprocessableEntityError unsupported_parameter unsupported_value
     unknown_parameter invalid_value invalid_type missing_required_parameter extra_forbidden invalid_request_prompt`,
  ),
  sentences: [/^bad request\b/im, /unsupported (?:parameter|value):/i],
  sentencesCountFor: isUnknown,
}

const has = (facts: ErrorFacts, wording: Wording): boolean =>
  [...facts.words].some(word => wording.words.has(word))

const says = (sentences: readonly RegExp[], { message }: ErrorFacts): boolean =>
  sentences.some(sentence => sentence.test(message))

const means = (facts: ErrorFacts, wording: Wording, status: number | undefined): boolean =>
  has(facts, wording) || ((wording.sentencesCountFor?.(status) ?? true) && says(wording.sentences, facts))

/** Google uses “quota” and “billing” for limits by the minute, too. */
const isGooglesRateLimit = ({ words, retryDelay }: ErrorFacts): boolean =>
  words.has('resourceexhausted') || retryDelay !== undefined

const isTooLong = (facts: ErrorFacts, status: number | undefined): boolean =>
  has(facts, TOO_LONG) ||
  (status !== 429 && !has(facts, BUSY) && !says(RATE_LIMIT, facts) && says(TOO_LONG.sentences, facts))

const isOutOfCredit = (facts: ErrorFacts): boolean =>
  !isGooglesRateLimit(facts) &&
  (has(facts, NO_CREDIT) || (!says(RATE_LIMIT, facts) && says(NO_CREDIT.sentences, facts)))

/**
 * An error's meaning by its codes and messages, independent of its position; undefined where they add nothing to its
 * status.
 *
 * @param status the HTTP status of the response, or the one that the error itself names; undefined where there is none.
 */
export const kindOfError = (facts: ErrorFacts, status: number | undefined): ErrorKind | undefined => {
  if (isTooLong(facts, status)) return 'too-long'
  if (means(facts, BLOCKED, status)) return 'blocked'
  if (isOutOfCredit(facts)) return 'no-credit'
  if (means(facts, NO_ACCESS, status)) return 'access'
  const isBusyByStatus = status === 429
  if (status === 413 || (!isBusyByStatus && means(facts, TOO_LARGE, status))) return 'too-large'
  if (means(facts, UNKNOWN_MODEL, status)) return 'unknown-model'
  if (!isBusyByStatus && means(facts, OVERLOADED, status)) return 'overloaded'
  if (means(facts, BUSY, status)) return 'busy'
  const isInvalid = means(facts, INVALID, status) || facts.params.length > 0
  return status === undefined && isInvalid ? 'invalid' : undefined
}
