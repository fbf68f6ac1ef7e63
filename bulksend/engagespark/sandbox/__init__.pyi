from .behaviour import SandboxOptions as SandboxOptions
from .behaviour import parse_fail as parse_fail
from .behaviour import parse_latency as parse_latency
from .log import Summary as Summary
from .server import Sandbox as Sandbox
