/** A vendor's error as it sends it, and what it means: the code of ours, then `final` where it is not asked again. */
export type VendorError = Readonly<{ vendor: string; status: number; body: unknown; means: string }>

const openai = (message: string, type: string | null, code: string | number | null = null, param = null) => ({
  error: { message, type, param, code },
})
const sentence = (message: string) => ({ message })
const anthropic = (type: string, message: string) => ({ type: 'error', error: { type, message } })
const google = (code: number, status: string, message: string, details: readonly object[] = []) => [
  { error: { code, message, status, ...(details.length > 0 && { details }) } },
]

const row = (means: string) => (vendor: string, status: number, body: unknown) =>
  ({ vendor, status, body, means }) satisfies VendorError

const tooLong = row('CONTEXT_LENGTH')
const blocked = row('CONTENT_BLOCKED')
const access = row('PROVIDER_ERROR final')
const busy = row('PROVIDER_RATE_LIMIT')
const overloaded = row('PROVIDER_ERROR')
const unknown = row('NOT_FOUND')
const invalid = row('INVALID_INPUT')
const tooLarge = row('PAYLOAD_TOO_LARGE')

const FILTER_RESULT = { violence: { filtered: true, severity: 'medium' }, hate: { filtered: false } }

export const TOO_LONG: readonly VendorError[] = [
  tooLong(
    'OpenAI',
    400,
    openai(
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 140012 tokens.",
      'invalid_request_error',
      'context_length_exceeded',
    ),
  ),
  tooLong(
    'OpenAI Responses',
    400,
    openai(
      'Your input exceeds the context window of this model. Please adjust your input and try again.',
      'invalid_request_error',
    ),
  ),
  tooLong(
    'Azure',
    400,
    openai(
      'Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 509178 tokens.',
      'invalid_request_error',
    ),
  ),
  tooLong(
    'Anthropic',
    400,
    anthropic('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
  ),
  tooLong(
    'Anthropic, with its output',
    400,
    anthropic(
      'invalid_request_error',
      'input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again',
    ),
  ),
  tooLong(
    'Gemini',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'The input token count (1200012) exceeds the maximum number of tokens allowed (1048576).',
    ),
  ),
  tooLong('Mistral', 400, {
    object: 'error',
    message:
      'Prompt contains 140012 tokens and 0 draft tokens, too large for model with 131072 maximum context length',
    type: 'invalid_request_prompt',
    param: null,
    code: '3051',
  }),
  tooLong(
    'Groq',
    400,
    openai(
      'Please reduce the length of the messages or completion.',
      'invalid_request_error',
      'context_length_exceeded',
    ),
  ),
  tooLong(
    'Groq, without a code',
    400,
    openai('Please reduce the length of the messages or completion.', 'invalid_request_error'),
  ),
  tooLong('OpenRouter', 400, {
    error: {
      message:
        "This endpoint's maximum context length is 131072 tokens. However, you requested about 200012 tokens. Please reduce the length of either one.",
      code: 400,
    },
  }),
  tooLong('OpenRouter, in the words of its provider', 400, {
    error: {
      message: 'Provider returned error',
      code: 400,
      metadata: {
        raw: JSON.stringify(
          anthropic('invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
        ),
        provider_name: 'Anthropic',
      },
    },
  }),
  tooLong(
    'vLLM',
    400,
    openai(
      "This model's maximum context length is 2048 tokens. However, your request has 8 input tokens plus 2045 'max_tokens'. Please reduce one or the other.",
      'BadRequestError',
      400,
    ),
  ),
  tooLong('vLLM, older', 400, {
    object: 'error',
    message:
      "This model's maximum context length is 4096 tokens. However, you requested 5120 tokens in the messages.",
    type: 'BadRequestError',
    param: null,
    code: 400,
  }),
  tooLong('llama.cpp', 400, {
    error: {
      code: 400,
      message: 'request (4242 tokens) exceeds the available context size (4096 tokens), try increasing it',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 4242,
      n_ctx: 4096,
    },
  }),
  tooLong('Ollama', 500, {
    error: { message: 'the input length exceeds the context length', type: 'api_error' },
  }),
  tooLong('Ollama, in its own protocol', 400, {
    error: 'prompt too long; exceeded max context length by 4 tokens',
  }),
  tooLong('LM Studio', 400, {
    error:
      'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length.',
  }),
  tooLong(
    'Together',
    422,
    openai(
      'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 7000 `inputs` tokens and 4096 `max_new_tokens`',
      'invalid_request_error',
    ),
  ),
  tooLong(
    'DeepSeek',
    400,
    openai(
      "This model's maximum context length is 131072 tokens. However, you requested 133034 tokens (125034 in the messages, 8000 in the completion).",
      'invalid_request_error',
      'invalid_request_error',
    ),
  ),
  tooLong('xAI', 400, {
    code: 'Client specified an invalid argument',
    error: "This model's maximum prompt length is 131072 but the request contains 148211 tokens.",
  }),
  tooLong('Bedrock', 400, sentence('Input is too long for requested model.')),
  tooLong('Bedrock, another model', 400, {
    __type: 'ValidationException',
    message: 'Too many input tokens. Max input tokens: 8192, request input token count: 9279',
  }),
  tooLong('Cohere', 400, {
    message: 'too many tokens: size limit exceeded by 123 tokens. Try using shorter or fewer inputs.',
  }),
  tooLong('GitHub Models', 413, {
    error: {
      code: 'tokens_limit_reached',
      message: 'Request body too large for gpt-4o-mini model. Max size: 8000 tokens.',
    },
  }),
  tooLong(
    'Fireworks',
    400,
    openai('The prompt is too long: 135131, model maximum context length: 131071', 'invalid_request_error'),
  ),
  tooLong('Cerebras', 400, {
    message:
      'Please reduce the length of the messages or completion. Current length is 8933 while limit is 8192',
    type: 'invalid_request_error',
    code: 'context_length_exceeded',
  }),
  tooLong(
    'Moonshot',
    400,
    openai('Invalid request: Your request exceeded model token limit: 8192', 'invalid_request_error'),
  ),
  tooLong('Cloudflare', 400, {
    success: false,
    errors: [
      {
        code: 5021,
        message:
          'AiError: The estimated number of input tokens (24078) exceeded this model context window limit (24000).',
      },
    ],
  }),
  tooLong(
    'vLLM, a prompt longer than the model takes',
    400,
    openai(
      'The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that `max_model_len` is no smaller.',
      'BadRequestError',
      400,
    ),
  ),
  tooLong(
    'Vertex AI',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'Unable to submit request because the input token count is 1200000 but the model only supports up to 1048576. Reduce the input token count and try again.',
    ),
  ),
  tooLong(
    'Volcengine',
    400,
    openai('Total tokens of image and text exceed max message tokens.', 'BadRequest', 'InvalidParameter'),
  ),
  tooLong(
    'Bedrock, by its tokens',
    400,
    openai('The number of tokens in the prompt (9000) exceeds the maximum of 8192.', 'ValidationException'),
  ),
  tooLong('LiteLLM, in words', 400, openai('litellm.ContextWindowExceededError: it failed', null, '400')),
  tooLong('FastAPI', 400, { detail: "This model's maximum context length is 4096 tokens." }),
  tooLong('a relay', 400, { error: { error: { code: 'context_length_exceeded' } } }),
]

