"""The grant types, one file each; none imports another. Each answers `prove()`; the rest is shared in grant.py."""
