"""The provider, both ends: the client of its API, and a sandbox that behaves as its document says."""