export const BLOCKED: readonly VendorError[] = [
  blocked('Azure', 400, {
    error: {
      message:
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      type: null,
      param: 'prompt',
      code: 'content_filter',
      status: 400,
      innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: FILTER_RESULT },
    },
  }),
  blocked('Azure, in its inner error alone', 400, {
    error: {
      message: 'The request failed.',
      code: null,
      innererror: { code: 'ResponsibleAIPolicyViolation' },
    },
  }),
  blocked('Azure, in its filter’s result alone', 400, {
    error: { message: 'The request failed.', innererror: { content_filter_result: FILTER_RESULT } },
  }),
  blocked(
    'OpenAI',
    400,
    openai(
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.',
      'invalid_request_error',
      'invalid_prompt',
    ),
  ),
  blocked(
    'OpenAI images',
    400,
    openai(
      'Your request was rejected as a result of our safety system.',
      'image_generation_user_error',
      'moderation_blocked',
    ),
  ),
  blocked('Anthropic', 400, anthropic('invalid_request_error', 'Output blocked by content filtering policy')),
  blocked('OpenRouter', 403, {
    error: {
      message: 'openai/gpt-5-mini requires moderation. Your input was flagged for "violence".',
      code: 403,
      metadata: { reasons: ['violence'], flagged_input: '…', provider_name: 'OpenAI' },
    },
  }),
  blocked('xAI', 403, {
    code: 'The caller does not have permission to execute the specified operation',
    error: 'Content violates usage guidelines. Team: t, Model: grok-4, Failed check: SAFETY_CHECK_TYPE_BIO',
  }),
  blocked('LiteLLM', 400, openai('litellm.ContentPolicyViolationError: it failed', null, '400')),
  blocked('DeepSeek', 400, openai('Content Exists Risk', 'invalid_request_error', 'invalid_request_error')),
  blocked(
    'Qwen',
    400,
    openai(
      'Input data may contain inappropriate content.',
      'data_inspection_failed',
      'data_inspection_failed',
    ),
  ),
]

