"""Where the gateway and its upstream listen, as scripts/test-python.ts says."""

import os

GATEWAY = os.environ["PARLEY_URL"]
UPSTREAM = os.environ["UPSTREAM_URL"]

#: A key that is no one's: the gateway under test has no keys.
PLACEHOLDER = "any"

WEATHER_PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