export const OTHERS: readonly VendorError[] = [
  access(
    'OpenAI: quota',
    429,
    openai(
      'You exceeded your current quota, please check your plan and billing details. For more information, read the docs: https://platform.openai.com/docs/guides/rate-limits',
      'insufficient_quota',
      'insufficient_quota',
    ),
  ),
  access(
    'OpenAI: quota, in a sentence',
    429,
    openai('You exceeded your current quota, please check your plan and billing details.', null),
  ),
  access(
    'OpenAI: billing',
    429,
    openai(
      'Your account is not active, please check your billing details on our website.',
      'billing_not_active',
      'billing_not_active',
    ),
  ),
  access(
    'OpenAI: key',
    401,
    openai('Incorrect API key provided: sk-*****.', 'invalid_request_error', 'invalid_api_key'),
  ),
  access(
    'Anthropic: credit',
    400,
    anthropic(
      'invalid_request_error',
      'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.',
    ),
  ),
  access('Anthropic: key', 401, anthropic('authentication_error', 'invalid x-api-key')),
  access('Anthropic: billing', 402, anthropic('billing_error', 'There is a problem with your billing.')),
  access(
    'Gemini: key',
    400,
    google(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
      { reason: 'API_KEY_INVALID' },
    ]),
  ),
  access('Azure: key', 401, {
    error: { code: '401', message: 'Access denied due to invalid subscription key or wrong API endpoint.' },
  }),
  access('OpenRouter: credit', 402, {
    error: {
      message:
        'This request requires more credits, or fewer max_tokens. You requested up to 16384 tokens, but can only afford 3000.',
      code: 402,
    },
  }),
  access('DeepSeek: balance', 402, openai('Insufficient Balance', 'unknown_error', 'invalid_request_error')),
  access('xAI: key', 400, {
    code: 'Client specified an invalid argument',
    error: 'Incorrect API key provided: xa***.',
  }),
  access('xAI: credit', 429, {
    code: 'Some resource has been exhausted',
    error: 'Your team has either used all available credits or reached its monthly spending limit.',
  }),
  access('vLLM: key', 401, { error: 'Unauthorized' }),
  access('Mistral: key', 401, { detail: 'Unauthorized' }),
  access('GitHub Models: key', 401, {
    error: { code: 'unauthorized', message: 'Bad credentials', details: 'Bad credentials' },
  }),

  busy(
    'OpenAI: rate',
    429,
    openai(
      'Rate limit reached for gpt-4o-mini in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.',
      'requests',
      'rate_limit_exceeded',
    ),
  ),
  busy(
    'Anthropic: rate',
    429,
    anthropic(
      'rate_limit_error',
      'This request would exceed the rate limit for your organization of 40,000 input tokens per minute. Please reduce the prompt length or the maximum tokens requested.',
    ),
  ),
  busy(
    'Anthropic: rate for long contexts',
    429,
    anthropic('rate_limit_error', 'Extra usage is required for long context requests.'),
  ),
  busy(
    'Gemini: rate',
    429,
    google(
      429,
      'RESOURCE_EXHAUSTED',
      'You exceeded your current quota, please check your plan and billing details.',
      [{ retryDelay: '36s' }],
    ),
  ),
  busy('Azure: rate', 429, {
    error: {
      code: '429',
      message:
        'Requests to the ChatCompletions_Create Operation have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 7 seconds. Please go here: https://aka.ms/oai/quotaincrease',
    },
  }),
  busy('Bedrock: rate', 429, {
    __type: 'ThrottlingException',
    message: 'Too many tokens, please wait before trying again.',
  }),
  busy('Mistral: rate', 429, {
    object: 'error',
    message: 'Rate limit exceeded',
    type: 'rate_limited',
    param: null,
    code: '1300',
  }),
  busy('GitHub Models: rate', 429, {
    error: {
      code: 'RateLimitReached',
      message:
        'Rate limit of 15 per 60s exceeded for UserByModelByMinute. Please wait 43 seconds before retrying.',
    },
  }),
  busy('OpenRouter: rate', 429, {
    error: {
      message: 'Provider returned error',
      code: 429,
      metadata: { raw: 'x is temporarily rate-limited upstream.' },
    },
  }),

  overloaded('Anthropic: overloaded', 529, anthropic('overloaded_error', 'Overloaded')),
  overloaded(
    'Gemini: overloaded',
    503,
    google(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'),
  ),
  overloaded(
    'OpenAI: overloaded',
    503,
    openai('The engine is currently overloaded, please try again later', 'server_error'),
  ),
  overloaded(
    'Groq: capacity',
    498,
    openai('Flex tier capacity exceeded, please try again later', 'capacity_exceeded', 'capacity_exceeded'),
  ),
  overloaded('vLLM: failure', 500, {
    object: 'error',
    message: 'EngineCore encountered an issue.',
    type: 'InternalServerError',
    param: null,
    code: 500,
  }),

  unknown(
    'OpenAI: model',
    404,
    openai(
      'The model `gpt-9` does not exist or you do not have access to it.',
      'invalid_request_error',
      'model_not_found',
    ),
  ),
  unknown(
    'OpenAI: model without access',
    403,
    openai('Project `p` does not have access to model `gpt-5`', 'invalid_request_error', 'model_not_found'),
  ),
  unknown('Azure: deployment', 404, {
    error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' },
  }),
  unknown('Ollama: model', 404, {
    error: { message: "model 'llama9' not found", type: 'not_found_error', param: null, code: null },
  }),
  unknown('OpenRouter: model', 400, {
    error: { message: 'openai/gpt-99 is not a valid model ID', code: 400 },
  }),
  unknown(
    'DeepSeek: model',
    400,
    openai('Model Not Exist', 'invalid_request_error', 'invalid_request_error'),
  ),
  unknown('Anthropic: model', 404, anthropic('not_found_error', 'model: claude-9')),

  tooLarge('Anthropic: size', 413, anthropic('request_too_large', 'Request exceeds the maximum size')),
  tooLarge(
    'Groq: size',
    413,
    openai(
      'Request too large for model `llama` on tokens per minute (TPM): Limit 12000, Requested 20000, please reduce your message size and try again.',
      'tokens',
      'rate_limit_exceeded',
    ),
  ),
]

/** Errors whose sentences speak of a context, a quota or a maximum, and mean something else. */
export const LOOKALIKES: readonly VendorError[] = [
  invalid(
    'most output tokens',
    400,
    openai(
      'max_tokens is too large: 100000. This model supports at most 16384 completion tokens, whereas you provided 100000.',
      'invalid_request_error',
      'invalid_value',
    ),
  ),
  invalid(
    'most output tokens of Anthropic',
    400,
    anthropic(
      'invalid_request_error',
      'max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-sonnet-4-5',
    ),
  ),
  invalid(
    'a name that is too long',
    400,
    openai(
      "Invalid 'user': string too long. Expected a string with maximum length 64, but got a string with length 80 instead.",
      'invalid_request_error',
      'string_above_max_length',
    ),
  ),
  invalid(
    'too many tools',
    400,
    openai(
      "Invalid 'tools': array too long. Expected an array with maximum length 128, but got 200 instead.",
      'invalid_request_error',
      'array_above_max_length',
    ),
  ),
  invalid(
    'a field named context',
    400,
    openai("Unknown parameter: 'context'.", 'invalid_request_error', 'unknown_parameter'),
  ),
  invalid(
    'a missing context',
    400,
    openai('The context of the tool call is missing.', 'invalid_request_error'),
  ),
  invalid(
    'a parameter named quota',
    400,
    openai("Invalid value for 'quota_project'.", 'invalid_request_error'),
  ),
  invalid('a temperature above the maximum', 422, {
    object: 'error',
    message: {
      detail: [
        {
          type: 'less_than_equal',
          loc: ['body', 'temperature'],
          msg: 'Input should be less than or equal to 1.5',
        },
      ],
    },
    type: 'invalid_request_error',
  }),
  invalid('a filter that found nothing', 400, {
    error: {
      message: 'Bad value.',
      type: 'invalid_request_error',
      innererror: { content_filter_result: { hate: { filtered: false, severity: 'safe' } } },
    },
  }),
  invalid(
    'a content type',
    400,
    openai('Invalid content type. image_url is only supported by certain models.', 'invalid_request_error'),
  ),
  busy(
    'a rate of context tokens',
    429,
    openai(
      'Rate limit reached: your prompt is too long for the tokens per minute that are left.',
      'tokens',
      'rate_limit_exceeded',
    ),
  ),
  overloaded(
    'requests that wait',
    503,
    openai('server busy, please try again.  maximum pending requests exceeded', 'api_error'),
  ),
]

export const VENDOR_ERRORS: readonly VendorError[] = [...TOO_LONG, ...BLOCKED, ...OTHERS, ...LOOKALIKES]
